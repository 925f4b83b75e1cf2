"""Matches groups of segments to tasks by their centroids. Pure: arrays in, numbers out."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MATCH_DISTANCE = 0.3
"""Cosine distance of two centroids within which they are the same problem."""

UNMATCHED = -1
_BLOCK_ROWS = 512


def match_tasks(
    groups: "NDArray[np.float32]", tasks: "NDArray[np.float32]", threshold: float = MATCH_DISTANCE
) -> "tuple[NDArray[np.intp], NDArray[np.float32]]":
    """The task of each group: one to one first, closest pairs first; then each remaining group its closest task.

    Args:
        groups: float32 (g, d), centroids of any length but zero.
        tasks: float32 (t, d).
        threshold: a group at this cosine distance or farther from every task has none.

    Returns:
        the task's row for each group, -1 where there is none, (g,); and the cosine distance to it, (g,), NaN where
        there is none. Ties go to the earlier group and the earlier task.

    Raises:
        ValueError: the two differ in dimension.
    """
    count = len(groups)
    matched = np.full(count, UNMATCHED, dtype=np.intp)
    distances = np.full(count, np.nan, dtype=np.float32)
    if count == 0 or len(tasks) == 0:
        return matched, distances
    if groups.shape[1] != tasks.shape[1]:
        raise ValueError(f"groups and tasks must have the same dimension, got {groups.shape[1]} and {tasks.shape[1]}")
    unit_tasks = unit(tasks)
    pairs_g, pairs_t, pairs_d = [], [], []
    for start in range(0, count, _BLOCK_ROWS):
        block = np.float32(1) - unit(groups[start : start + _BLOCK_ROWS]) @ unit_tasks.T
        rows, columns = np.nonzero(block < threshold)
        pairs_g.append(rows + start)
        pairs_t.append(columns)
        pairs_d.append(block[rows, columns])
    group, task, distance = np.concatenate(pairs_g), np.concatenate(pairs_t), np.concatenate(pairs_d)
    order = np.lexsort((task, group, distance))
    used: set[int] = set()
    rest = []
    for index in order.tolist():
        if matched[group[index]] != UNMATCHED:
            continue
        if int(task[index]) in used:
            rest.append(index)
            continue
        matched[group[index]], distances[group[index]] = task[index], distance[index]
        used.add(int(task[index]))
    for index in rest:
        if matched[group[index]] == UNMATCHED:
            matched[group[index]], distances[group[index]] = task[index], distance[index]
    return matched, distances


def unit(vectors: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Rows of `vectors` (n, d) scaled to length 1."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    factors = (1 / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    scaled: NDArray[np.float32] = vectors * factors[:, None]
    return scaled


def weighted_mean(
    first: "NDArray[np.float32]", first_count: int, second: "NDArray[np.float32]", second_count: int
) -> "NDArray[np.float32]":
    """The count-weighted mean of two centroids (d,)."""
    total = first_count + second_count
    mean: NDArray[np.float32] = ((first * first_count + second * second_count) / total).astype(np.float32)
    return mean


def cosine_distance(first: "NDArray[np.float32]", second: "NDArray[np.float32]") -> float:
    """1 minus the cosine of two vectors (d,)."""
    return float(1 - unit(first[None])[0] @ unit(second[None])[0])
