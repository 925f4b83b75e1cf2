"""The front that all methods share: check, normalise, deduplicate, reduce, cluster, measure. No database."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.clustering import Clustering, Quality
from llma_assets.clusters.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.front import Distinct, checked, deduplicate, normalise
from llma_assets.clusters.graph import graph_partition
from llma_assets.clusters.hdbscan import hdbscan_partition
from llma_assets.clusters.kmeans import kmeans_partition, means_of, polish, squared_distances
from llma_assets.clusters.layout import map_points
from llma_assets.clusters.partition import Partition
from llma_assets.clusters.reduction import Reduced, principal_components
from llma_assets.clusters.silhouettes import SilhouetteScorer
from llma_assets.clusters.threads import one_thread

METHODS = {"graph": graph_partition, "kmeans": kmeans_partition, "hdbscan": hdbscan_partition}


def cluster(embeddings: NDArray[np.float32], config: ClusteringConfig = ClusteringConfig()) -> Clustering:
    """Cluster the rows of `embeddings`.

    Deterministic: equal input and config give equal bytes, on any number of threads. Only directions count:
    rows are scaled to length 1. The partition does not depend on the order of the rows, and equal rows get
    the same answer. BLAS and OpenMP run on one thread meanwhile, in the whole process.

    Args:
        embeddings: float32 (n, d), n at least 1; not changed.
        config: method and parameters.

    Raises:
        InvalidEmbeddingsError: no rows, a wrong shape, or rows that are zero, NaN or infinite (named).
    """
    array = checked(embeddings)
    with one_thread():
        return _cluster(array, config)


def _cluster(array: NDArray[np.float32], config: ClusteringConfig) -> Clustering:
    items = deduplicate(normalise(array))
    reduced = principal_components(items.unit, items.weights, config.pca_components)
    scorer = SilhouetteScorer(reduced.points, items.weights, sample=config.silhouette_sample, seed=config.seed)
    partition = METHODS[config.method](reduced.points, items.weights, scorer, config)
    labels = partition.labels
    if partition.strength is None and config.method != "graph":
        labels = polish(items.unit, items.weights, labels)
    labels = numbered_by_size(labels, items.weights)
    k = int(labels.max(initial=NOISE_LABEL)) + 1
    centroids = means_of(items.unit, items.weights, labels, k)
    squared = squared_distances(items.unit, centroids)
    distances = _distances(squared, labels)
    strength = _margins(squared, labels) if partition.strength is None else partition.strength
    strength = np.where(labels < 0, 0.0, strength)
    points = map_points(reduced.points, items.weights, labels)
    own = labels[items.inverse].astype(np.int_)
    coordinates = points[items.inverse]
    return Clustering(
        labels=own,
        centroids=centroids,
        distances=distances[items.inverse],
        ranks=_ranks(own, distances[items.inverse]),
        strength=strength[items.inverse],
        coordinates=coordinates,
        centroid_coordinates=np.array(
            [np.average(points[labels == c], axis=0, weights=items.weights[labels == c]) for c in range(k)]
        ).reshape(k, 2),
        distinct=items.inverse,
        quality=_quality(items, reduced, scorer, partition, labels, centroids, distances),
        method=config.method,
    )


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


def _distances(squared: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    own = squared[np.arange(len(labels)), labels]
    distances: NDArray[np.float64] = np.sqrt(np.where(labels < 0, squared.min(axis=1), own))
    return distances


def _margins(squared: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """The simplified silhouette: how much nearer the own centroid is than the next, 1 on it, 0 half-way."""
    if squared.shape[1] < 2:
        return np.ones(len(labels))
    distances = np.sqrt(squared)
    rows = np.arange(len(labels))
    own = distances[rows, labels].copy()
    distances[rows, labels] = np.inf
    other = distances.min(axis=1)
    margins: NDArray[np.float64] = 1 - np.divide(own, other, out=np.ones(len(own)), where=other > 0)
    return np.clip(margins, 0.0, 1.0)


def _ranks(labels: NDArray[np.int_], distances: NDArray[np.float64]) -> NDArray[np.int_]:
    order = np.lexsort((np.arange(len(labels)), np.where(labels < 0, -distances, distances), labels))
    ordered = labels[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(labels)])
    ranks = np.empty(len(labels), dtype=np.int_)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return ranks


def _quality(
    items: Distinct,
    reduced: Reduced,
    scorer: SilhouetteScorer,
    partition: Partition,
    labels: NDArray[np.int32],
    centroids: NDArray[np.float32],
    distances: NDArray[np.float64],
) -> Quality:
    k, clustered, total = len(centroids), labels >= 0, float(items.weights.sum())
    sizes = np.bincount(labels[clustered], weights=items.weights[clustered], minlength=k)
    return Quality(
        clusters=k,
        silhouette=scorer.score(labels),
        inertia=float((items.weights[clustered] * np.square(distances[clustered])).sum()),
        noise_share=float(items.weights[~clustered].sum()) / total,
        largest_share=float(sizes.max()) / total,
        separation=_separation(centroids, labels, distances, items.weights, sizes),
        explained_variance=reduced.explained_variance,
        reduced_dimensions=reduced.points.shape[1],
        distinct_items=len(items.unit),
        k_curve=partition.k_curve,
        collapse=partition.collapse,
        mended_by=partition.mended_by,
    )


def _separation(
    centroids: NDArray[np.float32],
    labels: NDArray[np.int32],
    distances: NDArray[np.float64],
    weights: NDArray[np.float64],
    sizes: NDArray[np.number[Any]],
) -> float | None:
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
