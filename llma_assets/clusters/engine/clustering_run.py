"""The front that all methods share: check, normalise, deduplicate, reduce, cluster, measure. No database."""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.assignment import cluster_radii
from llma_assets.clusters.engine.clustering import Clustering, Predict, Quality
from llma_assets.clusters.engine.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.engine.duplicates import merge_near_duplicates
from llma_assets.clusters.engine.errors import InvalidConfigError
from llma_assets.clusters.engine.graph import graph_partition
from llma_assets.clusters.engine.groups import group_clusters
from llma_assets.clusters.engine.hdbscan import hdbscan_partition
from llma_assets.clusters.engine.kmeans import kmeans_partition, means_of, refine_kmeans
from llma_assets.clusters.engine.layout import map_points
from llma_assets.clusters.engine.measures import centroid_distances, numbered_by_size, ranks_within, separation_of
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours
from llma_assets.clusters.engine.partition import Partition
from llma_assets.clusters.engine.preprocessing import (
    Distinct,
    checked,
    checked_arrivals,
    checked_coordinates,
    checked_labels,
    deduplicate,
)
from llma_assets.clusters.engine.prior import labels_of_points
from llma_assets.clusters.engine.reduction import Reduced, axes_of, principal_components
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer
from llma_assets.clusters.engine.stability import stability_of
from llma_assets.clusters.engine.threads import one_thread

METHODS = {"kmeans": kmeans_partition, "hdbscan": hdbscan_partition}
BORDERLINE = {"graph": 0.5, "kmeans": 0.05, "hdbscan": 0.1}
"""Strength below which a member is borderline: with `graph` most of its neighbours are in other clusters, with
`kmeans` the next centroid is hardly farther, with `hdbscan` it joined when its cluster was about to end."""

GRAPH_SILHOUETTE_SAMPLE = 1000
"""Points that the silhouette of `graph` is computed on; it decides nothing there."""


def cluster(
    embeddings: NDArray[np.float32],
    config: ClusteringConfig = ClusteringConfig(),
    *,
    initial_coordinates: NDArray[np.float64] | None = None,
    earlier_resolution: float | None = None,
    earlier_labels: NDArray[np.int_] | None = None,
    arrivals: NDArray[np.int_] | None = None,
) -> Clustering:
    """Cluster the rows of `embeddings`.

    Deterministic: equal input and config give equal bytes, on any number of threads. Only directions count:
    rows are scaled to length 1. The partition does not depend on the order of the rows, and equal or
    nearly equal rows get the same cluster. BLAS and OpenMP are limited to one thread in the whole process meanwhile.

    Args:
        embeddings: float32 (n, d), n at least 1; not changed.
        config: method and parameters.
        initial_coordinates: (n, 2), where the items lay on yesterday's map, NaN for new ones; the map starts
            from there. The partition does not depend on it.
        earlier_resolution: `quality.resolution` of the run before. `graph` keeps it while no other is much better, so
            that the same clusters are not cut finer on one day and coarser on the next.
        earlier_labels: int (n, r), the cluster of each item in each of r runs before, below 0 where it had none.
            `graph` holds together what they had together, and apart what they had apart, while the data allow it.
        arrivals: int (n, 2), the day of each item, and the number of what it is part of, such as its trace: of one
            whole one item counts. `graph` makes clusters of their own of communities that came in the newest days.

    Raises:
        InvalidEmbeddingsError: no rows, a wrong shape, or rows that are zero, NaN or infinite (named); or
            `initial_coordinates`, `earlier_labels` or `arrivals` of another shape.
        InvalidConfigError: `earlier_resolution` is not above 0.
    """
    if earlier_resolution is not None and not earlier_resolution > 0:
        raise InvalidConfigError(f"earlier_resolution must be above 0, got {earlier_resolution!r}")
    rows = checked(embeddings)
    before = checked_coordinates(initial_coordinates, len(rows.array))
    earlier = checked_labels(earlier_labels, len(rows.array))
    came = checked_arrivals(arrivals, len(rows.array))
    with one_thread():
        return _cluster(deduplicate(rows), config, before, earlier_resolution, earlier, came)


def _cluster(
    items: Distinct,
    config: ClusteringConfig,
    before: NDArray[np.float64] | None,
    earlier_resolution: float | None,
    earlier_labels: NDArray[np.int_] | None,
    arrivals: NDArray[np.int_] | None,
) -> Clustering:
    reduced = principal_components(items.unit, items.weights, config.pca_components)
    axes = axes_of(items.unit, items.weights, reduced) if config.method == "hdbscan" else None
    neighbours = nearest_neighbours(reduced.points, config.neighbours, seed=config.seed)
    items, points = merge_near_duplicates(items, reduced.points, neighbours, config.same_distance)
    if len(points) < len(reduced.points):
        neighbours = nearest_neighbours(points, config.neighbours, seed=config.seed)
    sample = (
        min(config.silhouette_sample, GRAPH_SILHOUETTE_SAMPLE) if config.method == "graph" else config.silhouette_sample
    )
    scorer = SilhouetteScorer(points, items.weights, sample=sample, seed=config.seed)
    if config.method == "graph":
        known = None if earlier_labels is None else labels_of_points(earlier_labels, items.inverse, len(points))
        came = None if arrivals is None else (arrivals, items.inverse)
        partition = graph_partition(points, items.weights, neighbours, scorer, config, earlier_resolution, known, came)
    else:
        partition = METHODS[config.method](points, items.weights, scorer, config)
    labels, strength = partition.labels, partition.strength
    if strength is None:
        labels = refine_kmeans(items.unit, items.weights, labels)
    labels = numbered_by_size(labels, items.weights)
    k = int(labels.max(initial=NOISE_LABEL)) + 1
    centroids = means_of(items.unit, items.weights, labels, k)
    distances, margins = centroid_distances(items.unit, centroids, labels)
    strength = np.where(labels < 0, 0.0, margins if strength is None else strength)
    kind = "kmeans" if partition.strength is None else config.method
    clustered = labels >= 0
    sizes = np.bincount(labels[clustered], weights=items.weights[clustered], minlength=k).astype(np.float64)
    laid = _map(points, neighbours, items, labels, before, config)
    own = labels[items.inverse].astype(np.int_)
    quality = Quality(
        clusters=k,
        silhouette=scorer.score(labels),
        inertia=float((items.weights[clustered] * np.square(distances[clustered])).sum()),
        stability=_stability(partition, points, items, config),
        noise_share=float(items.weights[~clustered].sum() / items.weights.sum()),
        borderline_share=float(items.weights[clustered & (strength < BORDERLINE[kind])].sum() / items.weights.sum()),
        largest_share=float(sizes.max() / items.weights.sum()),
        separation=separation_of(centroids, labels, distances, items.weights, sizes),
        explained_variance=reduced.explained_variance,
        reduced_dimensions=points.shape[1],
        distinct_items=len(points),
        k_curve=partition.k_curve,
        resolution=partition.resolution,
        resolution_curve=partition.resolution_curve,
        collapse=partition.collapse,
        mended_by=partition.fallback,
    )
    return Clustering(
        labels=own,
        centroids=centroids,
        radii=cluster_radii(own, distances[items.inverse], k),
        groups=group_clusters(centroids, sizes, reduced.mean),
        distances=distances[items.inverse],
        ranks=ranks_within(own, distances[items.inverse]),
        strength=strength[items.inverse],
        borderline=(clustered & (strength < BORDERLINE[kind]))[items.inverse],
        coordinates=laid[items.inverse],
        centroid_coordinates=means_of(laid.astype(np.float32), items.weights, labels, k).astype(np.float64),
        distinct=items.inverse,
        quality=quality,
        method=config.method,
        outlier_scores=None if partition.outlier_scores is None else partition.outlier_scores[items.inverse],
        predict=None if axes is None else _predict(partition, labels, reduced, axes),
    )


def _predict(
    partition: Partition, labels: NDArray[np.int32], reduced: Reduced, axes: NDArray[np.float32]
) -> Predict | None:
    """The partition's own assignment of other points, from rows of length 1 to the final numbers of clusters."""
    predict = partition.predict
    if predict is None:
        return None
    numbers = np.full(int(labels.max(initial=NOISE_LABEL)) + 2, NOISE_LABEL, dtype=np.int_)
    numbers[partition.labels] = labels  # noise has the last place
    mean = reduced.mean.astype(np.float32)

    def placed(unit: NDArray[np.float32]) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
        found, strength = predict(np.asarray((unit - mean) @ axes, dtype=np.float32))
        return numbers[found], strength

    return placed


def _stability(
    partition: Partition, points: NDArray[np.float32], items: Distinct, config: ClusteringConfig
) -> float | None:
    if partition.recluster is None:
        return partition.stability
    return stability_of(
        partition.labels, points, items.weights, partition.recluster, resamples=config.resamples, seed=config.seed
    )


def _map(
    points: NDArray[np.float32],
    neighbours: Neighbours,
    items: Distinct,
    labels: NDArray[np.int32],
    before: NDArray[np.float64] | None,
    config: ClusteringConfig,
) -> NDArray[np.float64]:
    if not config.with_map:
        return np.zeros((len(points), 2))
    if before is not None:
        # A point that stands for several items starts at the position of the first of them.
        known = np.flatnonzero(~np.isnan(before).any(axis=1))
        earlier = np.full((len(points), 2), np.nan)
        earlier[items.inverse[known[::-1]]] = before[known[::-1]]
        before = earlier
    return map_points(points, neighbours, labels, before, seed=config.seed)
