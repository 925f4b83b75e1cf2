"""Which changes a batch adds to the history of a task. Stores nothing.

Labelling belongs in `relabelling`, storing in `updates`.
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
ONE_TICK = timedelta(microseconds=1)
"""Orders two changes of the same time."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How groups become tasks.

    Attributes:
        match_distance: largest cosine distance between the centroids of a group and its task.
        judge: whether keywords or the model decide that something is a problem.
        least_impact: with keywords, a group with a smaller mean impact becomes an ignored task: it is recognised the
            next time, is not listed, and surfaces when its impact rises. 0 ignores nothing, because keywords miss
            much; a failure in a quarter of the segments gives 0.1.
        least_trouble: with keywords, the same for a group in which a smaller share of the segments reports a problem
            in any words. Segments that are not English count as problems; 0 ignores nothing.
        quiet: a task without occurrences for so long is resolved.
        resolve_old: a task with only older segments is resolved at once; otherwise it stays open for `quiet` from the
            day of its creation.
        label_growth: a task is labelled again once it has so many times the segments of its last label …
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
    """A task while a batch is processed.

    Attributes:
        task_id: its lasting id.
        label: its label.
        labelled_segments, labelled_centroid: segments and centroid at the time of its label.
        segments: number of its segments.
        centroid: float32 (d,), the count-weighted mean of its groups' centroids.
        is_new: whether the batch creates it.
        written_by: the batch and the pass that wrote this version; None for a new task.
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
    """A row for a task's history: the change, the status after it ("" if unchanged), the time and a detail."""

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
    """The changes that the segments of a batch add to the history of their task.

    Args:
        task: with its present label.
        members: its segments of this batch.
        texts: their descriptions.
        life: its life before.
        last_seen: end of its last segment before, None for a new task.
        labelled: whether it was labelled in this batch.
        now: time of the changes.
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
        # Segments from before the task was resolved that arrive late are no regression.
        again = life.since is None or latest > life.since
        return [Change("regressed", "regressed", now, "seen again after it was resolved")] if again else []
    if last_seen is not None and first > open_until(life, last_seen, options.quiet, resolve_old=options.resolve_old):
        days = (first - last_seen).days
        return [
            Change("resolved", "resolved", now - ONE_TICK, f"quiet since {last_seen:%Y-%m-%d %H:%M}"),
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
    return is_one, f"mean impact {mean:.2f}, {share:.0%} report a problem"
