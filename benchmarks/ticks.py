"""What a tick costs where there are many teams: `python -m benchmarks.ticks [--teams 1000] [--new 300] [--days 31]`.

Rows of teams that take part, with events of `--days` days, texts made of all of them, and nothing left to do; then some
teams get new events today, and others late ones of yesterday. Each schedule and sensor is evaluated as the daemon does,
in this process: wall time, CPU of client and server, and how many runs it asks for. Markdown on stdout.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database, connect, start, status, stop
from llma_assets.definitions import build_definitions
from llma_assets.defs.due_days import events_by_day
from llma_assets.defs.due_texts import record_texts_finished
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.partitions import teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.schedules import clusters_daily, texts_hourly
from llma_assets.defs.sensors import late_events, stale_clusters
from llma_assets.defs.sensors.theme_schedules import theme_schedules
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings

DAY = date(2026, 11, 7)
NOW = datetime(2026, 11, 7, 12, tzinfo=UTC)
TICKS = os.sysconf("SC_CLK_TCK")

PLANT_EVENTS = """
INSERT INTO events (uuid, event, team_id, distinct_id, timestamp, properties)
SELECT generateUUIDv4(), '$ai_generation', 1 + number % {teams:UInt32}, 'user',
    toDateTime64({day:Date}, 6, 'UTC') + toIntervalSecond(3600 + intDiv(number, {teams:UInt32})),
    concat('{"$ai_trace_id":"', toString(number), '","$ai_input":"x"}')
FROM numbers({teams:UInt32} * {a_team:UInt32})
"""
PLANT_MADE = """
INSERT INTO texts_made (team_id, day, events)
SELECT team_id, toDate(timestamp), uniqExact(uuid) FROM events GROUP BY 1, 2
"""
PLANT_TEAMS = """
INSERT INTO eligible_teams (team_id, day, eligible, window_start, window_end, events)
SELECT 1 + number, {day:Date}, true, toDateTime({day:Date}) - toIntervalDay(6),
    toDateTime({day:Date}) + toIntervalDay(1), 210
FROM numbers({teams:UInt32})
"""


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=1000)
    parser.add_argument("--new", type=int, default=300)
    parser.add_argument("--days", type=int, default=31)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        os.environ |= {"LLMA_DATA_DIR": folder, "DAGSTER_HOME": "", "CLICKHOUSE_URL": "", "OPENAI_BASE_URL": ""}
        settings = Settings.from_env()
        start(settings.data_dir)
        try:
            with connect(settings) as database, opened_instance(settings) as instance:
                plant(database, instance, chosen.teams, chosen.days)
                print(f"# Ticks of {chosen.teams:,} teams of {chosen.days} days, {chosen.new} with new events\n")
                print("| when | tick | runs | partitions | wall s | client s | server s |")
                print("|---|---|---:|---:|---:|---:|---:|")
                measure(settings, instance, "nothing new")
                for day in (DAY, DAY - timedelta(days=1)):
                    database.execute(PLANT_EVENTS, teams=chosen.new, day=day, a_team=2)
                measure(settings, instance, "new events")
        finally:
            stop(settings.data_dir)
    return 0


def plant(database: Database, instance: dg.DagsterInstance, count: int, days: int) -> None:
    """Teams with 30 events a day, all of which texts were made of, and nothing left to do."""
    for back in range(days):
        database.execute(PLANT_EVENTS, teams=count, day=DAY - timedelta(days=back), a_team=30)
        database.execute(PLANT_TEAMS, teams=count, day=DAY - timedelta(days=back))
    database.execute(PLANT_MADE)
    made = [TeamDay(team_id, DAY - timedelta(days=back)) for team_id in range(1, count + 1) for back in (0, 1)]
    record_texts_finished(database, TeamSettings(), made)
    instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in range(1, count + 1)])
    assert len(events_by_day(database, DAY - timedelta(days=days), NOW)) == count * days


def measure(settings: Settings, instance: dg.DagsterInstance, when: str) -> None:
    """Evaluate each schedule and sensor, and print what it costs."""
    resources: dict[str, Any] = {"clickhouse": ClickHouseResource(), "team_settings": TeamSettingsResource()}
    repository = build_definitions().get_repository_def()
    state = status(settings.data_dir)
    server = Path(f"/proc/{state.pid if state else 0}/stat")

    def spent() -> tuple[float, float, float]:
        fields, own = server.read_text().rsplit(")", 1)[1].split(), os.times()
        return time.perf_counter(), own.user + own.system, (int(fields[11]) + int(fields[12])) / TICKS

    for tick in (texts_hourly, late_events, clusters_daily, stale_clusters, theme_schedules):
        before = spent()
        if isinstance(tick, dg.ScheduleDefinition):
            with dg.build_schedule_context(
                instance=instance, scheduled_execution_time=NOW, repository_def=repository, resources=resources
            ) as at:
                requests = list(tick.evaluate_tick(at).run_requests or [])
        else:
            with dg.build_sensor_context(instance=instance) as sensed:
                found = tick(sensed, **resources, clock=lambda: NOW)
                requests = list(found.run_requests or []) if isinstance(found, dg.SensorResult) else []
        wall, client, of_server = (after - then for after, then in zip(spent(), before, strict=True))
        keys = sum(
            len(dict(each.run_config)["ops"].get("shard", {}).get("config", {}).get("partitions", ()))
            for each in requests
        )
        print(
            f"| {when} | {tick.name} | {len(requests)} | {keys} | {wall:.2f} | {client:.2f} | {of_server:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
