"""Updates tasks with the groups of each batch, for the asset `tasks`: assign, grow, label, merge, commit.

Changes of one task belong in `changes`, reading for people in `board`, changes by people in `editing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.models import ChatModel, Record, ignore_usage
from llma_assets.tasks import segment_queries, task_queries
from llma_assets.tasks.assignment import assign_groups, grow
from llma_assets.tasks.batches import NAMESPACE
from llma_assets.tasks.changes import (
    ONE_TICK,
    TaskOptions,
    changes_of,
)
from llma_assets.tasks.first_commit import commit_pass
from llma_assets.tasks.history import Lifecycle, change_row, open_until
from llma_assets.tasks.merging import tasks_to_merge
from llma_assets.tasks.relabelling import label_deferred, label_tasks
from llma_assets.tasks.states import (
    TaskStates,
    last_pass,
    last_seen,
    read_groups,
    read_lifecycles,
    read_tasks,
    version_row,
)

LINKED = (
    "document_id",
    "session_id",
    "distinct_id",
    "segment_start",
    "segment_end",
    "distance",
    "failure",
    "confusion",
    "abandonment",
    "impact",
)
"""Columns that a link copies from its segment."""


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Counts of one pass over tasks.

    Attributes:
        batches: processed batches.
        groups: their groups; a group of one is a segment of high impact.
        created, grown: tasks.
        merged: tasks that were merged into a closer one.
        ignored: created tasks that are no problem.
        regressed: tasks that occurred again after they were resolved.
        resolved: tasks without occurrences for long enough.
        labelled: tasks that were labelled; `label_failures` of them failed.
    """

    batches: int = 0
    groups: int = 0
    created: int = 0
    ignored: int = 0
    grown: int = 0
    merged: int = 0
    regressed: int = 0
    resolved: int = 0
    labelled: int = 0
    label_failures: int = 0

    def __add__(self, other: "TaskCounts") -> "TaskCounts":
        return TaskCounts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def update_tasks(
    database: Database,
    team_id: int,
    chat: ChatModel,
    *,
    now: datetime,
    options: TaskOptions = TaskOptions(),
    record: Record = ignore_usage,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> TaskCounts:
    """Update the team's tasks with every clustered batch, oldest first; the watermark commits each.

    Raises:
        ModelConfigurationError: no call can succeed; earlier batches are committed.
    """
    total = TaskCounts()
    states = TaskStates()
    position, _ = last_pass(database, team_id)
    waiting = database.rows(segment_queries.OPEN_BATCHES, team_id=team_id, position=position)
    for number, batch in enumerate(waiting):
        progress(number, len(waiting))
        total += _update_from_batch(database, team_id, batch, states, chat, now, options, record)
    progress(len(waiting), len(waiting))
    if not total.label_failures:
        again = label_deferred(database, team_id, chat, now=now, record=record)
        total += TaskCounts(labelled=again.asked, label_failures=again.failed)
    return total + TaskCounts(resolved=_resolve_quiet(database, team_id, now, options))


def _update_from_batch(
    database: Database,
    team_id: int,
    batch: Mapping[str, Any],
    states: TaskStates,
    chat: ChatModel,
    now: datetime,
    options: TaskOptions,
    record: Record,
) -> TaskCounts:
    batch_id, pass_id, model_name = batch["batch_id"], uuid4(), batch["embedding_model"]
    position, before = last_pass(database, team_id)
    if position >= batch_id:
        return TaskCounts()  # another run has processed the batch
    dimension = batch["dimension"]
    if (states.pass_id, states.dimension) != (before, dimension):
        states.pass_id, states.dimension = before, dimension
        states.tasks = read_tasks(database, team_id, model_name, dimension)
    lives = read_lifecycles(database, team_id)
    seen = last_seen(database, team_id, lives)
    assignments = assign_groups(
        read_groups(database, team_id, batch),
        states.tasks,
        lives,
        options,
        # A segment stays in one task, so the first segment of a group determines the id of a new task.
        new_id=lambda group: uuid5(NAMESPACE, repr((team_id, min(row["document_id"] for row in group.members)))),
    )
    for task, groups in assignments:
        grow(task, groups)
        task.written_by = (batch_id, pass_id)
    labelled = label_tasks(database, team_id, assignments, chat, model_name, options, record)
    links: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    counts = TaskCounts(batches=1, groups=sum(len(groups) for _, groups in assignments))
    for task, groups in assignments:
        members = [member for group in groups for member in group.members]
        task_id, is_labelled = str(task.task_id), task.task_id in labelled
        changes = changes_of(
            task,
            members,
            [text for group in groups for text in group.texts],
            lives.get(task_id, Lifecycle()),
            seen.get(task_id),
            labelled=is_labelled,
            now=now,
            options=options,
        )
        key = {"team_id": team_id, "task_id": task.task_id, "batch_id": batch_id, "pass_id": pass_id}
        links += [{**key, **{name: member[name] for name in LINKED}} for member in members]
        history += [
            change_row(
                team_id,
                task.task_id,
                batch_id=batch_id,
                pass_id=pass_id,
                changed_at=each.changed_at,
                change=each.change,
                status=each.status,
                detail=each.detail,
            )
            for each in changes
        ]
        counts += TaskCounts(
            created=task.is_new,
            ignored=any(each.status == "ignored" for each in changes),
            grown=not task.is_new,
            regressed=any(each.status == "regressed" for each in changes),
            labelled=is_labelled,
            label_failures=is_labelled and bool(task.label.error),
        )
    new = [task for task, _ in assignments if task.is_new]
    grown = {task.task_id for task, _ in assignments}
    pairs = tasks_to_merge([*states.tasks, *new], grown, lives, options.match_distance)
    history += [
        change_row(
            team_id,
            part.task_id,
            batch_id=batch_id,
            pass_id=pass_id,
            changed_at=now,
            change="merged",
            detail=f"as near to {whole.label.title!r} as one problem is to itself",
            target=str(whole.task_id),
        )
        for part, whole in pairs
    ]
    counts += TaskCounts(merged=len(pairs))
    for some in chunked(links, 5_000):
        database.insert_rows("task_segments", some)
    for tasks in chunked([task for task, _ in assignments], 500):
        rows = [version_row(team_id, task, model_name, written_by=(batch_id, pass_id)) for task in tasks]
        database.insert_rows("task_versions", rows)
    for some in chunked(history, 5_000):
        database.insert_rows("task_history", some)
    is_ours = commit_pass(
        database,
        {
            "team_id": team_id,
            "pipeline": task_queries.PIPELINE,
            "position": batch_id,
            "pass_id": pass_id,
            "arrived_until": batch["arrived_until"],
        },
    )
    if not is_ours:
        states.pass_id = ""  # another run committed the same batch first
        return TaskCounts()
    states.pass_id = str(pass_id)
    for task in new:
        task.is_new = False
    states.tasks = sorted([*states.tasks, *new], key=lambda task: str(task.task_id))
    return counts


def _resolve_quiet(database: Database, team_id: int, now: datetime, options: TaskOptions) -> int:
    """Resolve tasks without recent occurrences, at the time when they became quiet; returns how many."""
    lives = read_lifecycles(database, team_id)
    rows = []
    for task_id, seen in sorted(last_seen(database, team_id, lives).items()):
        lifecycle = lives.get(task_id, Lifecycle())
        until = open_until(lifecycle, seen, options.quiet, resolve_old=options.resolve_old)
        if until >= now or lifecycle.status in ("resolved", "ignored"):
            continue
        changed_at = max(until, lifecycle.since + ONE_TICK if lifecycle.since else until)
        detail = f"quiet since {seen:%Y-%m-%d %H:%M}"
        rows.append(
            change_row(
                team_id, UUID(task_id), changed_at=changed_at, change="resolved", status="resolved", detail=detail
            )
        )
    database.insert_rows("task_history", rows)
    return len(rows)
