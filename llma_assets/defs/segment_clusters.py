"""The asset `segment_clusters`."""

import dagster as dg

from llma_assets.defs.stage_asset import StageConfig, stage_asset
from llma_assets.stage import Report, StageContext
from llma_assets.tasks import GROUPING_VERSION, BatchOptions, store_segment_clusters


class SegmentConfig(StageConfig):
    """Options of a run."""

    batch_segments: int = BatchOptions().batch_segments
    """Maximum number of segments of one batch; memory grows with it, time does not."""


@stage_asset(
    deps=["video_segments", dg.AssetDep("eligible_teams", partition_mapping=dg.LastPartitionMapping())],
    group="tasks",
    kinds={"clickhouse", "scikitlearn"},
    pool="clickhouse",
    table="segment_batches",
    code_version=GROUPING_VERSION,
    config=SegmentConfig,
    by_team=True,
    partitions_a_run=1,
)
def segment_clusters(ctx: StageContext) -> Report:
    """New segments of a team, grouped by meaning; each is processed once."""
    options: SegmentConfig = ctx.options
    return store_segment_clusters(
        ctx.database,
        ctx.partition.team_id,
        model_name=ctx.embedder().name,
        options=BatchOptions(batch_segments=options.batch_segments),
        clock=ctx.clock,
        progress=ctx.progress,
    )
