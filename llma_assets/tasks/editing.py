"""Changes of tasks by people: close, reopen, ignore, rename, merge, unmerge. Each adds a row to the history.

Reading tasks belongs in `board`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.tasks.board import Task, UnknownTaskError
from llma_assets.tasks.history import change_row

MAX_TITLE = 200


class EditError(ValueError):
    """The change is not possible for the task; the message says why."""


def close_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Close a task; a later occurrence makes one of session replays regressed."""
    _set_status(database, team_id, task, "closed", "resolved", by=by, now=now, note=note)


def reopen_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Reopen a resolved or ignored task."""
    if task.status not in ("resolved", "ignored"):
        raise EditError(f"task {task.task_id} is {task.status}; only a resolved or ignored one can be reopened")
    _set_status(database, team_id, task, "reopened", "ongoing", by=by, now=now, note=note)


def ignore_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Ignore a task: it still collects similar segments, but is not listed."""
    _set_status(database, team_id, task, "ignored", "ignored", by=by, now=now, note=note)


def rename_task(database: Database, team_id: int, task: Task, title: str, *, by: str, now: datetime) -> None:
    """Give a task a title that no label replaces; an empty one gives the label's back."""
    line = " ".join(title.split())
    if len(line) > MAX_TITLE:
        raise EditError(f"the title has {len(line)} characters; at most {MAX_TITLE} are allowed")
    row = change_row(
        team_id,
        UUID(task.task_id),
        changed_at=now,
        change="renamed",
        detail=line,
        changed_by=by,
    )
    database.insert_rows("task_history", [row])


def merge_tasks(
    database: Database, team_id: int, target: Task, others: Sequence[Task], *, by: str, now: datetime
) -> None:
    """Make `others` part of `target`: their segments and users count there, now and later.

    Raises:
        EditError: a task would be merged into itself, or one of them was made of a cluster.
    """
    if not others:
        raise EditError("name at least one other task to merge into the first")
    if any(other.task_id == target.task_id for other in others):
        raise EditError(f"task {target.task_id} cannot be merged into itself")
    if of_cluster := next((each for each in (target, *others) if each.lineage_id), None):
        raise EditError(
            f"task {of_cluster.task_id} was made of a cluster and cannot be merged; merge clusters with "
            f"`llma clusters merge`"
        )
    rows = [
        change_row(
            team_id,
            UUID(other.task_id),
            changed_at=now,
            change="merged",
            detail=target.title,
            target=target.task_id,
            changed_by=by,
        )
        for other in others
    ]
    database.insert_rows("task_history", rows)


def unmerge_task(database: Database, team_id: int, task: Task, part: str, *, by: str, now: datetime) -> str:
    """Make a merged task separate again; returns its id.

    Raises:
        UnknownTaskError: the task has no such part, or several ids begin so.
    """
    found = [task_id for task_id in task.merged if task_id.startswith(part.strip().lower())]
    if len(found) != 1:
        raise UnknownTaskError(
            f"{part!r} matches {len(found) or 'no'} parts of task {task.task_id}; it must match exactly one"
        )
    row = change_row(team_id, UUID(found[0]), changed_at=now, change="unmerged", changed_by=by)
    database.insert_rows("task_history", [row])
    return found[0]


def _set_status(
    database: Database, team_id: int, task: Task, change: str, status: str, *, by: str, now: datetime, note: str
) -> None:
    if task.status == status:
        raise EditError(f"task {task.task_id} is {status} already")
    row = change_row(
        team_id,
        UUID(task.task_id),
        changed_at=now,
        change=change,
        status=status,
        detail=" ".join(note.split())[:500],
        changed_by=by,
    )
    database.insert_rows("task_history", [row])
