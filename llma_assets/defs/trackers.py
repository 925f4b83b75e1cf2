"""The asset `trackers`, its job and its schedule."""

from collections.abc import Iterator

import dagster as dg

from llma_assets.defs.described import described
from llma_assets.defs.partitions import teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.stage_asset import StageConfig, stage_asset
from llma_assets.stage import Report, StageContext
from llma_assets.tasks import TaskOptions
from llma_assets.teams import why_left_out
from llma_assets.trackers import TRACKERS_VERSION, sync_team, teams_to_sync


@stage_asset(
    deps=["alerts", "tasks"],
    group="alerts",
    kinds={"clickhouse"},
    pool="clickhouse",
    table="tracker_link_states",
    code_version=TRACKERS_VERSION,
    config=StageConfig,
    by_team=True,
    partitions_a_run=1,
)
def trackers(ctx: StageContext) -> Report:
    """Issues of a team's tasks and clusters in GitHub and Linear, with states both ways."""
    return sync_team(ctx.database, ctx.partition.team_id, clock=ctx.clock, options=TaskOptions.of_team(ctx.team))


trackers_job = dg.define_asset_job(
    "trackers_job",
    selection=["trackers"],
    description="Opens issues that a team's rules ask for, and carries states between them and tasks or clusters.",
)


@described(
    dg.schedule,
    job=trackers_job,
    cron_schedule="5-59/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def trackers_every_10_minutes(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every ten minutes: opens and compares issues of teams that have a tracker with a rule or an issue.

    For all others it costs nothing.
    """
    now = context.scheduled_execution_time
    settings = team_settings.settings()
    found = teams_to_sync(clickhouse.database().tagged(schedule="trackers_every_10_minutes"))
    due = [team_id for team_id in found if why_left_out(settings, team_id) is None]
    context.instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in due])
    for team_id in due:
        yield dg.RunRequest(run_key=f"{team_id}|{now:%Y-%m-%dT%H:%M}", partition_key=str(team_id))
    if not due:
        yield dg.SkipReason("no team has a tracker with a rule or an issue")
