"""The asset `alerts`, its job and its schedule."""

from collections.abc import Iterator

import dagster as dg

from llma_assets.alerts import ALERTS_VERSION, alert_team_day, due_days
from llma_assets.defs.described import described
from llma_assets.defs.partitions import partition_key, teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.stage_asset import StageConfig, stage_asset
from llma_assets.stage import Report, StageContext
from llma_assets.teams import why_left_out


@stage_asset(
    deps=["cluster_events"],
    group="alerts",
    kinds={"clickhouse"},
    pool="clickhouse",
    table="alert_decisions",
    code_version=ALERTS_VERSION,
    config=StageConfig,
)
def alerts(ctx: StageContext) -> Report:
    """What a team's alert rules decided about a day, and the messages that follow."""
    return alert_team_day(
        ctx.database,
        ctx.partition,
        clock=ctx.clock,
        budget_usd=ctx.team.daily_budget_usd,
        release_property=ctx.team.release_property,
    )


alerts_job = dg.define_asset_job(
    "alerts_job",
    selection=["alerts"],
    description="Judges a team's day by its alert rules, and sends what is due.",
)


@described(
    dg.schedule,
    job=alerts_job,
    cron_schedule="*/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def alerts_every_10_minutes(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every ten minutes: judges days whose clusters are new or failed, and sends messages that are due.

    Only for teams with an alert rule that is switched on; for all others it costs nothing.
    """
    now = context.scheduled_execution_time
    settings = team_settings.settings()
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    requested = 0
    for team_day, why in due_days(clickhouse.database().tagged(schedule="alerts_every_10_minutes"), now):
        if str(team_day.team_id) in known and why_left_out(settings, team_day.team_id) is None:
            requested += 1
            yield dg.RunRequest(run_key=f"{partition_key(team_day)}|{why}", partition_key=partition_key(team_day))
    if not requested:
        yield dg.SkipReason("no team has an alert rule on and something to judge or to send")
