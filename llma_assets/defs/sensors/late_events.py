"""The sensor `late_events`: requests runs of earlier days whose events have changed since their texts were made."""

import json

import dagster as dg

from llma_assets.clock import Clock
from llma_assets.defs.described import described
from llma_assets.defs.due_days import days_to_make, taking_part
from llma_assets.defs.jobs import TEXTS_STAGES
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.sensors.requests import MOST_PARTITIONS
from llma_assets.defs.shard_job import shard_job
from llma_assets.defs.shard_requests import Wanted, shard_requests
from llma_assets.settings import Settings


@described(
    dg.sensor,
    job=shard_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def late_events(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult | dg.SkipReason:
    """Every 5 minutes: texts, summaries and embeddings of days before today whose events have changed.

    Use it with `texts_hourly`; it works for the teams that `discovery_hourly` found eligible. It finds newly ingested
    history, late events, traces that were still active at the last run of their day, and traces that continued past
    midnight. It compares events with texts, so it never requests a day that is up to date. The cursor holds requests
    that are not done yet. It requests runs of the general themes; other themes return to a day when its texts are new
    (`theme_schedules`).
    """
    database = clickhouse.database().tagged(sensor="late_events")
    now = clock()
    eligible = taking_part(database, context.instance, team_settings.settings(), now.date())
    # Days of teams that do not take part are not remembered, so that they are requested once the team does.
    due = {run_key: team_day for run_key, team_day in days_to_make(database, now).items() if team_day in eligible}
    asked = set(json.loads(context.cursor)) if context.cursor else set()
    new = [run_key for run_key in due if run_key not in asked][:MOST_PARTITIONS]
    if not new:
        return dg.SkipReason(f"no day before today has new events; {len(due)} requested days are not done yet")
    wanted = [Wanted(due[run_key], run_key, int(run_key.split("|")[2])) for run_key in new]
    requests = shard_requests(wanted, TEXTS_STAGES, Settings.from_env())
    return dg.SensorResult(run_requests=requests, cursor=json.dumps([*asked.intersection(due), *new]))
