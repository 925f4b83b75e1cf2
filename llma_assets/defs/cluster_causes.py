"""The asset `cluster_causes`."""

from llma_assets.defs.catalog import CHAT
from llma_assets.defs.stage_asset import ThemesConfig, stage_asset
from llma_assets.insights import CAUSES_VERSION, store_causes
from llma_assets.models import ModelConfigurationError
from llma_assets.stage import Report, StageContext


class CausesConfig(ThemesConfig):
    """Options of a run."""

    via: str = "calls"
    """How the model is called: by `calls` alone. The second question about a cluster follows from the answer to the
    first, so that batches would take two days, for twenty clusters at most."""


@stage_asset(
    deps=["cluster_attributes"],
    group="clusters",
    kinds={"clickhouse"},
    models={CHAT},
    pool="models",
    table="cluster_causes",
    code_version=CAUSES_VERSION,
    config=CausesConfig,
)
def cluster_causes(ctx: StageContext) -> Report:
    """Probable causes of clusters with the lines that show them, for themes that ask for it."""
    if ctx.options.via != "calls":
        raise ModelConfigurationError(
            f"cluster_causes cannot ask via: {ctx.options.via}; causes are asked for by calls alone", kind="no_batches"
        )
    return store_causes(
        ctx.database,
        ctx.partition,
        ctx.chat,
        themes=ctx.themes,
        budget_usd=ctx.team.daily_budget_usd,
        progress=ctx.progress,
    )
