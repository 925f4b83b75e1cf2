"""Health checks of the database: connection, schema, disk, the events table, stored themes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from llma_assets.cli.errors import explained
from llma_assets.cli.queries import EVENT_COLUMN_TYPES, FREE_DISK, UNREADABLE_EVENTS
from llma_assets.cli.render.teams import team_named
from llma_assets.cli.run.probes.finding import MIN_FREE_DISK_BYTES, Finding, gigabytes, not_installed
from llma_assets.settings import Settings

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

MAX_EVENTS = 100_000
"""The latest events that are checked for JSON, at most."""

EVENT_TYPES = {
    "uuid": ("UUID",),
    "event": ("String",),
    "team_id": ("Int", "UInt"),
    "distinct_id": ("String",),
    "timestamp": ("DateTime",),
    "properties": ("String",),
}
"""Prefixes of the column types that the statements of discovery and rendering can read."""


def probe_database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers, has its schema and free space, and holds readable events."""
    from llma_assets.clickhouse import DatabaseError, EmbeddedNotInstalled, NoDatabase, connect, missing_embedded

    try:
        with connect(settings, create=False) as database:
            mode = "server of CLICKHOUSE_URL" if settings.clickhouse_url else "embedded"
            detail = f"{mode}, ClickHouse {database.ping()}, database {database.name}, schema up to date"
            yield Finding("database", "ok", detail)
            yield from _probe_disk(database)
            yield from _probe_events(database.own_events(), settings)
            yield from _probe_sources(database)
            yield from _probe_themes(database)
    except NoDatabase as error:
        if settings.clickhouse_url is None and (complaint := missing_embedded()):
            yield not_installed("database", complaint)
            return
        where, _, advice = str(error).partition(": ")
        yield Finding("database", "warn", where, f"{advice[0].upper()}{advice[1:]}.")
    except EmbeddedNotInstalled as error:
        yield not_installed("database", str(error))
    except DatabaseError as error:
        yield Finding("database", "fail", explained(error).message, _url_advice(settings))


def _url_advice(settings: Settings) -> str:
    if settings.clickhouse_url is None:
        return "`llma db start` starts it; its log is in the data folder."
    return "CLICKHOUSE_URL is http(s)://user:password@host:port/database; unset it to use the embedded database."


def _probe_disk(database: "Database") -> Iterator[Finding]:
    from llma_assets.clickhouse import DatabaseError

    try:
        disks = database.rows(FREE_DISK)
    except DatabaseError as error:
        yield Finding("database disk", "warn", explained(error).message, "Grant SELECT on system.disks to see it.")
        return
    for disk in disks:
        detail = f"{disk['name']}: {gigabytes(disk['free_bytes'])} of {gigabytes(disk['total_bytes'])} free"
        little = disk["free_bytes"] < MIN_FREE_DISK_BYTES
        yield Finding("database disk", "warn" if little else "ok", detail, "Free some space." if little else "")


def _probe_events(database: "Database", settings: Settings) -> Iterator[Finding]:
    from llma_assets.clickhouse import DatabaseError

    table = settings.events_table
    try:
        rows = database.rows(EVENT_COLUMN_TYPES)
    except DatabaseError as error:
        needed = ", ".join(EVENT_TYPES)
        advice = f"LLMA_EVENTS_TABLE is table or database.table, with the columns {needed}."
        yield Finding("events table", "fail", f"{table}: {explained(error).message}", advice)
        return
    if not rows:
        yield Finding("events table", "warn", f"{table} is empty", "`llma ingest FILE` or `llma demo` fills it.")
        return
    wrong = [
        f"{column} is {found}"
        for column, found in rows[0].items()
        if not _unwrapped_type(found).startswith(EVENT_TYPES[column])
    ]
    if wrong:
        expected = ", ".join(f"{column} {types[0]}" for column, types in EVENT_TYPES.items())
        yield Finding("events table", "fail", f"{table}: {', '.join(wrong)}", f"Needed: {expected}. A view can cast.")
    else:
        yield Finding("events table", "ok", f"{table} can be read")
        yield from _probe_unreadable(database, table)


def _probe_unreadable(database: "Database", table: str) -> Iterator[Finding]:
    """Whether the latest events hold JSON; ClickHouse reads others as empty, without an error."""
    from llma_assets.teams import LOOKBACK_DAYS
    from llma_assets.trace_events import TRIGGER_EVENTS

    (found,) = database.rows(
        UNREADABLE_EVENTS, trigger_events=list(TRIGGER_EVENTS), days=LOOKBACK_DAYS, most=MAX_EVENTS
    )
    if not found["unreadable"]:
        return
    detail = (
        f"{table}: {found['unreadable']:,} of {found['events']:,} recent events cannot be read, the last of team "
        f"{found['team_id']} at {found['last_at']:%Y-%m-%d %H:%M}: their `properties` are not a JSON object"
    )
    advice = (
        "NaN, a lone surrogate or cut text does that, and `llma ingest` repairs it. `llma skips --date D` counts them "
        f"by team; SELECT * FROM {table} WHERE JSONType(properties) != 'Object' shows them."
    )
    yield Finding("unreadable events", "warn", detail, advice)


def _probe_sources(database: "Database") -> Iterator[Finding]:
    """Whether each source can be read, and holds what the pipeline needs."""
    from llma_assets.reports import source_report

    for source in database.sources():
        report = source_report(database, source)
        name = f"source {source.name}"
        if not report.reachable:
            advice = f"Check the table and its rights; `llma sources remove {source.name}` reads it no more."
            yield Finding(name, "fail", f"{source.table}: {report.error}", advice)
            continue
        share = f", {report.with_content / report.calls:.0%} of model calls with message text" if report.calls else ""
        detail = f"{source.table}: {report.rows:,} rows of {report.traces:,} traces in {report.days} days{share}"
        status: Literal["ok", "warn", "fail"] = "fail" if not report.usable else "ok" if report.rows else "warn"
        yield Finding(name, status, detail, "" if status == "ok" else " ".join(report.advice[:1]))


def _probe_themes(database: "Database") -> Iterator[Finding]:
    from llma_assets.themes import THE_TEAM, themes_of_teams

    teams = themes_of_teams(database)
    for team_id, team in teams.items():
        advice = f"`llma themes export --team {team_id}` and `llma themes apply` fix it; until then the theme is off."
        for problem in team.problems:
            stops = problem in team.problems_of(THE_TEAM)
            yield Finding("themes", "fail" if stops else "warn", f"team {team_named(team_id)}: {problem}", advice)
    if not any(team.problems for team in teams.values()):
        yield Finding("themes", "ok", f"teams with changed themes: {len(teams):,}")


def _unwrapped_type(type_name: str) -> str:
    for wrapper in ("LowCardinality(", "Nullable("):
        type_name = type_name.removeprefix(wrapper)
    return type_name
