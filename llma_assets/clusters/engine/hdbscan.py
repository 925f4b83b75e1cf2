"""HDBSCAN whose collapses are seen and mended. Works on distinct, reduced, weighted points.

R. J. G. B. Campello, D. Moulavi, J. Sander, "Density-based clustering based on hierarchical density
estimates", PAKDD 2013. On some samples its answer is one giant cluster, or nearly all noise: no answer to publish.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.choose_k import Again, Partition
from llma_assets.clusters.engine.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.engine.kmeans import kmeans_partition
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer, pairwise_distances

LARGEST_MATRIX = 8000
"""Above this many points the distances are not held at once; a ball tree finds the neighbours."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to run HDBSCAN.

    Attributes:
        selection: "eom" takes the most persistent clusters, "leaf" the smallest ones of the tree.
        min_cluster_size: in items.
        min_samples: neighbours that make a point dense.
        dimensions: leading axes used; density means little in many.
    """

    selection: str
    min_cluster_size: int
    min_samples: int
    dimensions: int

    def __str__(self) -> str:
        return (
            f"{self.selection} selection, min_cluster_size {self.min_cluster_size}, "
            f"min_samples {self.min_samples}, {self.dimensions} dimensions"
        )


def hdbscan_partition(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    scorer: SilhouetteScorer,
    config: ClusteringConfig,
) -> Partition:
    """Run HDBSCAN as configured; where it collapses, find the best way that does not.

    The other ways are fewer dimensions, in which density means more, and the leaves of the tree. Of those that
    do not collapse the one with the largest silhouette times the share of items that it clusters is taken.
    Where all collapse k-means has to do. An answer that is right as configured is not touched.

    Args:
        points: float32 (m, p), distinct, axes by falling variance.
        weights: float64 (m,).
        scorer: of the same points.
        config: sizes, the shares that mean collapse, seed.
    """
    n = int(weights.sum())
    size = config.smallest_dense(n)
    if n < 2 * size or len(points) < 3:
        return _mended(
            kmeans_partition(points, weights, scorer, config),
            f"{n} items, {len(points)} of them distinct, are too few",
            "k-means",
        )
    # A point that stands for many is repeated, up to the number that makes a cluster.
    repeats = np.minimum(weights, size).astype(np.intp)
    repeated = np.repeat(np.arange(len(points)), repeats)
    first = np.cumsum(repeats) - repeats
    complaint = ""
    best: tuple[float, Partition] | None = None
    distances: tuple[int, NDArray[np.float32] | None] = (0, None)
    for attempt in _attempts(size, config.min_samples, points.shape[1]):
        if distances[0] != attempt.dimensions:
            distances = attempt.dimensions, _distances(points, repeated, attempt.dimensions, scorer)
        labels, strength = _run(points[repeated, : attempt.dimensions], distances[1], attempt)
        labels, strength = labels[first], strength[first]
        found = collapse_of(labels, weights, config)
        if not found and not complaint:
            return Partition(labels, strength, again=_again(attempt))
        complaint = complaint or found
        score = (scorer.score(labels) or 0.0) * float(weights[labels >= 0].sum()) / n
        if not found and (best is None or score > best[0]):
            best = score, Partition(labels, strength, collapse=complaint, mended_by=str(attempt), again=_again(attempt))
    if best is not None:
        return best[1]
    return _mended(kmeans_partition(points, weights, scorer, config), complaint, "k-means")


def collapse_of(labels: NDArray[np.int32], weights: NDArray[np.float64], config: ClusteringConfig) -> str:
    """What makes a partition of weighted points unfit to publish, "" where nothing does."""
    total = float(weights.sum())
    noise = float(weights[labels < 0].sum()) / total
    k = int(labels.max(initial=-1)) + 1
    if k == 0:
        return "no cluster at all"
    sizes = np.bincount(labels[labels >= 0], weights=weights[labels >= 0], minlength=k)
    largest = float(sizes.max()) / total
    if k == 1:
        return f"a single cluster of {largest:.0%} of the items"
    if largest > config.max_cluster_share:
        return f"one of {k} clusters holds {largest:.0%} of the items"
    if noise > config.max_noise_share:
        return f"{noise:.0%} of the items are noise"
    return ""


def _attempts(size: int, min_samples: int, dimensions: int) -> Iterator[Attempt]:
    """As configured first, then the ways to mend it."""
    for fewer in dict.fromkeys((dimensions, min(30, dimensions), min(15, dimensions))):
        for selection in ("eom", "leaf"):
            yield Attempt(selection, size, min_samples, fewer)


def _distances(
    points: NDArray[np.float32], repeated: NDArray[np.intp], dimensions: int, scorer: SilhouetteScorer
) -> NDArray[np.float32] | None:
    if len(repeated) > LARGEST_MATRIX:
        return None
    if dimensions == points.shape[1] and len(scorer.distances) == len(points):
        matrix = scorer.distances
    else:
        matrix = pairwise_distances(points[:, :dimensions])
    return matrix if len(repeated) == len(points) else matrix[np.ix_(repeated, repeated)]


def _run(
    points: NDArray[np.float32], distances: NDArray[np.float32] | None, attempt: Attempt
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=attempt.min_cluster_size,
        min_samples=min(attempt.min_samples, len(points)),
        cluster_selection_method=attempt.selection,
        metric="euclidean" if distances is None else "precomputed",
        algorithm="ball_tree" if distances is None else "brute",
        copy=True,
    )
    model.fit(points if distances is None else distances)
    labels = np.asarray(model.labels_, dtype=np.int32)
    strength = np.nan_to_num(np.asarray(model.probabilities_, dtype=np.float64), nan=1.0)
    return np.where(labels < 0, np.int32(NOISE_LABEL), labels), np.clip(strength, 0.0, 1.0)


def _mended(partition: Partition, collapse: str, mended_by: str) -> Partition:
    return replace(partition, collapse=collapse, mended_by=mended_by)


def _again(attempt: Attempt) -> Again:
    def again(points: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.int32]:
        repeats = np.minimum(weights, attempt.min_cluster_size).astype(np.intp)
        repeated = np.repeat(np.arange(len(points)), repeats)
        leading = np.ascontiguousarray(points[repeated, : attempt.dimensions])
        distances = pairwise_distances(leading) if len(leading) <= LARGEST_MATRIX else None
        labels: NDArray[np.int32] = _run(leading, distances, attempt)[0][np.cumsum(repeats) - repeats]
        return labels

    return again
