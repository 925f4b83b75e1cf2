"""The upper level: groups of similar clusters, for readers of many clusters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_CLUSTERS_TO_GROUP = 10
"""Up to this many clusters are not grouped."""
NEAREST = 2
"""Other clusters that each cluster counts as alike."""


def group_clusters(
    centroids: NDArray[np.float32], sizes: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.int_]:
    """Group alike clusters: one tree, and as many groups as the data hold.

    The tree is Ward's, on the directions of the centroids, seen from the mean of all items, so that coarser groups
    are made of finer ones. The number of groups is that with which most clusters are in one group with the two nearest
    to them, against what chance would put there (modularity; M. E. J. Newman, M. Girvan, Phys. Rev. E 69 (2004)).

    Args:
        centroids: float32 (k, d).
        sizes: float64 (k,), items of each.
        mean: float64 (d,), of all items.

    Returns:
        int (k,), numbered from 0 by falling number of items; each cluster for itself where there are few.
    """
    from scipy.cluster.hierarchy import linkage

    k = len(centroids)
    if k <= MIN_CLUSTERS_TO_GROUP:
        return np.arange(k)
    directions = centroids - mean
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions /= np.where(lengths > 0, lengths, 1.0)
    joins = linkage(directions, method="ward")[:, :2].astype(np.intp)
    modularity = _modularity(_alike(directions), joins)
    # Of equal ones the fewest groups.
    best = int(np.flatnonzero(modularity >= modularity.max() - 1e-12)[-1])
    home = np.arange(2 * k - 1)
    for step in range(best):
        home[joins[step]] = k + step
    for node in range(2 * k - 2, -1, -1):
        home[node] = home[home[node]]
    return groups_by_size(home[:k], sizes)


def _alike(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often (k, k) two clusters are among the nearest to each other: 0, 1 or 2."""
    similarity = directions @ directions.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEAREST]
    counts = np.zeros_like(similarity)
    np.put_along_axis(counts, nearest, 1.0, axis=1)
    return counts + counts.T


def _modularity(between: NDArray[np.float64], joins: NDArray[np.intp]) -> NDArray[np.float64]:
    """The modularity (k,) after 0, 1, 2, … joins of a tree; a join makes a node of two, numbered from k on."""
    k = len(between)
    total = max(float(between.sum()), 1.0)
    shares = np.zeros((2 * k - 1, 2 * k - 1))
    shares[:k, :k] = between / total
    degrees = shares.sum(axis=1)
    values = np.empty(k)
    values[0] = float(np.trace(shares) - np.square(degrees).sum())
    for step, (one, other) in enumerate(joins.tolist()):
        values[step + 1] = values[step] + 2 * (shares[one, other] - degrees[one] * degrees[other])
        node = k + step
        shares[node] = shares[one] + shares[other]
        shares[:, node] = shares[:, one] + shares[:, other]
        degrees[node] = degrees[one] + degrees[other]
    return values


def groups_by_size(groups: NDArray[np.int_], sizes: NDArray[np.number[Any]]) -> NDArray[np.int_]:
    """Number groups by falling size, on a tie by their first cluster."""
    ids, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    totals = np.bincount(inverse, weights=sizes)
    place = np.empty(len(ids), dtype=np.int_)
    place[np.lexsort((first, -totals))] = np.arange(len(ids))
    return place[inverse]
