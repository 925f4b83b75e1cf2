"""Measures of a partition: distances, ranks, margins, separation. Finding partitions belongs in the methods."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.kmeans import squared_distances

BLOCK_ROWS = 8192


def numbered_by_size(labels: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.int32]:
    """Number clusters by falling weight; on a tie the one with the first distinct row comes first."""
    clustered = np.flatnonzero(labels >= 0)
    if clustered.size == 0:
        return labels
    ids, first, inverse = np.unique(labels[clustered], return_index=True, return_inverse=True)
    sizes = np.bincount(inverse, weights=weights[clustered], minlength=len(ids))
    place = np.empty(len(ids), dtype=np.int32)
    place[np.lexsort((first, -sizes))] = np.arange(len(ids), dtype=np.int32)
    numbered = np.full(len(labels), NOISE_LABEL, dtype=np.int32)
    numbered[clustered] = place[inverse]
    return numbered


def centroid_distances(
    unit: NDArray[np.float32], centroids: NDArray[np.float32], labels: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance (m,) of each row to its own centroid, of noise to the nearest one, and its margin (m,).

    The margin is the simplified silhouette: how much nearer the own centroid is than the next, 1 on it, 0
    half-way or beyond; 1 for all where there is one cluster.
    """
    m, k = len(unit), len(centroids)
    distances, margins = np.empty(m), np.ones(m)
    for start in range(0, m, BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        apart = np.sqrt(squared_distances(unit[part], centroids))
        rows, home = np.arange(len(apart)), labels[part]
        own = np.where(home < 0, apart.min(axis=1), apart[rows, home])
        distances[part] = own
        if k > 1:
            apart[rows, home] = np.inf
            other = apart.min(axis=1)
            margins[part] = 1 - np.divide(own, other, out=np.ones(len(own)), where=other > 0)
    return distances, np.clip(margins, 0.0, 1.0)


def ranks_within(labels: NDArray[np.int_], distances: NDArray[np.float64]) -> NDArray[np.int_]:
    """Place (n,) of each item in its cluster, the closest first; among noise the farthest first."""
    order = np.lexsort((np.arange(len(labels)), np.where(labels < 0, -distances, distances), labels))
    ordered = labels[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(labels)])
    ranks = np.empty(len(labels), dtype=np.int_)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return ranks


def separation_of(
    centroids: NDArray[np.float32],
    labels: NDArray[np.int32],
    distances: NDArray[np.float64],
    weights: NDArray[np.float64],
    sizes: NDArray[np.number[Any]],
) -> float | None:
    """Median over the clusters of the distance to the next centroid over the mean distance of members to their own."""
    k = len(centroids)
    if k < 2:
        return None
    wide = centroids.astype(np.float64)
    norms = np.square(wide).sum(axis=1)
    apart = np.sqrt(np.maximum(norms[:, None] + norms[None, :] - 2 * wide @ wide.T, 0))
    np.fill_diagonal(apart, np.inf)
    clustered = labels >= 0
    spread = np.bincount(labels[clustered], weights=(weights * distances)[clustered], minlength=k) / sizes
    # Members that are all equal have no spread; the floor keeps the ratio a number that JSON can hold.
    return float(np.median(apart.min(axis=1) / np.maximum(spread, 1e-6)))
