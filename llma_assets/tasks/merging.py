"""Finds tasks whose centroids have come so close that they are one problem. Pure: tasks in, pairs out.

The same problem in other words first becomes a task of its own; with more segments the two centroids approach each
other. Decisions of people take precedence.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import numpy as np

from llma_assets.tasks.changes import GrowingTask
from llma_assets.tasks.history import Lifecycle
from llma_assets.tasks.matching import unit

_OPEN = ("new", "ongoing", "regressed")


def tasks_to_merge(
    tasks: Sequence[GrowingTask], grown: Collection[UUID], lives: Mapping[str, Lifecycle], threshold: float
) -> list[tuple[GrowingTask, GrowingTask]]:
    """Pairs (part, whole) of tasks to merge, closest pairs first; a task is in one pair at most.

    The task with more segments is the whole. Tasks are left out if they are merged already, not open, or if a person
    set their status or title or unmerged them.

    Args:
        tasks: all of a team.
        grown: ids of those whose centroid has moved; each pair holds at least one of them.
        lives: lifecycles by task id; a missing task is new.
        threshold: cosine distance of two centroids below which they are merged.
    """
    free = [task for task in tasks if _can_merge(lives.get(str(task.task_id), Lifecycle()))]
    moved = [index for index, task in enumerate(free) if task.task_id in grown]
    if not moved or len(free) < 2:
        return []
    centroids = unit(np.stack([task.centroid for task in free]))
    distances = 1 - centroids[moved] @ centroids.T
    distances[np.arange(len(moved)), moved] = np.inf
    rows, columns = np.nonzero(distances < threshold)
    order = np.lexsort((columns, rows, distances[rows, columns])).tolist()
    pairs: list[tuple[GrowingTask, GrowingTask]] = []
    used: set[UUID] = set()
    for index in order:
        first, second = free[moved[rows[index]]], free[columns[index]]
        if first.task_id in used or second.task_id in used:
            continue
        part, whole = sorted((first, second), key=lambda task: (task.segments, not task.is_new, str(task.task_id)))
        used.update((part.task_id, whole.task_id))
        pairs.append((part, whole))
    return pairs


def _can_merge(life: Lifecycle) -> bool:
    return not (life.merged_into or life.by_person or life.title or life.separated) and life.status in _OPEN
