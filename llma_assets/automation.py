"""Jobs, schedules and the sensor: when what is run, and for which teams.

Each asks for partitions explicitly, with run keys, only for teams with something to do. The product of teams and
days is never enumerated here.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.discovery import TRIGGER_EVENTS, stored_decisions
from llma_assets.discovery.queries import EVENTS_BY_TEAM_AND_DAY
from llma_assets.partitions import partition_key, teams
from llma_assets.rendering.queries import QUIET
from llma_assets.resources import ClickHouseResource, Clock
from llma_assets.team_day import TeamDay, midnight

LATE_DAYS = 31
"""The sensor sees events that arrive for days so far back; older ones are materialized by hand."""

ONE_DAY = timedelta(days=1)

discovery_job = dg.define_asset_job(
    "discovery_job",
    selection=["eligible_teams"],
    description="Who takes part on a day.",
)
texts_job = dg.define_asset_job(
    "texts_job",
    selection=["trace_texts", "trace_summaries", "summary_embeddings"],
    description="From a team's events of a day to embedded summaries. Takes a range of partitions, too.",
)
clusters_job = dg.define_asset_job(
    "clusters_job",
    selection=["cluster_assignments", "cluster_labels", "cluster_events"],
    description="From the embeddings of a team's last days to published clusters. Takes a range of partitions, too.",
)
team_day_job = dg.define_asset_job(
    "team_day_job",
    selection=[
        "trace_texts",
        "trace_summaries",
        "summary_embeddings",
        "cluster_assignments",
        "cluster_labels",
        "cluster_events",
    ],
    description="The whole path of a team's day, for backfills by hand.",
)


@dg.schedule(
    job=discovery_job,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def discovery_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Decides anew, every hour, who takes part today."""
    now = context.scheduled_execution_time
    return dg.RunRequest(run_key=f"{now:%Y-%m-%dT%H}", partition_key=f"{now:%Y-%m-%d}")


@dg.schedule(
    job=texts_job,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def texts_hourly(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Texts, summaries and embeddings of today's events; in the first hour also the last of yesterday's."""
    now = context.scheduled_execution_time
    database = clickhouse.database().tagged(schedule="texts_hourly")
    days = [now.date() - ONE_DAY, now.date()] if now.hour == 0 else [now.date()]
    eligible = _eligible(database, context.instance, now.date())
    requested = 0
    for team_day in sorted(_counts(database, days[0], now), key=str):
        if team_day.team_id in eligible and team_day.day in days:
            requested += 1
            yield _request(team_day, run_key=f"{partition_key(team_day)}|{now:%Y-%m-%dT%H}")
    if not requested:
        yield dg.SkipReason(f"{len(eligible)} eligible teams, none of them with events")


@dg.schedule(
    job=clusters_job,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def clusters_daily(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Clusters, labels and events of the day that has just ended."""
    day = context.scheduled_execution_time.date() - ONE_DAY
    eligible = _eligible(clickhouse.database().tagged(schedule="clusters_daily"), context.instance, day)
    for team_id in sorted(eligible):
        team_day = TeamDay(team_id, day)
        yield _request(team_day, run_key=str(partition_key(team_day)))
    if not eligible:
        yield dg.SkipReason(f"no team is eligible on {day}")


@dg.sensor(
    job=texts_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def late_events(
    context: dg.SensorEvaluationContext, clickhouse: ClickHouseResource, clock: dg.ResourceParam[Clock]
) -> dg.SensorResult | dg.SkipReason:
    """New events of days before today: late arrivals, and history that was just ingested.

    The cursor holds the number of events of each team and day, so a day is asked for when its number has changed.
    """
    now = clock()
    today = now.date()
    seen = json.loads(context.cursor) if context.cursor else {}
    database = clickhouse.database().tagged(sensor="late_events")
    counts = {
        str(partition_key(team_day)): (team_day, count)
        for team_day, count in _counts(database, today - timedelta(days=LATE_DAYS), now).items()
        if team_day.day < today
    }
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    changed = {
        key: (team_day, count)
        for key, (team_day, count) in counts.items()
        if seen.get(key) != count and str(team_day.team_id) in known
    }
    # A team that discovery has not seen yet keeps no count, so that its days are asked for once it has.
    cursor = {key: count for key, (team_day, count) in counts.items() if str(team_day.team_id) in known}
    if not changed:
        return dg.SkipReason(f"{len(counts)} team-days before today, none has new events")
    return dg.SensorResult(
        run_requests=[_request(team_day, run_key=f"{key}|{count}") for key, (team_day, count) in changed.items()],
        cursor=json.dumps(cursor),
    )


def _counts(database: Database, since: date, now: datetime) -> dict[TeamDay, int]:
    """Trigger events by team and day since a day, up to those that are not quiet yet: one GROUP BY."""
    rows = database.rows(
        EVENTS_BY_TEAM_AND_DAY,
        start=midnight(since),
        end=now - QUIET,
        trigger_events=list(TRIGGER_EVENTS),
    )
    return {TeamDay(row["team_id"], row["day"]): row["events"] for row in rows}


def _eligible(database: Database, instance: dg.DagsterInstance, day: date) -> set[int]:
    """The teams that discovery let in on a day, or the day before where it has not decided yet."""
    known = set(instance.get_dynamic_partitions(str(teams.name)))
    decisions = stored_decisions(database, day) or stored_decisions(database, day - ONE_DAY)
    return {decision.team_id for decision in decisions if decision.eligible and str(decision.team_id) in known}


def _request(team_day: TeamDay, *, run_key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=run_key, partition_key=partition_key(team_day))


jobs = [discovery_job, texts_job, clusters_job, team_day_job]
schedules = [discovery_hourly, texts_hourly, clusters_daily]
sensors = [late_events]
