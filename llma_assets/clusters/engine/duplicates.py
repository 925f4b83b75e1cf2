"""Merges near duplicates, so that they are clustered once. Exact duplicates are merged in `preprocessing`.

The same text embedded twice, or stored with another rounding, gives rows that differ in their last digits. Unmerged
they form a dense cluster of their own.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.neighbours import Neighbours
from llma_assets.clusters.engine.preprocessing import Distinct


def merge_near_duplicates(
    items: Distinct, points: NDArray[np.float32], neighbours: Neighbours, distance: float
) -> tuple[Distinct, NDArray[np.float32]]:
    """Let one item represent all within `distance` of it, and return the representatives and their points.

    In the items' order each item that is not represented yet represents those near it. So chains of small distances do
    not join distant items, and the result depends on the content alone.

    Args:
        items: m distinct rows.
        points: float32 (m, p), the same in their principal axes, where distances are never larger.
        neighbours: of the same points; they tell which items have anything near.
        distance: Euclidean, between rows of length 1.
    """
    from scipy.spatial import KDTree

    m = len(points)
    if m < 2 or distance == 0.0:
        return items, points
    crowded = np.flatnonzero(neighbours.distances[:, 0] <= distance)
    if len(crowded) == 0:
        return items, points
    inside = points[crowded].astype(np.float64)
    tree = KDTree(inside)
    leader = np.arange(m)
    represented = np.zeros(len(crowded), dtype=bool)
    for place, index in enumerate(crowded):
        if represented[place]:
            continue
        near = np.array(tree.query_ball_point(inside[place], distance), dtype=np.intp)
        near = np.sort(near[~represented[near]])
        apart = items.unit[crowded[near]] - items.unit[index]
        copies = near[np.einsum("ij,ij->i", apart, apart) <= distance**2]
        leader[crowded[copies]] = index
        represented[copies] = True
        represented[place] = True
    kept = np.flatnonzero(leader == np.arange(m))
    if len(kept) == m:
        return items, points
    place_of = np.empty(m, dtype=np.intp)
    place_of[kept] = np.arange(len(kept))
    home = place_of[leader]
    merged = replace(
        items,
        unit=items.unit[kept],
        weights=np.bincount(home, weights=items.weights).astype(np.float64),
        inverse=home[items.inverse],
    )
    return merged, points[kept]
