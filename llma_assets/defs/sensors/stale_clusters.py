"""The sensor `stale_clusters`: requests clustering of days whose items have changed since."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from llma_assets.clock import Clock
from llma_assets.clusters import STALE_RUNS
from llma_assets.defs.described import described
from llma_assets.defs.due_days import (
    LATE_DAYS,
    days_to_make,
    taking_part,
)
from llma_assets.defs.jobs import (
    CLUSTERS_STAGES,
    clusters_job,
    theme_job,
)
from llma_assets.defs.partitions import team_day
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.sensors.requests import MOST_PARTITIONS, requests_by_run_key
from llma_assets.defs.shard_job import shard_job
from llma_assets.defs.shard_requests import Wanted, shard_requests
from llma_assets.embeddings import PRODUCT
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import TRACES, TeamThemes, stored_versions, team_themes, themes_of_teams

SETTLED = timedelta(minutes=15)
"""Newer vectors may belong to an active run."""


@described(
    dg.sensor,
    jobs=[shard_job, theme_job],
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def stale_clusters(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult | dg.SkipReason:
    """Every 15 minutes: clusters days before today again if their summaries have changed.

    Use it with `late_events`, which makes such summaries.

    A team waits while texts of its days are due or new, so that it is clustered only once. Only stale themes run, and
    no manual ones. Clusters of an earlier version of a theme are history and stay as they are.
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
    stale = requests_by_run_key(found, themes, CLUSTERS_STAGES, job=clusters_job.name, leave_manual=True)
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    # In the order of their days, so that lineages go on from one to the next.
    new = [run_key for run_key in sorted(stale) if run_key not in asked][:MOST_PARTITIONS]
    if not new:
        return dg.SkipReason(
            f"{len(stale)} days have clusters that are older than their items; all are requested already"
        )
    further = [stale[run_key] for run_key in new if stale[run_key].job_name == theme_job.name]
    general = [
        Wanted(team_day(stale[run_key].partition_key or ""), run_key, theme_ids=_themes_of(stale[run_key]))
        for run_key in new
        if stale[run_key].job_name != theme_job.name
    ]
    return dg.SensorResult(
        run_requests=[*shard_requests(general, CLUSTERS_STAGES, Settings.from_env(), job=shard_job.name), *further],
        cursor=json.dumps([*asked.intersection(stale), *new]),
    )


def _themes_of(request: dg.RunRequest) -> tuple[str, ...]:
    return tuple(request.run_config["ops"][CLUSTERS_STAGES[0]]["config"]["themes"])


def _is_of_this_version(row: Mapping[str, Any], themes: Mapping[int, TeamThemes]) -> bool:
    """Whether stored clusters are of the present version of the theme."""
    team = themes.get(row["team_id"]) or team_themes(row["team_id"], ())
    return any(
        theme.theme_id == row["theme_id"] and row["theme_version"] in stored_versions(theme) for theme in team.themes
    )
