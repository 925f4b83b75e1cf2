"""The upper level: groups of similar clusters, for readers of many clusters. Uses centroids only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_CLUSTERS_TO_GROUP = 10
"""Up to this many clusters are not grouped."""
GROUP_RANGE_FACTOR = 2**0.5


def group_clusters(
    centroids: NDArray[np.float32], sizes: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.int_]:
    """Group alike clusters, about as many groups as each has clusters.

    Ward's method on the directions of the centroids, seen from the mean of all items. Among the numbers of groups
    near the square root of k it chooses the one after which joining two more groups costs most.

    Args:
        centroids: float32 (k, d).
        sizes: float64 (k,), items of each.
        mean: float64 (d,), of all items.

    Returns:
        int (k,), numbered from 0 by falling number of items; each cluster for itself where there are few.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    k = len(centroids)
    if k <= MIN_CLUSTERS_TO_GROUP:
        return np.arange(k)
    directions = centroids - mean
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions /= np.where(lengths > 0, lengths, 1.0)
    joins = linkage(directions, method="ward")
    few, many = max(3, round(k**0.5 / GROUP_RANGE_FACTOR)), round(k**0.5 * GROUP_RANGE_FACTOR)
    heights = joins[:, 2]
    # With g groups left the next join is the one at place k - g, and the last one made at place k - g - 1.
    steps = [heights[k - g] - heights[k - g - 1] for g in range(few, many + 1)]
    groups = fcluster(joins, few + int(np.argmax(steps)), criterion="maxclust") - 1
    return groups_by_size(groups, sizes)


def groups_by_size(groups: NDArray[np.int_], sizes: NDArray[np.number[Any]]) -> NDArray[np.int_]:
    """Number groups by falling size, on a tie by their first cluster."""
    ids, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    totals = np.bincount(inverse, weights=sizes)
    place = np.empty(len(ids), dtype=np.int_)
    place[np.lexsort((first, -totals))] = np.arange(len(ids))
    return place[inverse]
