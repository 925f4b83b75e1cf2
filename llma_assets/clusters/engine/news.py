"""Sets apart what is new and what is over: parts of the tree of communities of whose items nearly all, or next to none,
came in the newest days.

A topic that begins has few items, and the cut, which is as fine as all of the data allow, leaves them in the cluster
next to it; and so it may be with one that ends. Their age tells what their place does not: chance seldom puts items of
the newest days together alone, or leaves them out.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.ages import CHANCE, chance_of_news, chance_of_silence
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.tree import Tree

LEAST_FREE = 0.5
"""A part is set apart if this share of it is not in a cluster that is itself new, or over."""


def set_apart(
    labels: NDArray[np.int32], tree: Tree, arrivals: NDArray[np.int_], point: NDArray[np.intp], *, smallest: int
) -> NDArray[np.int32]:
    """Make clusters of the parts of the tree that are new or over, the least likely ones first.

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
    wholes = arrivals[:, 1]

    def counted(parts: list[NDArray[np.intp]]) -> NDArray[np.intp]:
        """Items of each part and day, one of a whole, (parts, days)."""
        first = [items[np.unique(wholes[items], return_index=True)[1]] for items in parts]
        return np.array([np.bincount(day[items], minlength=len(days)) for items in first]).reshape(-1, len(days))

    everything = counted([np.arange(len(day))])[0]
    parts = [items for items in _parts(tree, point) if len(items) >= smallest]
    of_parts = counted(parts)
    found = labels
    for chance_of in (chance_of_news, chance_of_silence):
        k = int(found.max(initial=NOISE_LABEL)) + 1
        stands = np.zeros(k + 1, dtype=bool)  # noise has the last place
        stands[:k] = chance_of(counted(_items_of(found[point], k)), everything) < CHANCE
        found = _made_clusters(found, parts, chance_of(of_parts, everything), stands, point, smallest=smallest)
    return found


def _made_clusters(
    labels: NDArray[np.int32],
    parts: list[NDArray[np.intp]],
    likely: NDArray[np.float64],
    stands: NDArray[np.bool_],
    point: NDArray[np.intp],
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Make a cluster of each part that is unlikely, but for what is in a cluster that `stands` (k + 1,) by itself."""
    found, taken, k = labels.copy(), np.zeros(len(labels), dtype=bool), len(stands) - 1
    for place in np.argsort(likely, kind="stable").tolist():
        if likely[place] >= CHANCE:
            break
        items = parts[place]
        inside = np.unique(point[items])
        if taken[inside].any():
            continue
        taken[inside] = True
        free = ~stands[labels[point[items]]]
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
