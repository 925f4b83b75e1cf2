"""Which segments of a batch say the same: principal components, then HDBSCAN. Pure: arrays in, labels out."""

from typing import TYPE_CHECKING

import numpy as np

from llma_assets.tasks.matching import unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPONENTS = 100
MIN_CLUSTER_SIZE = 2
NOISE = -1
_LARGEST_MATRIX = 6_000


def group_segments(
    embeddings: "NDArray[np.float32]", *, min_cluster_size: int = MIN_CLUSTER_SIZE
) -> "NDArray[np.intp]":
    """The group of each segment, -1 for noise.

    R. J. G. B. Campello, D. Moulavi, J. Sander, "Density-based clustering based on hierarchical density
    estimates", PAKDD 2013, on the exact principal components of the unit vectors: a randomized solver makes
    the answer change with its seed. One thread, so that the answer is the same on every machine shape.

    Args:
        embeddings: float32 (n, d), no row zero.
        min_cluster_size: fewest segments of a group.

    Returns:
        intp (n,); groups are numbered in the order of their first segment.
    """
    if len(embeddings) < max(min_cluster_size, 3):
        return _pair(embeddings) if len(embeddings) == min_cluster_size == 2 else np.full(len(embeddings), NOISE)
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        points = unit(embeddings)
        components = min(COMPONENTS, *points.shape)
        if components < points.shape[1]:
            points = PCA(components, svd_solver="full").fit_transform(points)
        labels = HDBSCAN(
            min_cluster_size=min_cluster_size,
            min_samples=1,
            cluster_selection_method="leaf",
            algorithm="brute" if len(points) <= _LARGEST_MATRIX else "kd_tree",
            n_jobs=1,
            copy=True,
        ).fit_predict(points)
    return _in_order(labels)


def _pair(embeddings: "NDArray[np.float32]") -> "NDArray[np.intp]":
    """Two segments are a group if they are as close as a group and its task have to be."""
    from llma_assets.tasks.matching import MATCH_DISTANCE, cosine_distance

    same = cosine_distance(embeddings[0], embeddings[1]) < MATCH_DISTANCE
    return np.full(2, 0 if same else NOISE)


def _in_order(labels: "NDArray[np.intp]") -> "NDArray[np.intp]":
    numbers: dict[int, int] = {NOISE: NOISE}
    for label in labels.tolist():
        numbers.setdefault(label, len(numbers) - 1)
    return np.array([numbers[label] for label in labels.tolist()], dtype=np.intp)
