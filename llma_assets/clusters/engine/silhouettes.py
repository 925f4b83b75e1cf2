"""Silhouettes of many partitions over one set of distances, by matrix products.

P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
Journal of Computational and Applied Mathematics 20 (1987).
"""

import numpy as np
from numpy.typing import NDArray


def pairwise_distances(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distances (m, m) between the rows of `points` (m, p): symmetric, zero on the diagonal."""
    squared_norms = np.square(points).sum(axis=1)
    distances = points @ points.T
    distances *= -2
    distances += squared_norms[:, None]
    distances += squared_norms[None, :]
    np.maximum(distances, 0, out=distances)
    np.sqrt(distances, out=distances)
    np.fill_diagonal(distances, 0)
    # A symmetric product rounds both halves alike, the sums above do too; the maximum makes it certain.
    symmetric: NDArray[np.float32] = np.maximum(distances, distances.T)
    return symmetric


class SilhouetteScorer:
    """Scores partitions of one set of weighted points; the distances are computed once.

    Args:
        points: float32 (m, p).
        weights: float64 (m,), how many equal items each point stands for.
        sample: points that scores are computed on, at most; a seeded sample if there are more.
        seed: of that sample.
    """

    def __init__(self, points: NDArray[np.float32], weights: NDArray[np.float64], *, sample: int, seed: int) -> None:
        m = len(points)
        if m > sample:
            self._chosen = np.sort(np.random.default_rng(seed).choice(m, size=sample, replace=False))
        else:
            self._chosen = np.arange(m)
        self._weights = weights[self._chosen]
        self._distances = pairwise_distances(points[self._chosen])

    @property
    def distances(self) -> NDArray[np.float32]:
        """Distances between the chosen points, (s, s); all points where they fit the sample."""
        return self._distances

    def score(self, labels: NDArray[np.int32]) -> float | None:
        """Mean silhouette of a partition, in [-1, 1].

        Args:
            labels: int (m,); negative labels are noise and are ignored.

        Returns:
            None with fewer than two clusters among the chosen points.
        """
        chosen = labels[self._chosen]
        rows = np.flatnonzero(chosen >= 0)
        present, own = np.unique(chosen[rows], return_inverse=True)
        k = len(present)
        if k < 2:
            return None
        weights = self._weights[rows]
        members = np.zeros((len(rows), k), dtype=np.float32)
        members[np.arange(len(rows)), own] = weights
        inside = len(rows) == len(self._distances)
        distances = self._distances if inside else self._distances[np.ix_(rows, rows)]
        sums = (distances @ members).astype(np.float64)
        sizes = np.bincount(own, weights=weights, minlength=k)
        here = np.arange(len(rows))
        others = sizes[own] - 1
        cohesion = np.divide(sums[here, own], others, out=np.zeros(len(rows)), where=others > 0)
        means = sums / sizes
        means[here, own] = np.inf
        apart = means.min(axis=1)
        larger = np.maximum(cohesion, apart)
        defined = (larger > 0) & (others > 0)
        values = np.divide(apart - cohesion, larger, out=np.zeros(len(rows)), where=defined)
        return float(np.average(values, weights=weights))
