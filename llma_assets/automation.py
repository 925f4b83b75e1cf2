"""Jobs, schedules and the sensor: when what is run, and for which teams.

Each asks for partitions explicitly, with run keys, only for teams with something to do. The product of teams and
days is never enumerated here.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.clusters.stale_queries import STALE_RUNS
from llma_assets.discovery import TRIGGER_EVENTS, stored_decisions
from llma_assets.discovery.queries import EVENTS_BY_TEAM_AND_DAY
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.partitions import partition_key, teams
from llma_assets.rendering.queries import MADE_SINCE
from llma_assets.resources import ClickHouseResource, Clock, EmbedderResource, TeamSettingsResource
from llma_assets.summaries import team_days_to_look_at
from llma_assets.tasks import teams_with_new_segments
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import TRACES

LATE_DAYS = 31
"""The sensor sees events that arrive for days so far back; older ones are materialized by hand."""

MOST_REQUESTS = 500
"""Runs that the sensor asks for in one tick; the rest follows in the next ones."""

SETTLED = timedelta(minutes=15)
"""Vectors that are younger may belong to a run that is not over."""

ONE_DAY = timedelta(days=1)

BY_BATCH = {"ops": {"trace_summaries": {"config": {"via": "batch"}}}}
"""The run configuration of `texts_job` that asks for summaries by the Batch API."""

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
tasks_job = dg.define_asset_job(
    "tasks_job",
    selection=["segment_clusters", "tasks"],
    description="From a team's new session-replay segments to its prioritised tasks.",
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


@dg.schedule(
    job=tasks_job,
    cron_schedule="*/30 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def tasks_half_hourly(
    context: dg.ScheduleEvaluationContext,
    clickhouse: ClickHouseResource,
    embedder: EmbedderResource,
    team_settings: TeamSettingsResource,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Tasks of teams that have `session_replay_tasks` on, where new segments have come."""
    now = context.scheduled_execution_time
    database = clickhouse.database().tagged(schedule="tasks_half_hourly")
    found = teams_with_new_segments(database, model_name=embedder.model().name, now=now)
    due = sorted(set(found).intersection(team_settings.settings().teams_with_replay_tasks(found)))
    context.instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in due])
    for team_id in due:
        yield dg.RunRequest(run_key=f"{team_id}|{now:%Y-%m-%dT%H:%M}", partition_key=str(team_id))
    if not due:
        yield dg.SkipReason(f"{len(found)} teams have new segments, none of them has session_replay_tasks on")


@dg.sensor(
    job=texts_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def late_events(
    context: dg.SensorEvaluationContext, clickhouse: ClickHouseResource, clock: dg.ResourceParam[Clock]
) -> dg.SensorResult | dg.SkipReason:
    """Days before today whose texts are not what their events are by now.

    History that was just ingested, late arrivals, traces that were not quiet when their day was last looked at, and
    traces that went on past midnight. What was made is compared with what is there, so a day whose texts are up to
    date is never asked for. The cursor holds what was asked for and is not made yet.
    """
    due = _due(clickhouse.database().tagged(sensor="late_events"), clock())
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    # Of a team that discovery has not seen yet nothing is kept, so that its days are asked for once it has.
    due = {run_key: team_day for run_key, team_day in due.items() if str(team_day.team_id) in known}
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    new = [run_key for run_key in due if run_key not in asked][:MOST_REQUESTS]
    if not new:
        return dg.SkipReason(f"no day before today has new events; {len(due)} were asked for and are not made yet")
    return dg.SensorResult(
        run_requests=[_request(due[run_key], run_key=run_key) for run_key in new],
        cursor=json.dumps([*asked.intersection(due), *new]),
    )


@dg.sensor(
    job=texts_job,
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def open_batches(
    context: dg.SensorEvaluationContext, clickhouse: ClickHouseResource, clock: dg.ResourceParam[Clock]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Days that wait for answers of the Batch API: a run takes those that are there, and asks anew for what expired."""
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    waiting = team_days_to_look_at(clickhouse.database().tagged(sensor="open_batches"))
    asked = [team_day for team_day in waiting if str(team_day.team_id) in known]
    for team_day in asked:
        yield dg.RunRequest(
            run_key=f"{partition_key(team_day)}|batches|{clock():%Y-%m-%dT%H:%M}",
            partition_key=partition_key(team_day),
            run_config=BY_BATCH,
        )
    if not asked:
        yield dg.SkipReason("no batch is open")


@dg.sensor(
    job=clusters_job,
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def stale_clusters(
    context: dg.SensorEvaluationContext, clickhouse: ClickHouseResource, clock: dg.ResourceParam[Clock]
) -> dg.SensorResult | dg.SkipReason:
    """Published clusters of days before today in whose window a summary was embedded anew since.

    A team waits while texts of its days are still to be made, or were made just now, so that it is clustered once.
    """
    now = clock()
    database = clickhouse.database().tagged(sensor="stale_clusters")
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    busy = {team_day.team_id for team_day in _due(database, now).values()}
    since = now.date() - timedelta(days=LATE_DAYS)
    stale = {
        f"{partition_key(team_day)}|{row['newest']}": team_day
        for row in database.rows(
            STALE_RUNS,
            since=since,
            today=now.date(),
            oldest=midnight(since - timedelta(days=LATE_DAYS)),
            product=PRODUCT,
            rendering_prefix=TRACES.rendering.removesuffix(TRACES.theme_id),
        )
        if row["newest"] <= now - SETTLED
        and str((team_day := TeamDay(row["team_id"], row["day"])).team_id) in known
        and team_day.team_id not in busy
    }
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    new = [run_key for run_key in stale if run_key not in asked][:MOST_REQUESTS]
    if not new:
        return dg.SkipReason(f"{len(stale)} days have clusters that are older than their items; all were asked for")
    return dg.SensorResult(
        run_requests=[_request(stale[run_key], run_key=run_key) for run_key in new],
        cursor=json.dumps([*asked.intersection(stale), *new]),
    )


def _due(database: Database, now: datetime) -> dict[str, TeamDay]:
    """The days before today whose texts are to be made, newest first, by what made them due."""
    since = now.date() - timedelta(days=LATE_DAYS)
    made = {TeamDay(row["team_id"], row["day"]): row for row in database.rows(MADE_SINCE, since=since)}
    due = {}
    for team_day, count in sorted(_counts(database, since, now).items(), key=lambda pair: pair[0].day, reverse=True):
        row = made.get(team_day, {"events": 0, "waits_until": None})
        waits_until = row["waits_until"] if row["waits_until"] is not None and row["waits_until"] <= now else None
        if team_day.day < now.date() and (row["events"] != count or waits_until):
            due[f"{partition_key(team_day)}|{count}|{waits_until or ''}"] = team_day
    return due


def _counts(database: Database, since: date, now: datetime) -> dict[TeamDay, int]:
    """Trigger events by team and day since a day: one GROUP BY."""
    rows = database.rows(
        EVENTS_BY_TEAM_AND_DAY,
        start=midnight(since),
        end=now,
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


jobs = [discovery_job, texts_job, clusters_job, team_day_job, tasks_job]
schedules = [discovery_hourly, texts_hourly, clusters_daily, tasks_half_hourly]
sensors = [late_events, open_batches, stale_clusters]
