"""The assets `video_segments` (elsewhere made, only read), `segment_clusters` and `tasks`, partitioned by team.

What they do is in the modules beside this one, which know no Dagster.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.discovery import TeamOptions
from llma_assets.ledger import Skip, UsageLedger, note_deferred, record_skip, spending_metadata
from llma_assets.models import ChatModel, NothingUsable, paid_by
from llma_assets.partitions import teams
from llma_assets.resources import (
    ChatModelResource,
    ClickHouseResource,
    Clock,
    EmbedderResource,
    TeamSettingsResource,
)
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.tasks import (
    BatchOptions,
    TaskOptions,
    cluster_new_segments,
    list_tasks,
    other_spaces,
    segment_counts,
    update_tasks,
)
from llma_assets.tasks.labelling import UNDONE
from llma_assets.tasks.table import tasks_table
from llma_assets.team_day import TeamDay

CLUSTERS_STAGE, TASKS_STAGE = "segment_clusters", "tasks"
SHOWN_TASKS = 20

video_segments = dg.AssetSpec(
    "video_segments",
    group_name="tasks",
    kinds={"clickhouse"},
    partitions_def=teams,
    description=(
        "Segments of session replays, described in words and embedded elsewhere, or by `llma segments ingest`: rows of "
        "document_embeddings with product session-replay."
    ),
)


class SegmentConfig(dg.Config):
    """Options of a run."""

    batch_segments: int = BatchOptions().batch_segments
    """Segments of one batch at most; memory grows with it, time does not."""

    def batches(self) -> BatchOptions:
        """The options as the room takes them."""
        return BatchOptions(batch_segments=self.batch_segments)


class TaskConfig(dg.Config):
    """Options of a run."""

    match_distance: float = TaskOptions().match_distance
    """Cosine distance of centroids within which a group of segments is a task's."""


@dg.asset(
    partitions_def=teams,
    deps=[video_segments],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
    group_name="tasks",
    kinds={"clickhouse", "scikitlearn"},
    pool="clickhouse",
)
def segment_clusters(
    context: dg.AssetExecutionContext,
    config: SegmentConfig,
    clickhouse: ClickHouseResource,
    embedder: EmbedderResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
    progress: dg.ResourceParam[Progress],
) -> None:
    """New segments of a team, grouped by what they say; each is taken once."""
    database = clickhouse.database().tagged(**run_tags(context))
    model_name = embedder.model().name

    def work(today: TeamDay, _: TeamOptions) -> Report:
        team_id = today.team_id
        counts = cluster_new_segments(
            database,
            team_id,
            model_name=model_name,
            now=clock(),
            options=config.batches(),
            progress=lambda done: progress(CLUSTERS_STAGE, today, done, done),
        )
        left = other_spaces(database, team_id, model_name)
        metadata: dict[str, Any] = {**asdict(counts), "embedding_model": model_name}
        metadata |= {f"total_{name}": number for name, number in segment_counts(database, team_id).items()}
        if left:
            metadata["segments_of_other_models"] = dg.MetadataValue.json(left)
        return Report(items=counts.segments, reason="" if counts.segments else "no_new_segments", metadata=metadata)

    walk_partitions(context, database, team_settings, work, read_key=partial(_today, clock))


@dg.asset(
    partitions_def=teams,
    deps=[segment_clusters],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
    group_name="tasks",
    kinds={"clickhouse", "openai"},
    pool="models",
)
def tasks(
    context: dg.AssetExecutionContext,
    config: TaskConfig,
    clickhouse: ClickHouseResource,
    chat: ChatModelResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
    progress: dg.ResourceParam[Progress],
) -> None:
    """Recurring problems of a team's users: one task each, that grows with every new occurrence."""
    database = clickhouse.database().tagged(**run_tags(context))
    model = chat.model()

    def work(today: TeamDay, own: TeamOptions) -> Report:
        options = TaskOptions(
            match_distance=config.match_distance,
            judge="model" if own.model_judges_tasks else "keywords",
            least_impact=own.least_task_impact,
            least_trouble=own.least_task_trouble,
            resolve_old=own.resolve_old_tasks,
        )
        return store_tasks(
            database,
            today.team_id,
            model,
            options=options,
            budget_usd=own.daily_budget_usd,
            clock=clock,
            progress=progress,
        )

    walk_partitions(context, database, team_settings, work, read_key=partial(_today, clock))


def _today(clock: Clock, key: str) -> TeamDay:
    """The day on which a team's partition is worked on."""
    return TeamDay(int(key), clock().date())


def store_tasks(
    database: Database,
    team_id: int,
    chat: ChatModel,
    *,
    options: TaskOptions,
    budget_usd: float | None = None,
    clock: Clock,
    progress: Progress,
) -> Report:
    """Work the clustered batches into the team's tasks, and show the most urgent ones.

    Args:
        budget_usd: what the team's day may cost, None for no limit. Tasks are made all the same; labels that it does
            not pay for wait for a later pass.
    """
    now = clock()
    today = TeamDay(team_id, now.date())
    with UsageLedger(database, today, stage=TASKS_STAGE, theme_id="", limit_usd=budget_usd) as ledger:
        try:
            counts = update_tasks(
                database,
                team_id,
                paid_by(chat, ledger.allowance),
                now=now,
                options=options,
                record=lambda usage: ledger.record("", usage),
                progress=lambda done, total: progress(TASKS_STAGE, today, done, total),
            )
        except NothingUsable as error:
            record_skip(database, Skip(team_id, today.day, TASKS_STAGE, "", error.skip_reason, str(error)))
            raise
    found = list_tasks(database, team_id, now=now, options=options)
    shown = [task for task in found if task.status not in ("resolved", "ignored")]
    undone = sum(task.label_error.startswith(UNDONE) for task in found)
    waiting = note_deferred(
        database,
        today,
        stage=TASKS_STAGE,
        theme_id="",
        deferred=undone,
        items=len(found),
        refusal=ledger.refusal,
    )
    spending = spending_metadata(database, today, stage=TASKS_STAGE, budget_usd=budget_usd)
    return Report(
        items=len(shown),
        reason="" if shown else "no_open_tasks",
        metadata={
            **asdict(counts),
            "labels_undone": undone,
            "ignored_in_all": sum(task.status == "ignored" for task in found),
            "resolved_in_all": sum(task.status == "resolved" for task in found),
            "model": chat.name,
            "judge": options.judge,
            "cost_usd_today": spending["cost_usd"],  # the old name of cost_usd, for one version
            "most_urgent": dg.MetadataValue.md(tasks_table(shown[:SHOWN_TASKS])),
        }
        | spending,
        undone_for_budget=waiting,
    )
