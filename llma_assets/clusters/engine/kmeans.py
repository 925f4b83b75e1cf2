"""k-means with k chosen by silhouette. Works on distinct, reduced, weighted points; knows no embeddings."""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.clusters.engine.partition import KScore, Partition
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer


def kmeans_partition(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    scorer: SilhouetteScorer,
    config: ClusteringConfig,
) -> Partition:
    """Try each k in [min_k, max_k]; the best silhouette wins, the smaller k on a tie.

    k stays below the number of distinct points: two of them are one cluster, three are at most two.

    Args:
        points: float32 (m, p), distinct.
        weights: float64 (m,).
        scorer: of the same points.
        config: k range, starts, seed.
    """
    from sklearn.cluster import KMeans

    most = min(config.target_clusters or config.max_k, len(points) - 1)
    if most < 2:
        reason = f"{len(points)} distinct items are too few to divide"
        return Partition(np.zeros(len(points), dtype=np.int32), collapse=reason)
    few = min(config.target_clusters or config.min_k, most)
    best: tuple[float, NDArray[np.int32]] | None = None
    curve = []
    for k in range(few, most + 1):
        model = KMeans(k, n_init=config.n_init, random_state=config.seed, algorithm="lloyd")
        labels = model.fit(points, sample_weight=weights).labels_.astype(np.int32)
        silhouette = scorer.score(labels)
        curve.append(KScore(k, silhouette, float(model.inertia_)))
        value = -1.0 if silhouette is None else silhouette
        if best is None or value > best[0]:
            best = (value, labels)
    if best is None:  # the range above always holds at least one k
        raise AssertionError("no k was tried")
    chosen = int(best[1].max()) + 1

    def recluster(points: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.int32]:
        model = KMeans(min(chosen, len(points)), n_init=1, random_state=config.seed, algorithm="lloyd")
        labels: NDArray[np.int32] = model.fit(points, sample_weight=weights).labels_.astype(np.int32)
        return labels

    return Partition(best[1], k_curve=tuple(curve), recluster=recluster)


def refine_kmeans(
    unit: NDArray[np.float32],
    weights: NDArray[np.float64],
    labels: NDArray[np.int32],
    *,
    max_rounds: int = 20,
) -> NDArray[np.int32]:
    """Move a partition found in the reduced space to the nearest optimum of k-means in the full space.

    A few rounds of Lloyd's algorithm; each is one matrix product. Stops where nothing moves, or where a
    cluster would lose its last member.

    Args:
        unit: float32 (m, d), the distinct rows.
        weights: float64 (m,).
        labels: int32 (m,) in 0..k-1, none empty.
    """
    k = int(labels.max()) + 1
    for _ in range(max_rounds):
        moved = nearest(unit, means_of(unit, weights, labels, k))[0]
        if np.bincount(moved, minlength=k).min() == 0 or (moved == labels).all():
            break
        labels = moved
    return labels


def means_of(
    unit: NDArray[np.float32], weights: NDArray[np.float64], labels: NDArray[np.int32], k: int
) -> NDArray[np.float32]:
    """Weighted means (k, d) of the clusters 0..k-1 of `unit` (m, d); noise takes no part."""
    from scipy.sparse import csr_array

    rows = np.flatnonzero(labels >= 0)
    members = csr_array((weights[rows].astype(np.float32), (labels[rows], rows)), shape=(k, len(unit)))
    totals = np.bincount(labels[rows], weights=weights[rows], minlength=k)
    return np.asarray((members @ unit) / totals[:, None], dtype=np.float32)


def nearest(unit: NDArray[np.float32], centroids: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The nearest of `centroids` (k, d) for each row of `unit` (m, d), and all squared distances (m, k)."""
    squared = squared_distances(unit, centroids)
    return squared.argmin(axis=1).astype(np.int32), squared


def squared_distances(unit: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float64]:
    """Squared Euclidean distances (m, k) from the rows of `unit`, which have length 1, to `centroids`."""
    products = (unit @ centroids.T).astype(np.float64)
    norms = np.square(centroids, dtype=np.float64).sum(axis=1)
    own = np.einsum("ij,ij->i", unit, unit).astype(np.float64)
    squared: NDArray[np.float64] = np.maximum(own[:, None] + norms[None, :] - 2 * products, 0.0)
    return squared
