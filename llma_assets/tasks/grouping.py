"""Groups the segments of a batch by principal components and HDBSCAN. Pure: arrays in, labels out."""

from typing import TYPE_CHECKING

import numpy as np

from llma_assets.tasks.matching import MATCH_DISTANCE, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPONENTS = 100
MIN_CLUSTER_SIZE = 2
NOISE = -1
_LARGEST_MATRIX = 6_000


GROUPING_VERSION = "1"
"""Changes with how segments are grouped."""


def group_segments(embeddings: "NDArray[np.float32]", *, distance: float = MATCH_DISTANCE) -> "NDArray[np.intp]":
    """The group of each segment, -1 for noise.

    R. J. G. B. Campello, D. Moulavi, J. Sander, "Density-based clustering based on hierarchical density
    estimates", PAKDD 2013, on the exact principal components of the unit vectors: with a randomized
    solver the result would depend on its seed. HDBSCAN has no scale: in a small batch it groups segments that are
    merely less different than the rest, and it never finds a single group, however similar all segments are. So members
    farther than `distance` from the middle of their group leave it, and noise is grouped again by average linkage
    within that distance. One thread gives the same result on every machine.

    Args:
        embeddings: float32 (n, d), no row zero.
        distance: largest cosine distance, for both steps.

    Returns:
        intp (n,); groups are numbered in the order of their first segment.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        points = unit(embeddings)
        labels = _drop_far_members(points, _dense(points), distance)
        noise = np.flatnonzero(labels == NOISE)
        if len(noise) >= MIN_CLUSTER_SIZE:
            close = _group_close(points[noise], distance)
            labels[noise] = np.where(close == NOISE, NOISE, close + labels.max() + 1)
    return _renumbered(labels)


def _dense(points: "NDArray[np.float32]") -> "NDArray[np.intp]":
    if len(points) <= MIN_CLUSTER_SIZE:
        return np.full(len(points), NOISE, dtype=np.intp)
    # scikit-learn's and not the package `hdbscan`, which has no wheel for Linux on ARM: the groups are the same
    # (benchmarks/results/tasks.md).
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    components = min(COMPONENTS, *points.shape)
    solver = "covariance_eigh" if len(points) >= points.shape[1] else "full"  # both exact; the first is far quicker
    reduced = PCA(components, svd_solver=solver).fit_transform(points) if components < points.shape[1] else points
    labels: NDArray[np.intp] = HDBSCAN(
        min_cluster_size=MIN_CLUSTER_SIZE,
        cluster_selection_method="leaf",
        algorithm="brute" if len(points) <= _LARGEST_MATRIX else "kd_tree",
        n_jobs=1,
        copy=True,
    ).fit_predict(reduced)
    return labels.astype(np.intp)


def _drop_far_members(points: "NDArray[np.float32]", labels: "NDArray[np.intp]", distance: float) -> "NDArray[np.intp]":
    kept = labels.copy()
    for group in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == group)
        middle = unit(points[members].mean(axis=0)[None])[0]
        near = 1 - points[members] @ middle < distance
        kept[members if near.sum() < MIN_CLUSTER_SIZE else members[~near]] = NOISE
    return kept


def _group_close(points: "NDArray[np.float32]", distance: float) -> "NDArray[np.intp]":
    """Groups of two or more by average linkage; -1 for single segments."""
    from sklearn.cluster import AgglomerativeClustering

    linked: NDArray[np.intp] = AgglomerativeClustering(
        n_clusters=None, distance_threshold=distance, metric="cosine", linkage="average"
    ).fit_predict(points)
    alone = np.bincount(linked)[linked] < MIN_CLUSTER_SIZE
    return np.where(alone, NOISE, linked)


def _renumbered(labels: "NDArray[np.intp]") -> "NDArray[np.intp]":
    numbers: dict[int, int] = {NOISE: NOISE}
    for label in labels.tolist():
        numbers.setdefault(label, len(numbers) - 1)
    return np.array([numbers[label] for label in labels.tolist()], dtype=np.intp)
