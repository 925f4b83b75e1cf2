"""Assigns items to existing clusters: to the nearest centroid, or to noise. No database.

Finding clusters belongs in `clustering_run`, linking them over days in `lineage`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.errors import ClusteringError, InvalidEmbeddingsError

RADIUS_QUANTILE, RADIUS_MARGIN = 0.95, 1.1
BLOCK_ROWS = 4096
"""Rows in one block, so that temporary arrays stay at a few dozen megabytes."""


class Assignment(NamedTuple):
    """The clusters of n items.

    Attributes:
        labels: int (n,), the cluster, -1 where the item lies outside its nearest cluster.
        distances: float64 (n,), Euclidean, from the item at length 1 to the nearest centroid.
        strength: float64 (n,) in [0, 1], how much nearer the own centroid is than the next; 0 for noise.
    """

    labels: NDArray[np.int_]
    distances: NDArray[np.float64]
    strength: NDArray[np.float64]


def cluster_radii(labels: NDArray[np.int_], distances: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """How far a cluster reaches: the 95th percentile of its members' distances × 1.1.

    Args:
        labels: int (n,), the cluster of each item, -1 is noise.
        distances: float64 (n,), of each item to its own centroid.
        k: number of clusters.

    Returns:
        float64 (k,); 0 for a cluster without members, which takes only items on its centroid.
    """
    order = np.lexsort((distances, labels))
    ordered = distances[order]
    first = np.searchsorted(labels[order], np.arange(k + 1))
    sizes = np.diff(first)
    # The quantile by linear interpolation, of all clusters at once.
    place = RADIUS_QUANTILE * np.maximum(sizes - 1, 0)
    below = np.floor(place).astype(np.intp)
    low = np.minimum(first[:-1] + below, max(len(ordered) - 1, 0))
    high = np.minimum(low + 1, np.maximum(first[1:] - 1, 0))
    if len(ordered) == 0:
        return np.zeros(k)
    quantiles = ordered[low] + (place - below) * (ordered[np.maximum(high, low)] - ordered[low])
    return np.where(sizes > 0, quantiles * RADIUS_MARGIN, 0.0)


def assign(embeddings: NDArray[np.float32], centroids: NDArray[np.float32], radii: NDArray[np.float64]) -> Assignment:
    """Assign each row to its nearest centroid, or to noise where that lies further away than its cluster reaches.

    Only directions count: rows are scaled to length 1, as the centroids were. Works through the rows in
    blocks and does not copy the whole input. On a tie the cluster of the lower number wins. Call it within
    `threads.one_thread()` where the bytes have to be the same on every machine.

    Args:
        embeddings: float32 (n, d), n may be 0.
        centroids: float32 (k, d), means of members at length 1; without any, everything is noise, infinitely far.
        radii: float64 (k,), as `cluster_radii` gives them.

    Raises:
        InvalidEmbeddingsError: the wrong shape, or rows that are zero, NaN or infinite (named).
        ClusteringError: as many radii as centroids are needed.
    """
    embeddings, centroids = np.asarray(embeddings), np.asarray(centroids, dtype=np.float32)
    if len(radii) != len(centroids):
        raise ClusteringError(
            f"radii must have one value for each of the {len(centroids)} centroids, found {len(radii)}"
        )
    n, k = len(embeddings), len(centroids)
    labels = np.full(n, NOISE_LABEL, dtype=np.int_)
    distances, strength = np.full(n, np.inf), np.zeros(n)
    if n == 0 or k == 0:
        return Assignment(labels, distances, strength)
    if embeddings.ndim != 2 or embeddings.shape[1] != centroids.shape[1]:
        raise InvalidEmbeddingsError(
            f"embeddings of shape {embeddings.shape} do not fit centroids of {centroids.shape[1]} dimensions"
        )
    reach = np.asarray(radii, dtype=np.float64)
    norms = np.square(centroids, dtype=np.float64).sum(axis=1)
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        unit = unit_rows(embeddings[rows], start)
        apart = np.sqrt(np.maximum(1.0 + norms - 2.0 * (unit @ centroids.T), 0.0))
        nearest = apart.argmin(axis=1)
        each = np.arange(len(nearest))
        distances[rows] = apart[each, nearest]
        inside = distances[rows] <= reach[nearest]
        labels[rows] = np.where(inside, nearest, NOISE_LABEL)
        strength[rows] = np.where(inside, _margin(apart), 0.0)
    return Assignment(labels, distances, strength)


def unit_rows(block: NDArray[np.float32], start: int = 0) -> NDArray[np.float32]:
    """The rows of `block` (b, d) at length 1; `start` is the number of its first row, for the error.

    Raises:
        InvalidEmbeddingsError: rows that are zero, NaN or infinite (named).
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
    wrong = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0)) + start
    if wrong.size:
        shown = ", ".join(str(row) for row in wrong[:10].tolist())
        raise InvalidEmbeddingsError(
            f"{wrong.size} rows of the embeddings are zero, NaN or infinite, among them {shown}",
            tuple(int(row) for row in wrong),
        )
    return np.asarray(block * (1.0 / lengths).astype(np.float32)[:, None], dtype=np.float32)


def _margin(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 on the centroid, 0 half-way to the next; 1 where there is no other."""
    if apart.shape[1] < 2:
        return np.ones(len(apart))
    two = np.partition(apart, 1, axis=1)[:, :2]
    other = two[:, 1]
    margin: NDArray[np.float64] = 1.0 - np.divide(two[:, 0], other, out=np.ones(len(apart)), where=other > 0)
    return np.clip(margin, 0.0, 1.0)
