"""What `llma doctor` tries, one function a thing; each yields findings and never raises for what it looks for."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from llma_assets.cli.errors import Problem, explained
from llma_assets.cli.queries import EVENT_COLUMN_TYPES, FREE_DISK, UNREADABLE_EVENTS
from llma_assets.settings import Settings, SettingsError

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.models import ChatModel, Embedder, Probe

M = TypeVar("M", bound="ChatModel | Embedder")
Status = Literal["ok", "warn", "fail"]
PYTHONS = ((3, 11), (3, 13))
LITTLE_DISK_BYTES = 2 << 30
EVENTS_LOOKED_AT = 100_000
EVENT_TYPES = {
    "uuid": ("UUID",),
    "event": ("String",),
    "team_id": ("Int", "UInt"),
    "distinct_id": ("String",),
    "timestamp": ("DateTime",),
    "properties": ("String",),
}
"""Beginnings of the types that the statements of discovery and rendering can read, by column."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        name: the thing.
        status: `warn` is worth a look, `fail` will stop the pipeline.
        detail: what was found; never a secret.
        advice: the way out, "" where all is well.
    """

    name: str
    status: Status
    detail: str
    advice: str = ""


def probe_everything() -> Iterator[Finding]:
    """Try one thing after another; what cannot be tried without another thing is left out."""
    yield from probe_python()
    yield from probe_dagster()
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        yield Finding("settings", "fail", str(error), "Correct the variable.")
        return
    yield from probe_data_dir(settings)
    yield from probe_database(settings)
    yield from probe_team_settings(settings)
    yield from probe_models(settings)
    yield from probe_instance(settings)


def probe_python() -> Iterator[Finding]:
    """The version of Python."""
    found = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= found <= PYTHONS[1]:
        yield Finding("Python", "ok", text)
    else:
        yield Finding("Python", "fail", text, "Python 3.11 to 3.13 is needed.")


def probe_dagster() -> Iterator[Finding]:
    """The version of Dagster, which is pinned: partitions of time × team broke in earlier ones."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in requires("llma-assets") or []]
        found = version("dagster")
    except PackageNotFoundError as error:
        yield Finding("Dagster", "fail", f"package {error.name} is not installed", "Run `make install`.")
        return
    (pinned,) = [each.specifier for each in wanted if each.name == "dagster"]
    if pinned.contains(found):
        yield Finding("Dagster", "ok", found)
    else:
        yield Finding("Dagster", "fail", f"{found}, {pinned} is needed", "Run `make install`.")


def probe_data_dir(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, and has room; one that is not there yet is not made."""
    folder = settings.data_dir
    if not folder.exists():
        yield _to_be_made("data folder", folder, "LLMA_DATA_DIR")
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding("data folder", "fail", f"{folder}: {error.strerror}", "Set LLMA_DATA_DIR to a folder of yours.")
        return
    if free < LITTLE_DISK_BYTES:
        yield Finding("data folder", "warn", f"{folder}: {_gb(free)} free", "Make room, or set LLMA_DATA_DIR.")
    else:
        yield Finding("data folder", "ok", f"{folder}: {_gb(free)} free")


def _to_be_made(name: str, folder: Path, variable: str) -> Finding:
    """Whether a folder that is not there can be made when it is needed."""
    above = next(each for each in folder.parents if each.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding(name, "ok", f"{folder} is not there yet; who needs it makes it")
    detail = f"{folder} is not there, and cannot be made in {above}"
    return Finding(name, "fail", detail, f"Set {variable} to a folder of yours.")


def probe_database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers, has the schema and room, and holds events that can be read."""
    from llma_assets.clickhouse import DatabaseError, EmbeddedNotInstalled, NoDatabase, connect, missing_embedded

    try:
        with connect(settings, create=False) as database:
            mode = "server of CLICKHOUSE_URL" if settings.clickhouse_url else "embedded"
            detail = f"{mode}, ClickHouse {database.ping()}, database {database.name}, schema up to date"
            yield Finding("database", "ok", detail)
            yield from _probe_room(database)
            yield from _probe_events(database, settings)
            yield from _probe_themes(database)
    except NoDatabase as error:
        if settings.clickhouse_url is None and (complaint := missing_embedded()):
            yield _not_installed("database", complaint)
            return
        where, _, advice = str(error).partition(": ")
        yield Finding("database", "warn", where, f"{advice[0].upper()}{advice[1:]}.")
    except EmbeddedNotInstalled as error:
        yield _not_installed("database", str(error))
    except DatabaseError as error:
        yield Finding("database", "fail", explained(error).message, _url_advice(settings))


def _not_installed(name: str, complaint: str) -> Finding:
    """A missing extra, which the complaint names after a colon together with the ways out."""
    detail, _, advice = complaint.partition(": ")
    return Finding(name, "fail", detail, f"{advice[0].upper()}{advice[1:]}.")


def _url_advice(settings: Settings) -> str:
    if settings.clickhouse_url is None:
        return "`llma db start` starts it; its log is in the data folder."
    return "CLICKHOUSE_URL is http(s)://user:password@host:port/database; unset it to use the embedded database."


def _probe_room(database: "Database") -> Iterator[Finding]:
    from llma_assets.clickhouse import DatabaseError

    try:
        disks = database.rows(FREE_DISK)
    except DatabaseError as error:
        yield Finding("database disk", "warn", explained(error).message, "Grant SELECT on system.disks to see it.")
        return
    for disk in disks:
        detail = f"{disk['name']}: {_gb(disk['free_bytes'])} of {_gb(disk['total_bytes'])} free"
        little = disk["free_bytes"] < LITTLE_DISK_BYTES
        yield Finding("database disk", "warn" if little else "ok", detail, "Make room." if little else "")


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
        f"{column} is {found}" for column, found in rows[0].items() if not _bare(found).startswith(EVENT_TYPES[column])
    ]
    if wrong:
        expected = ", ".join(f"{column} {types[0]}" for column, types in EVENT_TYPES.items())
        yield Finding("events table", "fail", f"{table}: {', '.join(wrong)}", f"Needed: {expected}. A view can cast.")
    else:
        yield Finding("events table", "ok", f"{table} can be read")
        yield from _probe_unreadable(database, table)


def _probe_unreadable(database: "Database", table: str) -> Iterator[Finding]:
    """Whether the latest events hold JSON; ClickHouse finds nothing in others, and says nothing."""
    from llma_assets.teams import LOOKBACK_DAYS
    from llma_assets.trace_events import TRIGGER_EVENTS

    (found,) = database.rows(
        UNREADABLE_EVENTS, trigger_events=list(TRIGGER_EVENTS), days=LOOKBACK_DAYS, most=EVENTS_LOOKED_AT
    )
    if not found["unreadable"]:
        return
    detail = (
        f"{table}: {found['unreadable']:,} of {found['events']:,} late events cannot be read, the last of team "
        f"{found['team_id']} at {found['last_at']:%Y-%m-%d %H:%M}: their properties are no JSON object"
    )
    advice = (
        "NaN, a lone surrogate or cut text does that, and `llma ingest` repairs it. `llma skips --date D` counts them "
        f"by team; SELECT * FROM {table} WHERE JSONType(properties) != 'Object' shows them."
    )
    yield Finding("unreadable events", "warn", detail, advice)


def _probe_themes(database: "Database") -> Iterator[Finding]:
    from llma_assets.themes import THE_TEAM, themes_of_teams

    teams = themes_of_teams(database)
    for team_id, team in teams.items():
        advice = f"`llma themes export --team {team_id}` and `llma themes apply` mend it; until then it is off."
        for problem in team.problems:
            stops = problem in team.problems_of(THE_TEAM)
            yield Finding("themes", "fail" if stops else "warn", f"team {team_id}: {problem}", advice)
    if not any(team.problems for team in teams.values()):
        yield Finding("themes", "ok", f"teams that changed what ships: {len(teams):,}")


def _bare(type_name: str) -> str:
    for wrapper in ("LowCardinality(", "Nullable("):
        type_name = type_name.removeprefix(wrapper)
    return type_name


def probe_team_settings(settings: Settings) -> Iterator[Finding]:
    """Whether the file of team settings can be used."""
    from llma_assets.teams import TeamSettings, TeamSettingsError

    try:
        teams, problems = TeamSettings.load(settings.data_dir)
    except TeamSettingsError as error:
        yield Finding("team settings", "fail", str(error), "Correct the file, or LLMA_TEAMS_FILE.")
        return
    for problem in problems:
        status: Status = "fail" if problem.stops else "warn"
        yield Finding("team settings", status, str(problem), "Correct the field, or remove it.")
    if not problems:
        detail = f"look back {teams.lookback_days} days, at least {teams.options.minimum_traces} traces"
        yield Finding("team settings", "ok", detail)


def probe_models(settings: Settings) -> Iterator[Finding]:
    """Ask the chat model and the embedder one small question each; a paid model costs a fraction of a cent."""
    from llma_assets.models import chat_model, embedder, probe_chat, probe_embedder, require_packages

    yield from _probed("chat model", "LLMA_CHAT_MODEL", lambda: chat_model(settings), probe_chat)
    yield from _probed(
        "embedding model", "LLMA_EMBEDDING_MODEL", lambda: require_packages(embedder(settings)), probe_embedder
    )


def _probed(name: str, variable: str, choose: "Callable[[], M]", probe: "Callable[[M], Probe]") -> Iterator[Finding]:
    from llma_assets.models import ModelConfigurationError, shutdown_date

    advice = f"Look at {variable}, OPENAI_API_KEY and OPENAI_BASE_URL."
    try:
        model = choose()
        found = probe(model)
        shutdown = shutdown_date(model) if found.ok else None
    except ModelConfigurationError as error:
        is_missing = error.kind == "not_installed" and "llma-assets[" in str(error)
        yield _not_installed(name, str(error)) if is_missing else Finding(name, "fail", str(error), advice)
        return
    detail = f"{found.model}: {found.detail} in {found.latency_s:.2f} s"
    yield Finding(name, "ok", detail) if found.ok else Finding(name, "fail", detail, advice)
    if shutdown is not None:
        days = (shutdown - datetime.now(UTC).date()).days
        when = f"in {days:,} days" if days > 0 else "that day has come"
        detail = f"{found.model} is shut down on {shutdown}: {when}"
        yield Finding(f"{name}'s end", "warn", detail, f"Set {variable} to another; what it made is made anew then.")


def probe_instance(settings: Settings) -> Iterator[Finding]:
    """Whether Dagster's instance can be opened and read, and whether its run queue limits what it should."""
    from llma_assets.defs.home_config import SHIPPED, changed_since
    from llma_assets.defs.instance import dagster_home, missing_limits, opened_instance

    if not dagster_home(settings).exists():
        yield _to_be_made("Dagster instance", dagster_home(settings), "DAGSTER_HOME")
        return
    try:
        with opened_instance(settings) as instance:
            runs, missing = instance.get_runs_count(), missing_limits(instance)
    except (Problem, OSError) as error:
        detail = error.message if isinstance(error, Problem) else explained(error).message
        yield Finding("Dagster instance", "fail", detail, "Set DAGSTER_HOME to a folder of yours.")
        return
    home = dagster_home(settings)
    yield Finding("Dagster instance", "ok", f"{home}: {runs:,} runs")
    yield from _probe_privacy(home, settings.rejects_dir)
    if changed := changed_since(home):
        detail = f"{home}/dagster.yaml was edited, and what ships has other values by now: {', '.join(changed)}"
        advice = (
            f"Take them over from the dagster.yaml of the package, or move {home}/dagster.yaml away and run "
            f"`llma doctor` again; to keep yours, copy the one that ships to {home}/{SHIPPED}."
        )
        yield Finding("Dagster's settings", "warn", detail, advice)
    if missing:
        detail = f"{home}/dagster.yaml sets no limit for {', '.join(missing)}: two runs of a theme may pay twice"
        advice = "It is that of an earlier version. Move it away, run `llma doctor` again, and take over your changes."
        yield Finding("Dagster's run queue", "warn", detail, advice)


def _probe_privacy(*folders: Path) -> Iterator[Finding]:
    """Whether others on this machine can read what holds texts of traces."""
    for folder in folders:
        if folder.is_dir() and folder.stat().st_mode & 0o077:
            detail = f"{folder} holds texts of traces, and others on this machine can look into it"
            yield Finding("private folders", "warn", detail, f"`chmod -R go-rwx {folder}` as its owner closes it.")


def _gb(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"
