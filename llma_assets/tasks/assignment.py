"""Assigns the groups of a batch to tasks: known ones, or new ones. Pure: groups and tasks in, assignments out.

Distances of centroids belong in `matching`, what an assignment means for a task's history in `changes`.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import numpy as np

from llma_assets.tasks.changes import Group, GrowingTask, TaskOptions
from llma_assets.tasks.history import Lifecycle
from llma_assets.tasks.labelling import Label
from llma_assets.tasks.matching import UNMATCHED, match_tasks, unit, weighted_mean


def assign_groups(
    groups: Sequence[Group],
    tasks: Sequence[GrowingTask],
    lives: Mapping[str, Lifecycle],
    options: TaskOptions,
    *,
    new_id: Callable[[Group], UUID],
) -> list[tuple[GrowingTask, list[Group]]]:
    """Each task that gets groups, with them. A group that matches no task creates one.

    Larger groups create tasks first, and a new task can get later groups of the same batch, too. A group that matches a
    merged task is assigned to the task that it was merged into.
    """
    if not groups:
        return []
    found: dict[UUID, tuple[GrowingTask, list[Group]]] = {}
    by_id = {str(task.task_id): task for task in tasks}
    centroids = np.stack([group.centroid for group in groups])
    known = np.stack([task.centroid for task in tasks]) if tasks else np.empty_like(centroids, shape=(0, 0))
    matched, _ = match_tasks(centroids, known, options.match_distance)
    rest = []
    for number, group in enumerate(groups):
        if matched[number] == UNMATCHED:
            rest.append(number)
            continue
        task = tasks[int(matched[number])]
        task = by_id.get(lives.get(str(task.task_id), Lifecycle()).merged_into, task)
        found.setdefault(task.task_id, (task, []))[1].append(group)
    new: list[GrowingTask] = []
    for number in sorted(rest, key=lambda number: (-len(groups[number].members), number)):
        group = groups[number]
        near = _nearest(group, new, options.match_distance)
        if near is None:
            blank = Label("", "", "", None, "")
            near = GrowingTask(new_id(group), blank, 0, group.centroid, 0, group.centroid, is_new=True)
            new.append(near)
        found.setdefault(near.task_id, (near, []))[1].append(group)
    return list(found.values())


def _nearest(group: Group, tasks: Sequence[GrowingTask], threshold: float) -> GrowingTask | None:
    if not tasks:
        return None
    distances = 1 - unit(np.stack([task.centroid for task in tasks])) @ unit(group.centroid[None])[0]
    nearest = int(distances.argmin())
    return tasks[nearest] if distances[nearest] < threshold else None


def grow(task: GrowingTask, groups: Sequence[Group]) -> None:
    for group in groups:
        size = len(group.members)
        task.centroid = weighted_mean(task.centroid, task.segments, group.centroid, size)
        task.segments += size
