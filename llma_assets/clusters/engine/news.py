"""Sets apart what is new: parts of the tree of communities nearly all of whose items came in the newest days.

A topic that begins has few items, and the cut, which is as fine as all of the data allow, leaves them in the cluster
next to it. Their age tells what their place does not: chance seldom puts items of the newest days together alone.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.tree import Tree

CHANCE = 1e-4
"""A part is new if chance puts so many new items together this seldom; some hundred parts of a window are looked at."""
LEAST_RATIO = 4.0
"""It also holds so many times the share of the newer days that it holds of the older ones."""
NEWEST_DAYS = 3
"""Days that count as the newest, at most; by then what is carried over holds the new cluster."""
LEAST_FREE = 0.5
"""A part is set apart if this share of it is not in a cluster that is itself new."""


def set_apart(
    labels: NDArray[np.int32], tree: Tree, arrivals: NDArray[np.int_], point: NDArray[np.intp], *, smallest: int
) -> NDArray[np.int32]:
    """Make clusters of the parts of the tree that are new, the least likely ones first.

    Args:
        labels: int32 (m,), -1 is noise.
        tree: of the same points.
        arrivals: int (n, 2), the day of each item, and what it is part of: of one whole only one item counts.
        point: intp (n,), the point that each item belongs to.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,); new clusters have new numbers.
    """
    days, day = np.unique(arrivals[:, 0], return_inverse=True)
    newest = range(1, min(NEWEST_DAYS, len(days) // 2) + 1)
    wholes = arrivals[:, 1]

    def counted(items: NDArray[np.intp]) -> NDArray[np.intp]:
        """Items of each day, one of a whole."""
        return np.bincount(day[items[np.unique(wholes[items], return_index=True)[1]]], minlength=len(days))

    def chance(items: NDArray[np.intp]) -> float:
        return _chance(counted(items), everything, newest)

    everything = counted(np.arange(len(day)))
    k = int(labels.max(initial=NOISE_LABEL)) + 1
    is_new = np.zeros(k + 1, dtype=bool)  # noise has the last place
    is_new[:k] = [chance(items) < CHANCE for items in _items_of(labels[point], k)]
    parts = [(chance(items), items) for items in _parts(tree, point) if len(items) >= smallest]
    found, taken = labels.copy(), np.zeros(len(labels), dtype=bool)
    for likely, items in sorted(parts, key=lambda part: part[0]):
        if likely >= CHANCE:
            break
        inside = np.unique(point[items])
        if taken[inside].any():
            continue
        taken[inside] = True
        free = ~is_new[labels[point[items]]]
        if free.sum() >= max(smallest, LEAST_FREE * len(items)):
            found[point[items[free]]] = k
            k += 1
    return found


def _items_of(place: NDArray[np.int32], places: int) -> list[NDArray[np.intp]]:
    """The items at each of the places 0 to `places` - 1."""
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(places + 1))
    return [order[start:end] for start, end in pairwise(bounds.tolist())]


def _parts(tree: Tree, point: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The items of each part of the tree with at most half of all: of fine communities, then of what is joined."""
    of_part = _items_of(tree.fine[point], int(tree.fine.max()) + 1)
    yield from list(of_part)
    for first, second in tree.pairs.tolist():
        of_part[first] = joined = np.concatenate([of_part[first], of_part[second]])
        if 2 * len(joined) <= len(point):
            yield joined


def _chance(counts: NDArray[np.intp], everything: NDArray[np.intp], newest: range) -> float:
    """How likely so many of the counted items came in the newest days, the least over how many; 1 if not new."""
    from scipy.special import betainc

    size, least = int(counts.sum()), 1.0
    for days in newest:
        young, share = int(counts[-days:].sum()), float(everything[-days:].sum() / everything.sum())
        if young and young * (1 - share) >= LEAST_RATIO * (size - young) * share:
            # The upper tail of the binomial distribution.
            least = min(least, float(betainc(young, size - young + 1, share)))
    return least
