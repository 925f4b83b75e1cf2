"""The sensor `late_events`: days before today whose texts are not what their events are by now."""

import json

import dagster as dg

from llma_assets.clock import Clock
from llma_assets.defs.described import described
from llma_assets.defs.due_days import (
    days_to_make,
    general_themes,
    taking_part,
)
from llma_assets.defs.jobs import (
    TEXTS_STAGES,
    general_request,
    texts_job,
)
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.sensors.requests import MOST_REQUESTS
from llma_assets.themes import themes_of_teams


@described(
    dg.sensor,
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
    """Every 5 minutes: texts, summaries and embeddings of days before today whose events have changed.

    Belongs beside `texts_hourly`, and works for the teams that `discovery_hourly` let in. It finds history that was
    just ingested, late arrivals, traces that were not quiet when their day was last looked at, and traces that went on
    past midnight. What was made is compared with what is there, so a day whose texts are up to date is never asked
    for. The cursor holds what was asked for and is not made yet. The general themes are asked for; the others go back
    to a day by themselves once its texts were made anew (`theme_schedules`).
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
