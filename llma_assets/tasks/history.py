"""The history of tasks: every change is a row, and the present status follows from the rows. No database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from llma_assets.tasks.batches import NAMESPACE

Status = Literal["new", "ongoing", "resolved", "regressed", "ignored"]
STATUSES: Final[tuple[Status, ...]] = ("new", "regressed", "ongoing", "resolved", "ignored")
GIVEN_PRIORITIES: Final = ("high", "", "low")
"""What people say of a task's priority, the most urgent first; "" leaves it to the figures."""

PIPELINE: Final = "pipeline"
NO_PASS: Final = UUID(int=0)
"""Pass id of changes outside a batch; they count at once."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The life of a task.

    Attributes:
        status: the last one that a change set.
        since: the time of that change, None before any.
        by_person: whether a person set it.
        created: when the pipeline created the task, None before any change.
        merged_into: id of the task that it is merged into, "" if none.
        title: a person's title, "" if none.
        given_priority: what a person said of its priority, "high" or "low", "" if nothing.
        separated: whether a person unmerged it; then only a person merges it again.
    """

    status: str = "new"
    since: datetime | None = None
    by_person: bool = False
    created: datetime | None = None
    merged_into: str = ""
    title: str = ""
    given_priority: str = ""
    separated: bool = False


def open_until(life: Lifecycle, last_seen: datetime, quiet: timedelta, *, resolve_old: bool) -> datetime:
    """When a task becomes resolved by itself: `quiet` after its last occurrence, or after a person reopened it.

    A task with only older segments stays open for `quiet` from its creation, unless `resolve_old`.
    """
    until = max(last_seen, life.since if life.by_person and life.since else last_seen) + quiet
    if not resolve_old and life.created and until < life.created:
        return life.created + quiet
    return until


def lifecycles(changes: Iterable[Mapping[str, Any]]) -> dict[str, Lifecycle]:
    """The life of each task, from its changes in order of time; merges of merges point at the last one."""
    lives: dict[str, Lifecycle] = {}
    for change in changes:
        task_id = change["task_id"]
        life = lives.get(task_id, Lifecycle())
        if change["change"] == "created":
            life = replace(life, created=change["changed_at"])
        elif change["change"] == "merged":
            life = replace(life, merged_into=change["target"])
        elif change["change"] == "unmerged":
            life = replace(life, merged_into="", separated=True)
        elif change["change"] == "renamed":
            life = replace(life, title=change["detail"])
        elif change["change"] == "prioritised":
            life = replace(life, given_priority=change["detail"] if change["detail"] in GIVEN_PRIORITIES else "")
        if change["status"]:
            life = replace(
                life,
                status=change["status"],
                since=change["changed_at"],
                by_person=change["changed_by"] != PIPELINE,
            )
        lives[task_id] = life
    return {task_id: replace(life, merged_into=_last_target(lives, task_id)) for task_id, life in lives.items()}


def _last_target(lives: Mapping[str, Lifecycle], task_id: str) -> str:
    """The last task of a chain of merges, "" for a separate task; a ring ends where it began."""
    seen = [task_id]
    while (target := lives.get(seen[-1], Lifecycle()).merged_into) and target not in seen:
        seen.append(target)
    return seen[-1] if len(seen) > 1 else ""


def change_row(
    team_id: int,
    task_id: UUID,
    *,
    batch_id: int = 0,
    pass_id: UUID = NO_PASS,
    changed_at: datetime,
    change: str,
    status: str = "",
    detail: str = "",
    target: str = "",
    changed_by: str = PIPELINE,
) -> dict[str, Any]:
    """A row of `task_history`; equal changes have equal ids, so that writing one twice changes nothing."""
    about = (team_id, str(task_id), batch_id, str(pass_id), changed_at.isoformat(), change, status, detail, target)
    return {
        "team_id": team_id,
        "task_id": task_id,
        "change_id": uuid5(NAMESPACE, repr((*about, changed_by))),
        "changed_at": changed_at,
        "batch_id": batch_id,
        "pass_id": pass_id,
        "change": change,
        "status": status,
        "detail": detail,
        "target": target,
        "changed_by": changed_by,
    }
