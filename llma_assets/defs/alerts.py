"""The asset `alerts`, and its job. How days of many teams are judged in one run belongs in `alerts_shard.py`."""

import dagster as dg

from llma_assets.alerts import ALERTS_VERSION, alert_team_day
from llma_assets.defs.stage_asset import StageConfig, stage_asset
from llma_assets.stage import Report, StageContext


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
