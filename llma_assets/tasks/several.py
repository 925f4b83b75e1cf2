"""One decision about several tasks, of each only as it was seen: what somebody changed since is left alone and said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.serialization import TeamId
from llma_assets.tasks.board import Task, UnknownTaskError, find_task, task_history
from llma_assets.tasks.editing import EditError, close_task, ignore_task, prioritise_task, reopen_task, take_back

Action = Literal["close", "reopen", "ignore", "raise", "lower", "by_figures", "take_back"]
MOST_TASKS = 100
"""Tasks of one decision, and of one page."""


@dataclass(frozen=True, slots=True)
class ChangedTask:
    """A task that was changed.

    Attributes:
        revision: of the task as it is now.
    """

    task_id: str
    title: str
    status: str
    given_priority: str
    revision: str


@dataclass(frozen=True, slots=True)
class UnchangedTask:
    """A task that was left as it is.

    Attributes:
        reason: `changed_since` it was seen, `unknown`, or `not_possible`.
        detail: why, as a sentence.
        status, changed_by: what it is now, and who changed it last; "" where it is unknown.
    """

    task_id: str
    title: str
    reason: Literal["changed_since", "unknown", "not_possible"]
    detail: str
    status: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class TaskDecisions:
    """What became of a decision about several tasks."""

    team_id: TeamId
    action: Action
    changed: tuple[ChangedTask, ...]
    unchanged: tuple[UnchangedTask, ...]


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task as somebody saw it; a revision of "*" is any."""

    task_id: Annotated[str, Field(min_length=1, max_length=64)]
    revision: Annotated[str, Field(min_length=1, max_length=64)]


BULK_ACTIONS: tuple[Action, ...] = get_args(Action)


def decide_about_tasks(
    database: Database,
    team_id: int,
    read: Callable[[], list[Task]],
    seen: Sequence[SeenTask],
    action: Action,
    *,
    by: str,
    clock: Callable[[], datetime],
    note: str = "",
) -> TaskDecisions:
    """Do the same to each of some tasks.

    Args:
        read: the team's tasks as they are now.
        seen: which, and as which they were seen.
        by: who decides.
    """
    found, unchanged, done = read(), list[UnchangedTask](), list[str]()
    for each in {each.task_id: each for each in seen}.values():
        try:
            task = find_task(found, each.task_id)
        except UnknownTaskError as error:
            unchanged.append(UnchangedTask(each.task_id, "", "unknown", str(error)))
            continue
        if each.revision not in ("*", task.revision):
            unchanged.append(_changed_since(database, team_id, task))
            continue
        try:
            _do(action, database, team_id, task, {"by": by, "now": clock()}, note)
        except EditError as error:
            unchanged.append(UnchangedTask(task.task_id, task.title, "not_possible", str(error), task.status))
            continue
        done.append(task.task_id)
    now = {task.task_id: task for task in (read() if done else ())}
    changed = (now[task_id] for task_id in done if task_id in now)
    return TaskDecisions(
        team_id,
        action,
        tuple(
            ChangedTask(task.task_id, task.title, task.status, task.given_priority, task.revision) for task in changed
        ),
        tuple(unchanged),
    )


def _do(action: Action, database: Database, team_id: int, task: Task, who: Mapping[str, Any], note: str) -> None:
    match action:
        case "close":
            close_task(database, team_id, task, note=note, **who)
        case "reopen":
            reopen_task(database, team_id, task, note=note, **who)
        case "ignore":
            ignore_task(database, team_id, task, note=note, **who)
        case "take_back":
            take_back(database, team_id, task, **who)
        case _:
            given = {"raise": "high", "lower": "low"}.get(action, "")
            prioritise_task(database, team_id, task, given, **who)


def _changed_since(database: Database, team_id: int, task: Task) -> UnchangedTask:
    last = next(reversed(task_history(database, team_id, task)), None)
    by = str(last["changed_by"]) if last else ""
    detail = f"it was changed since you saw it and is {task.status} now"
    return UnchangedTask(task.task_id, task.title, "changed_since", detail, task.status, by)
