"""Schedules and sensors: when what is run, and for which teams. Those of themes beyond the general ones are elsewhere.

Each asks for partitions explicitly, with run keys, only for teams with something to do. The product of teams and
days is never enumerated here. The jobs are in `jobs.py`, what is due in `due_days.py`, and the schedules that each
team gives its themes in `theme_schedules.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import dagster as dg

from llma_assets.clusters.stale_queries import STALE_RUNS
from llma_assets.discovery import why_left_out
from llma_assets.due_days import (
    LATE_DAYS,
    ONE_DAY,
    days_to_make,
    eligible_on,
    events_by_day,
    further_themes,
    general_themes,
    taking_part,
)
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.jobs import (
    CLUSTERS_STAGES,
    TEXTS_STAGES,
    clusters_job,
    discovery_job,
    general_request,
    tasks_job,
    texts_job,
    theme_job,
    theme_request,
)
from llma_assets.partitions import partition_key, teams
from llma_assets.resources import ClickHouseResource, Clock, EmbedderResource, TeamSettingsResource
from llma_assets.summaries import themes_to_look_at
from llma_assets.tasks import teams_with_new_segments
from llma_assets.team_day import TeamDay, midnight
from llma_assets.theme_schedules import theme_schedules
from llma_assets.themes import TRACES, stored_versions
from llma_assets.themes.store import TeamThemes, team_themes, themes_of_teams

MOST_REQUESTS = 500
"""Runs that a sensor asks for in one tick; the rest follows in the next ones."""

SETTLED = timedelta(minutes=15)
"""Vectors that are younger may belong to a run that is not over."""


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
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Texts, summaries and embeddings of today's events, of the general themes; in the first hour also the last of
    yesterday's.
    """
    now = context.scheduled_execution_time
    database = clickhouse.database().tagged(schedule="texts_hourly")
    days = [now.date() - ONE_DAY, now.date()] if now.hour == 0 else [now.date()]
    eligible = eligible_on(database, context.instance, team_settings.settings(), now.date())
    themes = themes_of_teams(database)
    requested = 0
    for team_day in sorted(events_by_day(database, days[0], now), key=str):
        if team_day.team_id in eligible and team_day.day in days:
            requested += 1
            run_key = f"{partition_key(team_day)}|{now:%Y-%m-%dT%H}"
            yield general_request(team_day, run_key, general_themes(themes, team_day.team_id), TEXTS_STAGES)
    if not requested:
        yield dg.SkipReason(f"{len(eligible)} eligible teams, none of them with events")


@dg.schedule(
    job=clusters_job,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def clusters_daily(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Clusters, labels and events of the general themes for the day that has just ended."""
    day = context.scheduled_execution_time.date() - ONE_DAY
    database = clickhouse.database().tagged(schedule="clusters_daily")
    eligible = eligible_on(database, context.instance, team_settings.settings(), day)
    themes = themes_of_teams(database)
    for team_id in sorted(eligible):
        team_day = TeamDay(team_id, day)
        if general := general_themes(themes, team_id):
            yield general_request(team_day, str(partition_key(team_day)), general, CLUSTERS_STAGES)
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


@dg.sensor(
    job=texts_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def late_events(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult | dg.SkipReason:
    """Days before today whose texts are not what their events are by now.

    History that was just ingested, late arrivals, traces that were not quiet when their day was last looked at, and
    traces that went on past midnight. What was made is compared with what is there, so a day whose texts are up to
    date is never asked for. The cursor holds what was asked for and is not made yet. The general themes are asked
    for; the others go back to a day by themselves once its texts were made anew (`theme_schedules`).
    """
    database = clickhouse.database().tagged(sensor="late_events")
    now = clock()
    eligible = taking_part(database, context.instance, team_settings.settings(), now.date())
    # Of a team that does not take part nothing is kept, so that its days are asked for once it does.
    due = {run_key: team_day for run_key, team_day in days_to_make(database, now).items() if team_day in eligible}
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    new = [run_key for run_key in due if run_key not in asked][:MOST_REQUESTS]
    if not new:
        return dg.SkipReason(f"no day before today has new events; {len(due)} were asked for and are not made yet")
    themes = themes_of_teams(database)
    requests = [
        general_request(due[run_key], run_key, general_themes(themes, due[run_key].team_id), TEXTS_STAGES)
        for run_key in new
    ]
    return dg.SensorResult(run_requests=requests, cursor=json.dumps([*asked.intersection(due), *new]))


@dg.sensor(
    jobs=[texts_job, theme_job],
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def open_batches(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Days that wait for answers of the Batch API: a run takes those that are there, and asks anew for what expired.

    The general themes of a day are looked at in one run, every other theme in its own. Answers that were asked for
    are taken also where the theme has become a manual one; a theme that was switched off is left alone, and so are the
    batches of a team that takes no part any more.
    """
    now = clock()
    database = clickhouse.database().tagged(sensor="open_batches")
    found = themes_to_look_at(database)
    oldest = min((team_day.day for team_day, _ in found), default=now.date())
    eligible = taking_part(database, context.instance, team_settings.settings(), now.date(), oldest)
    mark = f"batches|{now:%Y-%m-%dT%H:%M}"
    waiting = {each: mark for each in found if each[0] in eligible}
    themes = themes_of_teams(database) if waiting else {}
    requests = _requests_by_lane(waiting, themes, TEXTS_STAGES, job=texts_job.name, by_batch=True)
    yield from requests.values()
    if not requests:
        yield dg.SkipReason("no batch is open")


@dg.sensor(
    jobs=[clusters_job, theme_job],
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def stale_clusters(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult | dg.SkipReason:
    """Published clusters of days before today in whose window a summary was embedded anew since.

    A team waits while texts of its days are still to be made, or were made just now, so that it is clustered once.
    Only the themes that are stale are asked for, and of those no manual ones. Clusters under an earlier version of the
    theme are history, which stays as it is.
    """
    now = clock()
    database = clickhouse.database().tagged(sensor="stale_clusters")
    eligible = taking_part(database, context.instance, team_settings.settings(), now.date())
    busy = {team_day.team_id for team_day in days_to_make(database, now).values() if team_day in eligible}
    since = now.date() - timedelta(days=LATE_DAYS)
    rows = database.rows(
        STALE_RUNS,
        since=since,
        today=now.date(),
        oldest=midnight(since - timedelta(days=LATE_DAYS)),
        product=PRODUCT,
        rendering_prefix=TRACES.rendering.removesuffix(TRACES.theme_id),
    )
    themes = themes_of_teams(database) if rows else {}
    found = {
        (TeamDay(row["team_id"], row["day"]), row["theme_id"]): str(row["newest"])
        for row in rows
        if row["newest"] <= now - SETTLED
        and TeamDay(row["team_id"], row["day"]) in eligible
        and row["team_id"] not in busy
        and _is_of_this_version(row, themes)
    }
    stale = _requests_by_lane(found, themes, CLUSTERS_STAGES, job=clusters_job.name, leave_manual=True)
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    new = [run_key for run_key in stale if run_key not in asked][:MOST_REQUESTS]
    if not new:
        return dg.SkipReason(f"{len(stale)} days have clusters that are older than their items; all were asked for")
    return dg.SensorResult(
        run_requests=[stale[run_key] for run_key in new],
        cursor=json.dumps([*asked.intersection(stale), *new]),
    )


def _is_of_this_version(row: Mapping[str, Any], themes: Mapping[int, TeamThemes]) -> bool:
    """Whether stored clusters are those of the theme as the team has it now."""
    team = themes.get(row["team_id"]) or team_themes(row["team_id"], ())
    return any(
        theme.theme_id == row["theme_id"] and row["theme_version"] in stored_versions(theme) for theme in team.themes
    )


def _requests_by_lane(
    found: Mapping[tuple[TeamDay, str], str],
    themes: Mapping[int, TeamThemes],
    stages: Sequence[str],
    *,
    job: str,
    by_batch: bool = False,
    leave_manual: bool = False,
) -> dict[str, dg.RunRequest]:
    """Runs by run key: one for the general themes of a team's day, one for each other theme that is switched on.

    Args:
        found: by team's day and theme what makes the request a new one.
        themes: of the teams that changed something.
        stages: what the runs make.
        job: of the general themes; the others are run by `theme_job`.
        by_batch: ask for summaries by the Batch API.
        leave_manual: leave out what people run by hand only.
    """
    requests = {}
    for team_day, of_day in groupby(found, key=itemgetter(0)):
        theme_ids = {theme_id for _, theme_id in of_day}
        general = [each for each in general_themes(themes, team_day.team_id) if each in theme_ids]
        if general:
            run_key = f"{partition_key(team_day)}|{max(found[team_day, each] for each in general)}"
            requests[run_key] = general_request(team_day, run_key, general, stages, job=job, by_batch=by_batch)
        for theme in further_themes(themes, team_day.team_id):
            if theme.theme_id in theme_ids and not (leave_manual and theme.schedule == "manual"):
                run_key = f"{partition_key(team_day)}|{theme.theme_id}|{found[team_day, theme.theme_id]}"
                requests[run_key] = theme_request(
                    team_day, team_day, theme.theme_id, run_key, stages=stages, by_batch=by_batch
                )
    return requests


schedules = [discovery_hourly, texts_hourly, clusters_daily, tasks_half_hourly]
sensors = [late_events, open_batches, stale_clusters, theme_schedules]
