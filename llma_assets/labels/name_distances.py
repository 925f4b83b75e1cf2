"""Finds names that are so similar that readers confuse them. Embedding and changing names belongs in `naming`.

All vectors have length 1; a distance is 1 minus the cosine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOO_CLOSE = 0.2
"""Cosine distance below which two names are too similar."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The other name that is nearest to a name.

    Attributes:
        index: position of the other name, -1 where there is none.
        distance: cosine distance to it, in [0, 2]; None where there is none.
    """

    index: int
    distance: float | None

    @property
    def too_close(self) -> bool:
        """Whether readers could confuse the two names."""
        return self.distance is not None and self.distance < TOO_CLOSE


def nearest_names(names: NDArray[np.float32]) -> list[Nearest]:
    """For each of the names (k, d) the nearest other one; of equally near ones the first."""
    if len(names) < 2:
        return [Nearest(-1, None)] * len(names)
    distances = _distances(names)
    np.fill_diagonal(distances, np.inf)
    indexes = distances.argmin(axis=1)
    return [Nearest(int(index), float(distances[row, index])) for row, index in enumerate(indexes)]


def groups_too_close(names: NDArray[np.float32], movable: Sequence[bool], most: int) -> list[list[int]]:
    """Groups of names that must be made distinct together: connected by pairs that are too close, closest first.

    Args:
        names: float32 (k, d).
        movable: k flags; a name that cannot change is in no group, but those too close to it are.
        most: names in a group at most, at least 2; larger groups are divided at their widest pairs.
    """
    distances = _distances(names)
    group_of = {index: [index] for index in range(len(names)) if movable[index]}
    affected: dict[int, float] = {}
    for first, second in sorted(_pairs(distances), key=lambda pair: (distances[pair], pair)):
        for index in (first, second):
            if movable[index]:
                affected.setdefault(index, float(distances[first, second]))
        if not (movable[first] and movable[second]):
            continue
        one, other = group_of[first], group_of[second]
        if one is not other and len(one) + len(other) <= most:
            one += other
            group_of |= dict.fromkeys(other, one)
    found: dict[int, list[int]] = {}
    for index in sorted(affected, key=lambda index: (affected[index], index)):
        found.setdefault(id(group_of[index]), sorted(group_of[index]))
    return list(found.values())


def too_close_to(names: NDArray[np.float32], group: Sequence[int]) -> list[int]:
    """Positions of names outside `group` that are too close to one in it."""
    near = (_distances(names)[list(group)] < TOO_CLOSE).any(axis=0)
    return [int(index) for index in np.flatnonzero(near) if index not in set(group)]


def _distances(names: NDArray[np.float32]) -> NDArray[np.float64]:
    vectors = names.astype(np.float64)
    distances: NDArray[np.float64] = 1.0 - vectors @ vectors.T
    return distances


def _pairs(distances: NDArray[np.float64]) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(np.triu(distances < TOO_CLOSE, k=1))
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
