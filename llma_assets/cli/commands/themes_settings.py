"""`llma themes list, show, example, export, history`: a team's themes, now and in the past.

Changes to themes belong in `themes_changes.py`, their results in `themes_reports.py`, the logic in
`llma_assets.themes`.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, plain_block, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.themes import FieldChange, TeamThemes, Theme

F = TypeVar("F", bound=Callable[..., Any])

_TIMES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")
THE_TEAM = "(all themes)"
"""Shown instead of a theme_id for the base filters of the team."""


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List all themes of a team, also those that are off."""
    from llma_assets.clusters import last_runs
    from llma_assets.reports import themes_report
    from llma_assets.themes import themes_of

    with opened_database() as database:
        team = themes_of(database, team_id)
        runs = last_runs(database, team_id)
    if as_json:
        emit_report(themes_report(team, runs))
        return
    show_table(
        ("theme", "level", "runs", "version", "filters", "sample", "budget", "last run", "name"),
        [
            (
                theme.theme_id,
                theme.level,
                _when(theme),
                theme.version,
                len(theme.filters) or "",
                _sample(theme),
                "" if theme.daily_budget_usd is None else f"${theme.daily_budget_usd:,.2f}",
                _last_run(runs.get(theme.theme_id)),
                theme.name,
            )
            for theme in team.themes
        ],
        right=("filters", "budget"),
    )
    for problem in team.problems:
        say(f"Invalid, so the theme is off: {problem}")
    if not all(theme.enabled for theme in team.themes):
        say(f"`llma themes enable THEME --team {team_id}` switches one on; `llma themes show` prints its settings.")


def _at_option(f: F) -> F:
    return click.option(
        "--at",
        type=click.DateTime(_TIMES),
        help="Settings at this time (UTC), e.g. 2026-11-07T12:30:00; see history.",
    )(f)


@click.command("show")
@click.argument("theme_id", metavar="THEME")
@team_option()
@_at_option
@json_option
def show_command(theme_id: str, team_id: int, at: datetime | None, as_json: bool) -> None:
    """Show all settings of a theme, including defaults."""
    from llma_assets.clusters import last_runs
    from llma_assets.reports import theme_report
    from llma_assets.themes import Document, settings_of, settings_of_filters, write_document

    with opened_database() as database:
        team = _team(database, team_id, at)
        theme = team.get(theme_id)
        last_run = last_runs(database, team_id).get(theme_id)
    problems = team.problems_of(theme_id)
    if as_json:
        emit_report(theme_report(team, theme_id, last_run))
        return
    show(f"{plain(theme.name or theme.theme_id)}: {_when(theme)}, version {theme.version}")
    show(f"Last run: {_last_run(last_run) or 'none'}\n")
    own = team.settings_alone(theme)
    file = Document(({"theme_id": theme_id, **settings_of(own)},), settings_of_filters(team.base_filters))
    show(write_document(file).rstrip("\n"))
    for problem in problems:
        say(f"Invalid, so the theme is off: {problem}")


@click.command()
@click.argument("name", required=False)
@json_option
def example(name: str | None, as_json: bool) -> None:
    """Print an example theme file; without NAME, list the examples.

    For example: llma themes example unhappy_users > unhappy_users.yaml
    """
    from llma_assets.reports import ThemeExamples
    from llma_assets.themes import did_you_mean, examples

    found = examples()
    if name is not None and name not in found:
        raise WrongUse(f"no example {name!r}{did_you_mean(name, found)}; examples: {', '.join(found)}")
    if as_json:
        emit_report(ThemeExamples(dict(found) if name is None else {name: found[name]}))
    else:
        show("\n".join(found) if name is None else found[name].rstrip("\n"))


@click.command("export")
@click.argument("theme_ids", metavar="[THEME]...", nargs=-1)
@team_option()
@click.option("--full", is_flag=True, help="Print every field, including defaults.")
@_at_option
@json_option
def export_command(theme_ids: tuple[str, ...], team_id: int, full: bool, at: datetime | None, as_json: bool) -> None:
    """Print a team's themes as YAML for `llma themes apply`: its own themes, and changed fields of built-in ones.

    With THEME, print only that theme, without the base filters of the team. To restore an earlier state:
    llma themes export mine --at 2026-11-07T12:30:00 --team 1 | llma themes apply - --team 1
    """
    from llma_assets.reports import ExportedThemes
    from llma_assets.themes import export, write_document

    with opened_database() as database:
        team = _team(database, team_id, at)
    document = export(team, theme_ids, full=full)
    if as_json:
        emit_report(ExportedThemes(team_id, document.base_filters, tuple(document.themes)))
    else:
        text = write_document(document)
        # A file gets the exact text; on a terminal control characters are escaped.
        click.echo(plain_block(text) if sys.stdout.isatty() else text, nl=False)
    for problem in team.problems:
        if not theme_ids:
            say(f"Left out, because its stored settings are invalid: {problem}")


@click.command("history")
@click.argument("theme_id", metavar="[THEME]", required=False)
@team_option()
@json_option
def history_command(theme_id: str | None, team_id: int, as_json: bool) -> None:
    """Show who changed which theme settings, and when: oldest first, including deleted themes."""
    from llma_assets.reports import history_report
    from llma_assets.themes import past_changes, themes_of

    with opened_database() as database:
        found = past_changes(database, team_id, theme_id or "")
        if theme_id and not found:
            themes_of(database, team_id).get(theme_id)  # raises for an unknown theme
    if as_json:
        emit_report(history_report(team_id, found))
        return
    for each in found:
        who = f"{each.changed_at:%Y-%m-%d %H:%M:%S} {plain(each.author)}"
        show(f"{who}: {plain(each.theme_id) or THE_TEAM} {plain(each.action)}, version {plain(each.version) or '-'}")
        show_fields(each.fields)
    if not found:
        say(f"No changes of {theme_id or f'the themes of team {team_named(team_id)}'} yet.")


def show_fields(fields: "Iterable[FieldChange]") -> None:
    """Print changed fields, indented."""
    from llma_assets.themes import lines_of

    for each in fields:
        for line in lines_of(each):
            show(f"    {line}")


def _team(database: "Database", team_id: int, at: datetime | None) -> "TeamThemes":
    from llma_assets.themes import themes_at, themes_of

    if at is None:
        return themes_of(database, team_id)
    # The history shows whole seconds, so changes within that second count, too.
    until = at if at.microsecond else at.replace(microsecond=999_999)
    return themes_at(database, team_id, until.replace(tzinfo=UTC))


def _last_run(run: Mapping[str, Any] | None) -> str:
    return f"{run['last_day']}: {run['clustered_items']:,} items, {run['cluster_count']:,} clusters" if run else ""


def _when(theme: "Theme") -> str:
    from llma_assets.themes import GENERAL_IDS

    if not theme.enabled:
        return "off"
    schedule = "with the pipeline" if theme.theme_id in GENERAL_IDS else theme.schedule.replace("_", " ")
    return f"{schedule}, after {theme.after}" if theme.after else schedule


def _sample(theme: "Theme") -> str:
    from llma_assets.themes import FEW_OF_MANY, MANY_MATCHES

    return f"{FEW_OF_MANY:.0%} above {MANY_MATCHES:,}" if theme.sample_rate is None else f"{theme.sample_rate:.4g}"
