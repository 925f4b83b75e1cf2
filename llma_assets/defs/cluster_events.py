"""The asset `cluster_events`."""

from llma_assets.defs.overview import with_overview
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.events import PAYLOAD_VERSION, publish_events
from llma_assets.ledger import record_ended
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=["cluster_labels"],
    group="clusters",
    kinds={"clickhouse"},
    pool="clickhouse",
    table="events",
    code_version=PAYLOAD_VERSION,
)
def cluster_events(ctx: StageContext) -> Report:
    """The published clusters: `$ai_trace_clusters` and `$ai_generation_clusters`."""
    report = publish_events(ctx.database, ctx.partition, themes=ctx.themes, progress=ctx.progress)
    record_ended(ctx.database, ctx.partition)
    return with_overview(ctx, report)
