"""The asset `cluster_attributes`."""

from llma_assets.defs.stage_asset import stage_asset
from llma_assets.insights import ATTRIBUTES_VERSION, store_attributes
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=["cluster_labels"],
    group="clusters",
    kinds={"clickhouse"},
    pool="clickhouse",
    table="run_attributes",
    code_version=ATTRIBUTES_VERSION,
)
def cluster_attributes(ctx: StageContext) -> Report:
    """What sets each cluster apart: models, tools, errors, releases and whatever else its traces' events say."""
    return store_attributes(ctx.database, ctx.partition, themes=ctx.themes, team=ctx.team, progress=ctx.progress)
