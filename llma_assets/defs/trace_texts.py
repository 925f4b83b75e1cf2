"""The asset `trace_texts`."""

import dagster as dg

from llma_assets.defs.partitions import by_day
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.rendering import RENDERER, render_partition
from llma_assets.stage import Report, StageContext


@stage_asset(
    deps=[dg.AssetDep("eligible_teams", partition_mapping=by_day), "events"],
    group="traces",
    kinds={"clickhouse"},
    pool="clickhouse",
    table="trace_texts",
    nothing_reason="no_traces",
    code_version=RENDERER,
)
def trace_texts(ctx: StageContext) -> Report:
    """The readable text of each trace and generation of a team's day that a theme looks at; all themes share it."""
    return render_partition(
        ctx.database,
        ctx.partition,
        ctx.team,
        model_name=ctx.chat_name,
        themes=ctx.themes,
        all_themes=ctx.team_themes.active(),
        now=ctx.clock(),
        progress=ctx.progress,
    )
