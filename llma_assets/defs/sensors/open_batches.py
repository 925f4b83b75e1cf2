"""The sensor `open_batches`: requests runs of days that wait for answers of the Batch API."""

from collections.abc import Iterator

import dagster as dg

from llma_assets.clock import Clock
from llma_assets.defs.described import described
from llma_assets.defs.due_days import taking_part
from llma_assets.defs.jobs import TEXTS_STAGES, texts_job, theme_job
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.sensors.requests import requests_by_run_key
from llma_assets.summaries import themes_with_open_batches
from llma_assets.themes import themes_of_teams


@described(
    dg.sensor,
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
    """Every half hour: reads the answers of the Batch API, and asks again for what expired.

    Needed only where runs ask by batch (`via: batch`, `llma run --batch`).

    The general themes of a day share one run, every other theme has its own. A theme that has become manual still gets
    the answers that it asked for; themes that were switched off, and teams that no longer take part, are left alone.
    """
    now = clock()
    database = clickhouse.database().tagged(sensor="open_batches")
    found = themes_with_open_batches(database)
    oldest = min((team_day.day for team_day, _ in found), default=now.date())
    eligible = taking_part(database, context.instance, team_settings.settings(), now.date(), oldest)
    mark = f"batches|{now:%Y-%m-%dT%H:%M}"
    waiting = {each: mark for each in found if each[0] in eligible}
    themes = themes_of_teams(database) if waiting else {}
    requests = requests_by_run_key(waiting, themes, TEXTS_STAGES, job=texts_job.name, by_batch=True)
    yield from requests.values()
    if not requests:
        yield dg.SkipReason("no batch is open")
