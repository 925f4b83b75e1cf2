"""The asset `cluster_labels`."""

from llma_assets.defs.catalog import CHAT, EMBEDDER
from llma_assets.defs.overview import with_overview
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.labels import PROMPT_VERSION, store_labels
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=["cluster_assignments"],
    group="clusters",
    kinds={"clickhouse"},
    models={CHAT, EMBEDDER},
    pool="models",
    table="cluster_labels",
    code_version=PROMPT_VERSION,
)
def cluster_labels(ctx: StageContext) -> Report:
    """A title and a description for each cluster."""
    report = store_labels(
        ctx.database,
        ctx.partition,
        ctx.chat,
        ctx.embedder(),
        themes=ctx.themes,
        budget_usd=ctx.team.daily_budget_usd,
        progress=ctx.progress,
        evidence=ctx.evidence,
        forecasts=ctx.details,
    )
    return with_overview(ctx, report)
