"""The asset `cluster_causes`."""

from llma_assets.defs.catalog import CHAT
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.insights import CAUSES_VERSION, store_causes
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=["cluster_attributes"],
    group="clusters",
    kinds={"clickhouse"},
    models={CHAT},
    pool="models",
    table="cluster_causes",
    code_version=CAUSES_VERSION,
)
def cluster_causes(ctx: StageContext) -> Report:
    """Probable causes of clusters with the lines that show them, for themes that ask for it."""
    return store_causes(
        ctx.database,
        ctx.partition,
        ctx.chat,
        themes=ctx.themes,
        budget_usd=ctx.team.daily_budget_usd,
        progress=ctx.progress,
    )
