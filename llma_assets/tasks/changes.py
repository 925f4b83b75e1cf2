"""What a batch does to one task: which changes its history gets. Stores nothing.

When a task is labelled belongs in `relabelling`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import numpy as np

from llma_assets.tasks.history import Lifecycle, open_until
from llma_assets.tasks.impact import is_problem
from llma_assets.tasks.labelling import Label
from llma_assets.tasks.matching import MATCH_DISTANCE
from llma_assets.teams import TeamOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

Judge = Literal["keywords", "model"]
A_MOMENT = timedelta(microseconds=1)
"""Puts one change before another of the same time."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How groups become tasks.

    Attributes:
        match_distance: cosine distance of centroids within which a group is a task's.
        judge: whether keywords or the model say that something is a problem.
        least_impact: with keywords, a group of segments with a smaller mean impact founds an ignored task: it is
            recognised the next time, stays out of lists, and surfaces when it begins to hurt. 0 ignores nothing,
            because keywords miss much; a failure in a quarter of the segments gives 0.1.
        least_trouble: with keywords, the same for a group in which a smaller share of the segments tells a problem in
            any words. What is not in English counts as one, because nobody has read it; 0 ignores nothing.
        quiet: a task without occurrences for so long counts as resolved.
        resolve_old: a task that is made of nothing but older segments is resolved at once; else it stays open for
            `quiet` from the day on which it was made, because nobody has seen it before.
        label_growth: a task is labelled again once it has so many times the segments that its label saw …
        label_shift: … or its centroid has moved so far, in cosine distance.
    """

    match_distance: float = MATCH_DISTANCE
    judge: Judge = "keywords"
    least_impact: float = 0.0
    least_trouble: float = 0.25
    quiet: timedelta = timedelta(days=14)
    resolve_old: bool = False
    label_growth: float = 2.0
    label_shift: float = 0.1

    @classmethod
    def of_team(cls, team: TeamOptions, *, match_distance: float = MATCH_DISTANCE) -> "TaskOptions":
        """How a team's tasks are made and read."""
        return cls(
            match_distance=match_distance,
            judge="model" if team.model_judges_tasks else "keywords",
            least_impact=team.least_task_impact,
            least_trouble=team.least_task_trouble,
            resolve_old=team.resolve_old_tasks,
        )


@dataclass(slots=True)
class GrowingTask:
    """A task while a batch is worked in.

    Attributes:
        task_id: its lasting id.
        label: what it is called.
        labelled_segments, labelled_centroid: what its label was made from.
        segments: how many it stands for.
        centroid: float32 (d,), the count-weighted mean of its groups' centroids.
        is_new: the batch founds it.
        written_by: the batch that left it so, and the pass over it; None for a new one.
    """

    task_id: UUID
    label: Label
    labelled_segments: int
    labelled_centroid: "NDArray[np.float32]"
    segments: int
    centroid: "NDArray[np.float32]"
    is_new: bool = False
    written_by: tuple[int, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Segments of a batch that belong together: their rows, descriptions, vectors (n, d) and centroid (d,)."""

    members: Sequence[Mapping[str, Any]]
    texts: Sequence[str]
    vectors: "NDArray[np.float32]"
    centroid: "NDArray[np.float32]"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a task's history to be: what happened, the status after it ("" where it stays), when, in words."""

    change: str
    status: str
    changed_at: datetime
    detail: str


def changes_of(
    task: GrowingTask,
    members: Sequence[Mapping[str, Any]],
    texts: Sequence[str],
    life: Lifecycle,
    last_seen: datetime | None,
    *,
    labelled: bool,
    now: datetime,
    options: TaskOptions,
) -> list[Change]:
    """What the segments of a batch mean for the history of their task.

    Args:
        task: with its label as of now.
        members: its segments of this batch.
        texts: their descriptions.
        life: where it stood before.
        last_seen: end of its last segment before, None for a new task.
        labelled: whether it was labelled in this batch.
        now: when the changes are said to have happened.
    """
    size = f"{len(members)} segments of {len({member['distinct_id'] for member in members})} users"
    problem, why = _is_problem(task, members, texts, options)
    changes = []
    if task.is_new:
        changes.append(Change("created", "new" if problem else "ignored", now, size if problem else f"{size}; {why}"))
    else:
        changes.append(Change("grown", "", now, size))
        changes += _status_changes(members, life, last_seen, problem, why, now, options)
    if labelled:
        changes.append(Change("labelled", "", now, task.label.error or task.label.title))
    return changes


def _status_changes(
    members: Sequence[Mapping[str, Any]],
    life: Lifecycle,
    last_seen: datetime | None,
    problem: bool,
    why: str,
    now: datetime,
    options: TaskOptions,
) -> list[Change]:
    first = min(member["segment_start"] for member in members)
    latest = max(member["segment_start"] for member in members)
    if life.status == "ignored":
        return [Change("surfaced", "new", now, why)] if problem and not life.by_person else []
    if life.status == "resolved":
        # What happened before the task was resolved, and only arrives now, is no relapse.
        again = life.since is None or latest > life.since
        return [Change("regressed", "regressed", now, "seen again after it was resolved")] if again else []
    if last_seen is not None and first > open_until(life, last_seen, options.quiet, resolve_old=options.resolve_old):
        days = (first - last_seen).days
        return [
            Change("resolved", "resolved", now - A_MOMENT, f"quiet since {last_seen:%Y-%m-%d %H:%M}"),
            Change("regressed", "regressed", now, f"seen again after {days} quiet days"),
        ]
    return [Change("continued", "ongoing", now, "seen again")] if life.status == "new" else []


def _is_problem(
    task: GrowingTask, members: Sequence[Mapping[str, Any]], texts: Sequence[str], options: TaskOptions
) -> tuple[bool, str]:
    if options.judge == "model" and task.label.actionable is not None:
        return task.label.actionable, task.label.reason
    mean = float(np.mean([member["impact"] for member in members]))
    share = sum(map(is_problem, texts)) / len(texts)
    is_one = mean >= options.least_impact and share >= options.least_trouble
    return is_one, f"mean impact {mean:.2f}, {share:.0%} tell a problem"
