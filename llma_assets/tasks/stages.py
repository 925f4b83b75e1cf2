"""The stages `segment_clusters` and `tasks` for one team.

Grouping belongs in `batches`, tasks in `updates`.
"""

from dataclasses import asdict
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.ledger import Skip, UsageLedger, note_deferred, record_skip, spending_metadata
from llma_assets.models import ChatModel, NothingUsable, paid_by
from llma_assets.stage import Progress, Report
from llma_assets.tasks.batches import BatchOptions, cluster_new_segments
from llma_assets.tasks.board import list_tasks
from llma_assets.tasks.changes import TaskOptions
from llma_assets.tasks.labelling import DEFERRED
from llma_assets.tasks.table import tasks_table
from llma_assets.tasks.updates import update_tasks
from llma_assets.tasks.vectors import other_spaces, segment_counts
from llma_assets.team_day import TeamDay

CLUSTERS_STAGE, TASKS_STAGE = "segment_clusters", "tasks"
SHOWN_TASKS = 20


def store_segment_clusters(
    database: Database,
    team_id: int,
    *,
    model_name: str,
    options: BatchOptions,
    clock: Clock,
    progress: Progress,
) -> Report:
    """Group a team's new segments by their descriptions; each is grouped once.

    Args:
        model_name: name of the embedding model.
    """
    now = clock()
    today = TeamDay(team_id, now.date())
    counts = cluster_new_segments(
        database,
        team_id,
        model_name=model_name,
        now=now,
        options=options,
        progress=lambda done: progress(CLUSTERS_STAGE, today, done, done),
    )
    left = other_spaces(database, team_id, model_name)
    details: dict[str, Any] = {**asdict(counts), "embedding_model": model_name}
    details |= {f"total_{name}": number for name, number in segment_counts(database, team_id).items()}
    if left:
        details["segments_of_other_models"] = left
    return Report(items=counts.segments, reason="" if counts.segments else "no_new_segments", details=details)


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
    """Update the team's tasks with the clustered batches, and report the most urgent ones.

    Args:
        budget_usd: the team's budget for the day, None for no limit. It limits labels only; labels above it are
            deferred.
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
    deferred = sum(task.label_error.startswith(DEFERRED) for task in found)
    waiting = note_deferred(
        database,
        today,
        stage=TASKS_STAGE,
        theme_id="",
        deferred=deferred,
        items=len(found),
        refusal=ledger.refusal,
    )
    spending = spending_metadata(database, today, stage=TASKS_STAGE, budget_usd=budget_usd)
    return Report(
        items=len(shown),
        reason="" if shown else "no_open_tasks",
        details={
            **asdict(counts),
            "labels_undone": deferred,
            "ignored_in_all": sum(task.status == "ignored" for task in found),
            "resolved_in_all": sum(task.status == "resolved" for task in found),
            "model": chat.name,
            "judge": options.judge,
            "cost_usd_today": spending["cost_usd"],  # the old name of cost_usd, for one version
        }
        | spending,
        pages={"most_urgent": tasks_table(shown[:SHOWN_TASKS])},
        deferred=waiting,
    )
