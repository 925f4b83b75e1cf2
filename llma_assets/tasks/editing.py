"""Changes of tasks by people: close, reopen, ignore, prioritise, rename, merge, unmerge, and the last one taken back.

Each adds a row to the history. Reading tasks belongs in `board`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.tasks.board import Task, UnknownTaskError, task_history
from llma_assets.tasks.history import GIVEN_PRIORITIES, PIPELINE, Lifecycle, change_row, lifecycles

MAX_TITLE = 200
UNDONE = ("closed", "reopened", "ignored", "renamed", "prioritised")
"""Changes that can be taken back; a merge is by `unmerge_task`."""


class EditError(ValueError):
    """The change is not possible for the task; the message says why."""


def close_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Close a task; a later occurrence makes it regressed."""
    _set_status(database, team_id, task, "closed", "resolved", by=by, now=now, note=note)


def reopen_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Reopen a resolved or ignored task."""
    if task.status not in ("resolved", "ignored"):
        raise EditError(f"task {task.task_id} is {task.status}; only a resolved or ignored one can be reopened")
    _set_status(database, team_id, task, "reopened", "ongoing", by=by, now=now, note=note)


def ignore_task(database: Database, team_id: int, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Ignore a task: it still collects similar segments, but is not listed."""
    _set_status(database, team_id, task, "ignored", "ignored", by=by, now=now, note=note)


def prioritise_task(
    database: Database, team_id: int, task: Task, given_priority: str, *, by: str, now: datetime
) -> None:
    """Put a task before all others ("high") or after them ("low"); "" leaves it to the figures again.

    Raises:
        EditError: there is no such priority, or the task has it.
    """
    if given_priority not in GIVEN_PRIORITIES:
        raise EditError(f"there is no priority {given_priority[:40]!r}; there are high, low and an empty one")
    if task.given_priority == given_priority:
        raise EditError(f"task {task.task_id} has the priority {given_priority or 'of its figures'} already")
    row = change_row(
        team_id, UUID(task.task_id), changed_at=now, change="prioritised", detail=given_priority, changed_by=by
    )
    database.insert_rows("task_history", [row])


def take_back(database: Database, team_id: int, task: Task, *, by: str, now: datetime) -> str:
    """Undo the last change of status, title or priority that a person made of a task; returns which it was.

    It adds a change, too, so that taking back twice is a repetition.

    Raises:
        EditError: no person changed it.
    """
    rows = [row for row in task_history(database, team_id, task) if row["task_id"] == task.task_id]
    places = [number for number, row in enumerate(rows) if row["changed_by"] != PIPELINE and row["change"] in UNDONE]
    if not places:
        raise EditError(f"nobody changed task {task.task_id}; there is nothing to take back")
    last = rows[places[-1]]
    before = lifecycles(rows[: places[-1]]).get(task.task_id, Lifecycle())
    given: dict[str, Any]
    if last["change"] == "renamed":
        given = {"change": "renamed", "detail": before.title}
    elif last["change"] == "prioritised":
        given = {"change": "prioritised", "detail": before.given_priority}
    else:
        change = {"resolved": "closed", "ignored": "ignored"}.get(before.status, "reopened")
        given = {"change": change, "status": before.status, "detail": f"taken back: {last['change']}"}
    database.insert_rows(
        "task_history", [change_row(team_id, UUID(task.task_id), changed_at=now, changed_by=by, **given)]
    )
    return str(last["change"])


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
        EditError: a task would be merged into itself.
    """
    if not others:
        raise EditError("name at least one other task to merge into the first")
    if any(other.task_id == target.task_id for other in others):
        raise EditError(f"task {target.task_id} cannot be merged into itself")
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
