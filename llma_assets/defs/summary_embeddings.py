"""The asset `summary_embeddings`."""

from llma_assets.defs.catalog import EMBEDDER
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.embeddings import TEXT_VERSION, store_embeddings
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=["trace_summaries"],
    group="traces",
    kinds={"clickhouse"},
    models={EMBEDDER},
    pool="models",
    table="document_embeddings",
    nothing_reason="no_summaries",
    code_version=TEXT_VERSION,
)
def summary_embeddings(ctx: StageContext) -> Report:
    """The vector of each relevant summary, in the space of its theme, which clustering reads."""
    return store_embeddings(
        ctx.database,
        ctx.partition,
        ctx.embedder(),
        themes=ctx.themes,
        budget_usd=ctx.team.daily_budget_usd,
        progress=ctx.progress,
        health=ctx.evidence,
        forecasts=ctx.details,
    )
