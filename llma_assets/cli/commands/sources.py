"""`llma sources`: tables of other trace stores that the pipeline reads in place."""

from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import TEAM, decider, json_option, opened_database
from llma_assets.cli.render.console import emit_report, plain, plain_block, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import SourceReport
    from llma_assets.sources import Source


@click.group("sources")
def sources_group() -> None:
    """Read traces from tables of other tools, where they are.

    Kinds: otel (otel_traces, ClickStack), langfuse, posthog, signoz, laminar, opik, events. Files are read by
    `llma ingest`.
    """


@sources_group.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the sources, beside the pipeline's own table of events."""
    from llma_assets.reports import sources_report

    with opened_database() as database:
        sources = database.sources()
    if as_json:
        emit_report(sources_report(sources))
    elif sources:
        show_table(
            ("source", "kind", "table", "teams"),
            [(source.name, source.kind, source.table, len(source.tenants)) for source in sources],
            right=("teams",),
        )
    else:
        say("There are no sources. `llma sources add NAME --kind otel --table otel.otel_traces` adds one.")


@sources_group.command("show")
@click.argument("name")
@json_option
def show_command(name: str, as_json: bool) -> None:
    """Show a source, and the team of each of its tenants."""
    from llma_assets.reports import source_row
    from llma_assets.serialization import json_object
    from llma_assets.sources import KINDS

    with opened_database() as database:
        source = _named(database, name)
    row = source_row(source)
    if as_json:
        emit_report(row)
        return
    for label, value in json_object(row).items():
        if label != "tenants" and value:
            show(f"{label}: {plain(value)}")
    if source.tenants:
        show_table(("tenant", "team"), [(tenant.value or "(all rows)", tenant.team_id) for tenant in source.tenants])
    if (light := KINDS[source.kind].light) and "light" not in source.others:
        say("Samples look through all attributes. A column of those that tell kind, user and session spares that:")
        say(f"  {light.format(table=source.table)}")
        say(f"then `llma sources add {source.name} …` again, with --other light=LlmAttributes.")


@sources_group.command("add")
@click.argument("name")
@click.option("--kind", required=True, help="The tool that wrote the table: otel, langfuse, posthog, …")
@click.option("--table", help="The table, as table or database.table; the tool's own name if it is left out.")
@click.option("--tenant", default="", help="Column that says whose a row is, or ResourceAttributes['key'].")
@click.option("--team", "team_id", type=TEAM, help="All rows are of this team, instead of a column for tenants.")
@click.option("--user", default="", help="Column that says who used the application, if there is one.")
@click.option("--other", "others", multiple=True, metavar="NAME=TABLE", help="A further table: logs=otel.otel_logs.")
@click.option("--by", help="Who adds it; else LLMA_USER, else the login.")
@click.option("--dry-run", is_flag=True, help="Test it, and store nothing.")
@json_option
def add_command(
    name: str,
    kind: str,
    table: str | None,
    tenant: str,
    team_id: int | None,
    user: str,
    others: tuple[str, ...],
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a source, or change the one of this name. It is tested first: what cannot be read is not stored."""
    from llma_assets.reports import source_report
    from llma_assets.source_catalog import add_source, check_source, store_tenants
    from llma_assets.sources import KINDS, Source, SourceError

    who = decider(by)
    if team_id is not None and tenant:
        raise WrongUse("--team says that all rows are one team's, --tenant that a column says whose they are: give one")
    try:
        usual = KINDS[kind].table if kind in KINDS else ""
        source = Source(name, kind, table or usual or "unknown", tenant, user, _others(others))
        check_source(source)
    except SourceError as error:
        raise WrongUse(str(error)) from error
    with opened_database(create=True) as database:
        report = source_report(database, source, team_id=team_id)
        if not report.reachable:
            raise Problem(f"{source.table} cannot be read as {kind}: {report.error}. Nothing was stored")
        if not dry_run:
            try:
                add_source(database, source, by=who, team_id=team_id)
            except SourceError as error:
                raise WrongUse(str(error)) from error
            store_tenants(database, source, [each.tenant for each in report.tenants if each.tenant])
            report = source_report(database, _named(database, name))
    if as_json:
        emit_report(report)
    else:
        _show_report(report)
        say("Nothing was stored (--dry-run)." if dry_run else f"Source {name} is stored; `llma run` reads it.")


@sources_group.command("test")
@click.argument("name")
@json_option
@click.pass_context
def test_command(ctx: click.Context, name: str, as_json: bool) -> None:
    """Say whether a source can be read, what it holds, and what is missing. Exit code 1 if it cannot be used."""
    from llma_assets.reports import source_report

    with opened_database() as database:
        report = source_report(database, _named(database, name))
    if as_json:
        emit_report(report)
    else:
        _show_report(report)
    if not report.usable:
        ctx.exit(1)


@sources_group.command("remove")
@click.argument("name")
@click.option("--by", help="Who removes it; else LLMA_USER, else the login.")
@click.option("--dry-run", is_flag=True, help="Say what would happen.")
def remove_command(name: str, by: str | None, dry_run: bool) -> None:
    """Read a source no more. Its table is not touched; results and the numbers of its teams stay."""
    from llma_assets.source_catalog import remove_source

    who = decider(by)
    with opened_database() as database:
        source = _named(database, name)
        if not dry_run:
            remove_source(database, source, by=who)
    say(f"Source {name} {'would be' if dry_run else 'is'} read no more; {source.table} stays as it is.")


def _named(database: Any, name: str) -> "Source":
    from llma_assets.source_catalog import source_named
    from llma_assets.sources import SourceError

    try:
        return source_named(database, name)
    except SourceError as error:
        raise WrongUse(str(error)) from error


def _others(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        name, sign, table = each.partition("=")
        if not sign:
            raise WrongUse(f"--other {each[:60]!r} must be NAME=TABLE, like logs=otel.otel_logs")
        found[name] = table
    return found


def _show_report(report: "SourceReport") -> None:
    if not report.reachable:
        say(f"{report.name}: {report.table} cannot be read: {report.error}")
        return
    show(
        f"{report.name} ({report.kind}, {report.table}): {report.rows:,} rows of {report.traces:,} traces in "
        f"{report.days} days"
    )
    if report.last_at is not None:
        show(f"  last row: {report.last_at:%Y-%m-%d %H:%M} UTC")
    for tenant in report.tenants:
        show(f"  tenant {plain(tenant.tenant or '(all rows)')}: team {tenant.team_id}")
    if report.calls:
        show(
            f"  of {report.calls:,} model calls looked at, {report.with_content / report.calls:.0%} have message text, "
            f"{report.with_cost / report.calls:.0%} a cost, {report.with_tokens / report.calls:.0%} tokens"
        )
        show(f"  users: {report.users:,}, sessions: {report.sessions:,}, errors: {report.errors:,}")
    for advice in report.advice:
        say(f"  {advice}")
    for example in report.examples:
        show(f"\n--- trace {plain(example.trace_id)} of team {team_named(example.team_id)}")
        show(plain_block(example.text))
