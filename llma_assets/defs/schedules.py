"""Schedules: what is run at which hour, and for which teams.

Each asks for partitions explicitly, with run keys, only for teams with something to do. The product of teams and days
is never enumerated here. The jobs are in `jobs.py`, what is due in `due_days.py`.
"""

from collections.abc import Iterator

import dagster as dg

from llma_assets.defs.described import described
from llma_assets.defs.due_days import ONE_DAY, decisions_on, eligible_on, events_by_day, general_themes
from llma_assets.defs.due_texts import texts_due
from llma_assets.defs.jobs import (
    CLUSTERS_STAGES,
    TEXTS_STAGES,
    discovery_job,
    tasks_job,
)
from llma_assets.defs.partitions import partition_key, teams
from llma_assets.defs.resources import ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.defs.shard_job import shard_job
from llma_assets.defs.shard_requests import Wanted, shard_requests
from llma_assets.settings import Settings
from llma_assets.tasks import teams_with_new_segments
from llma_assets.team_day import TeamDay
from llma_assets.teams import why_left_out
from llma_assets.themes import themes_of_teams


@described(
    dg.schedule,
    job=discovery_job,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def discovery_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Every hour: decides which teams take part today.

    Switch it on first: all others work only for the teams that it finds eligible.
    """
    now = context.scheduled_execution_time
    return dg.RunRequest(run_key=f"{now:%Y-%m-%dT%H}", partition_key=f"{now:%Y-%m-%d}")


@described(
    dg.schedule,
    job=shard_job,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def texts_hourly(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every hour: texts, summaries and embeddings of today's events, of the general themes.

    In the first hour of a day also of yesterday's last events. It works for the teams that `discovery_hourly` found
    eligible, in shards. A team whose events are those that its texts were made of, with nothing left to do, is not
    worked on. `late_events` handles later events, `theme_schedules` the other themes.
    """
    now = context.scheduled_execution_time
    database = clickhouse.database().tagged(schedule="texts_hourly")
    days = [now.date() - ONE_DAY, now.date()] if now.hour == 0 else [now.date()]
    settings = team_settings.settings()
    eligible = eligible_on(database, context.instance, settings, now.date())
    found = {
        team_day: events
        for team_day, events in sorted(events_by_day(database, days[0], now).items(), key=lambda pair: str(pair[0]))
        if team_day.team_id in eligible and team_day.day in days
    }
    due = texts_due(database, settings, found, now)
    wanted = [Wanted(each, f"{partition_key(each)}|{now:%Y-%m-%dT%H}", events) for each, events in due.items()]
    yield from shard_requests(wanted, TEXTS_STAGES, Settings.from_env())
    if not due:
        told = f"{len(found)} have events, and nothing new" if found else "none of them with events"
        yield dg.SkipReason(f"{len(eligible)} eligible teams, {told}")


@described(
    dg.schedule,
    job=shard_job,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def clusters_daily(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every night at 01:30 UTC: clusters, their names and events, of the general themes, for the day that has ended.

    It needs the summaries that `texts_hourly` makes. `stale_clusters` repeats it for days whose summaries change later.
    """
    day = context.scheduled_execution_time.date() - ONE_DAY
    database = clickhouse.database().tagged(schedule="clusters_daily")
    eligible = eligible_on(database, context.instance, team_settings.settings(), day)
    themes = themes_of_teams(database)
    sizes = {each.team_id: each.events for each in decisions_on(database, day)}
    days = [TeamDay(team_id, day) for team_id in sorted(eligible) if general_themes(themes, team_id)]
    wanted = [Wanted(each, str(partition_key(each)), sizes.get(each.team_id, 0)) for each in days]
    yield from shard_requests(wanted, CLUSTERS_STAGES, Settings.from_env())
    if not eligible:
        yield dg.SkipReason(f"no team is eligible on {day}")


@described(
    dg.schedule,
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
    """Every half hour: tasks of teams that have `session_replay_tasks` on, where new segments have come.

    It depends on no other schedule or sensor.
    """
    now = context.scheduled_execution_time
    database = clickhouse.database().tagged(schedule="tasks_half_hourly")
    settings = team_settings.settings()
    found = teams_with_new_segments(database, model_name=embedder.model().name, now=now)
    due = [
        team_id
        for team_id in settings.teams_with_replay_tasks(found)
        if team_id in found and why_left_out(settings, team_id) is None
    ]
    context.instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in due])
    for team_id in due:
        yield dg.RunRequest(run_key=f"{team_id}|{now:%Y-%m-%dT%H:%M}", partition_key=str(team_id))
    if not due:
        yield dg.SkipReason(f"{len(found)} teams have new segments, none of them has session_replay_tasks on")


schedules = [discovery_hourly, texts_hourly, clusters_daily, tasks_half_hourly]
