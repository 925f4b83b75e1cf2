"""The method `hdbscan`, with a fallback where it collapses. Works on distinct, reduced points.

R. J. G. B. Campello, D. Moulavi, J. Sander, "Density-based clustering based on hierarchical density
estimates", PAKDD 2013. On some samples it collapses: one giant cluster, or nearly all noise.
The call of the package belongs in `density`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.clusters.engine.density import Attempt, Density, fit_density
from llma_assets.clusters.engine.kmeans import kmeans_partition
from llma_assets.clusters.engine.partition import Partition, Recluster
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer


def hdbscan_partition(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    scorer: SilhouetteScorer,
    config: ClusteringConfig,
) -> Partition:
    """Run HDBSCAN as configured; if it collapses, use the best fallback.

    The fallbacks use fewer dimensions, in which density means more, and the leaves of the tree. Of those that do not
    collapse the one with the largest silhouette times the share of clustered items wins. If all collapse, k-means is
    the fallback.

    Args:
        points: float32 (m, p), distinct, axes by falling variance.
        weights: float64 (m,).
        scorer: of the same points.
        config: sizes, the shares that mean collapse, seed.
    """
    n = int(weights.sum())
    size = config.smallest_dense(n)
    if n < 2 * size or len(points) < 3:
        return _with_fallback(
            kmeans_partition(points, weights, scorer, config),
            f"{n} items, {len(points)} of them distinct, are too few",
            "k-means",
        )
    complaint = ""
    best: tuple[float, Partition] | None = None
    for attempt in _attempts(size, config.min_samples, points.shape[1]):
        density = fit_density(points, weights, attempt)
        found = collapse_of(density.labels, weights, config)
        if not found and not complaint:
            return _partition(density, attempt)
        complaint = complaint or found
        score = (scorer.score(density.labels) or 0.0) * float(weights[density.labels >= 0].sum()) / n
        if not found and (best is None or score > best[0]):
            best = score, _with_fallback(_partition(density, attempt), complaint, str(attempt))
    if best is not None:
        return best[1]
    return _with_fallback(kmeans_partition(points, weights, scorer, config), complaint, "k-means")


def collapse_of(labels: NDArray[np.int32], weights: NDArray[np.float64], config: ClusteringConfig) -> str:
    """Why a partition of weighted points has collapsed, "" if it has not."""
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
    """The configured attempt first, then the fallbacks."""
    for fewer in dict.fromkeys((dimensions, min(30, dimensions), min(15, dimensions))):
        for selection in ("eom", "leaf"):
            yield Attempt(selection, size, min_samples, fewer)


def _partition(density: Density, attempt: Attempt) -> Partition:
    return Partition(
        density.labels,
        density.strength,
        outlier_scores=density.outlier_scores,
        predict=density.predict,
        recluster=_recluster(attempt),
    )


def _with_fallback(partition: Partition, collapse: str, fallback: str) -> Partition:
    return replace(partition, collapse=collapse, fallback=fallback)


def _recluster(attempt: Attempt) -> Recluster:
    def recluster(points: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.int32]:
        return fit_density(points, weights, attempt).labels

    return recluster
