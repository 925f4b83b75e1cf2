"""The asset `tasks`."""

from llma_assets.defs.catalog import CHAT
from llma_assets.defs.stage_asset import StageConfig, stage_asset
from llma_assets.stage import Report, StageContext
from llma_assets.tasks import PROMPT_VERSION, TaskOptions, store_tasks


class TaskConfig(StageConfig):
    """Options of a run."""

    match_distance: float = TaskOptions().match_distance
    """Maximum cosine distance between the centroids of a group of segments and of the task that it joins."""


@stage_asset(
    deps=["segment_clusters"],
    group="tasks",
    kinds={"clickhouse"},
    models={CHAT},
    pool="models",
    table="task_versions",
    code_version=PROMPT_VERSION,
    config=TaskConfig,
    by_team=True,
    partitions_a_run=1,
)
def tasks(ctx: StageContext) -> Report:
    """Recurring problems of a team's users: one task each, that grows with every new occurrence."""
    options: TaskConfig = ctx.options
    return store_tasks(
        ctx.database,
        ctx.partition.team_id,
        ctx.chat(None),
        options=TaskOptions.of_team(ctx.team, match_distance=options.match_distance),
        budget_usd=ctx.team.daily_budget_usd,
        clock=ctx.clock,
        progress=ctx.progress,
    )
