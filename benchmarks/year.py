"""A year of a thousand teams: `python -m benchmarks.year [--teams 1000] [--days 365] [--window 90] [--pages]`.

Rows as a year leaves them in ClickHouse (three events a team and day, decisions, texts made, clusterings), and a
Dagster instance with a materialization of each asset, team and day of the window (`LLMA_PARTITION_DAYS`), and runs:
one of each is recorded by Dagster, the others are copies of its row by SQL. Then each schedule and sensor is evaluated
as the daemon does, teams are discovered for a day, Dagster is asked which partitions are materialized, and with
`--pages` its pages are opened in Chromium. CPU of client and server, memory, as Markdown on stdout.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from benchmarks.ticks import DAY, PLANT_MADE, TICKS, measure
from benchmarks.year_dagster import plant_materializations, plant_runs
from llma_assets.clickhouse import Database, connect, start, status, stop
from llma_assets.defs.due_texts import record_texts_finished
from llma_assets.defs.instance import dagster_home, opened_instance
from llma_assets.defs.partitions import partition_key
from llma_assets.discovery import discover
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings

ASSET = dg.AssetKey("cluster_events")

EVENTS = """
INSERT INTO events (uuid, event, team_id, distinct_id, timestamp, properties)
SELECT generateUUIDv4(), '$ai_generation', 1 + number % {teams:UInt32}, 'user',
    toDateTime64({day:Date} - intDiv(number, {teams:UInt32}) % {days:UInt32}, 6, 'UTC')
        + toIntervalSecond(3600 + intDiv(number, {teams:UInt32} * {days:UInt32})),
    concat('{"$ai_trace_id":"', toString(number), '","$ai_input":"x"}')
FROM numbers({teams:UInt32} * {days:UInt32} * 3)
"""
DECISIONS = """
INSERT INTO eligible_teams (team_id, day, eligible, window_start, window_end, events)
SELECT 1 + number % {teams:UInt32}, {day:Date} - intDiv(number, {teams:UInt32}) AS decided, true,
    toDateTime(decided) - toIntervalDay(6), toDateTime(decided) + toIntervalDay(1), 21
FROM numbers({teams:UInt32} * {days:UInt32})
"""
CLUSTERINGS = """
INSERT INTO clustering_runs (team_id, day, theme_id, attempt_id, method, items, embedding_model)
SELECT 1 + number % {teams:UInt32}, {day:Date} - intDiv(number, {teams:UInt32}) % {days:UInt32},
    if(number < {teams:UInt32} * {days:UInt32}, 'traces', 'generations'), generateUUIDv4(), 'graph', 21, 'offline/hash'
FROM numbers({teams:UInt32} * {days:UInt32} * 2)
"""


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--window", type=int, default=90)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument(
        "--pages", action="store_true", help="open Dagster's pages in Chromium, too (make test-web brings Playwright)"
    )
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        os.environ |= {"LLMA_DATA_DIR": folder, "DAGSTER_HOME": "", "CLICKHOUSE_URL": "", "OPENAI_BASE_URL": ""}
        os.environ["LLMA_OLDEST_DAY"] = (DAY - timedelta(days=chosen.window - 1)).isoformat()
        settings = Settings.from_env()
        start(settings.data_dir)
        try:
            with connect(settings) as database, opened_instance(settings) as instance:
                plant(database, chosen.teams, chosen.days)
                home, today = dagster_home(settings), datetime.now(UTC).date()
                events = plant_materializations(instance, home, chosen.teams, today, chosen.window)
                run = plant_runs(instance, home, chosen.runs)
                rows = database.value("SELECT count() FROM events")
                print(f"# A year of {chosen.teams:,} teams: {rows:,} events\n")
                print(f"In Dagster {events:,} materializations of each asset and {chosen.runs:,} runs.\n")
                print("| when | tick | runs | partitions | wall s | client s | server s |")
                print("|---|---|---:|---:|---:|---:|---:|")
                measure(settings, instance, "nothing new")
                timed(settings, "discovery of a day", lambda: discover(database, TeamSettings(), DAY))
                timed(settings, "materialized partitions", lambda: instance.get_materialized_partitions(ASSET))
                one = partition_key(TeamDay(1, today))
                wanted = dg.AssetRecordsFilter(ASSET, asset_partitions=[one])
                timed(settings, "one partition's event", lambda: instance.fetch_materializations(wanted, limit=1))
                print(f"\nPeak memory: client {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MiB", end="")
                print(f", server {_peak_mb(settings):,} MiB")
                if chosen.pages:
                    from benchmarks.year_pages import measure_pages

                    measure_pages(home, today - timedelta(days=chosen.window - 1), str(one), run)
        finally:
            stop(settings.data_dir)
    return 0


def plant(database: Database, count: int, days: int) -> None:
    """A year of rows; texts are made of all events, and nothing is left to do."""
    for statement in (EVENTS, DECISIONS, CLUSTERINGS):
        database.execute(statement, teams=count, days=days, day=DAY)
    database.execute(PLANT_MADE)
    made = [TeamDay(team_id, DAY - timedelta(days=back)) for team_id in range(1, count + 1) for back in (0, 1)]
    record_texts_finished(database, TeamSettings(), made)


def timed(settings: Settings, name: str, work: Callable[[], object]) -> None:
    """Print what a piece of work costs, in the table of the ticks."""
    before = _spent(settings)
    work()
    wall, client, server = (after - then for after, then in zip(_spent(settings), before, strict=True))
    print(f"| nothing new | {name} | | | {wall:.2f} | {client:.2f} | {server:.2f} |", flush=True)


def _spent(settings: Settings) -> tuple[float, float, float]:
    fields, own = _process(settings, "stat").rsplit(")", 1)[1].split(), os.times()
    return time.perf_counter(), own.user + own.system, (int(fields[11]) + int(fields[12])) / TICKS


def _peak_mb(settings: Settings) -> int:
    (line,) = (each for each in _process(settings, "status").splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


def _process(settings: Settings, file: str) -> str:
    state = status(settings.data_dir)
    return Path(f"/proc/{state.pid if state else 0}/{file}").read_text()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
