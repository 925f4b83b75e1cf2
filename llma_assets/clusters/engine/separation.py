"""How far clusters lie apart, measured from points to centroids, for many cuts of one tree. Nothing else.

The simplified silhouette (E. R. Hruschka et al., "Evolutionary algorithms for clustering gene-expression data",
ICDM 2004): distances to centroids in the place of distances to members, so its cost grows with the number of
clusters, not with the square of the points.
"""

import numpy as np
from numpy.typing import NDArray


class SeparationScorer:
    """Scores partitions whose clusters are unions of fine communities; products with the points are computed once.

    Args:
        points: float32 (m, p).
        weights: float64 (m,).
        fine: int32 (m,), community of each point.
        sample: points that scores are computed on, at most; a seeded sample if there are more.
        seed: of that choice.
    """

    def __init__(
        self,
        points: NDArray[np.float32],
        weights: NDArray[np.float64],
        fine: NDArray[np.int32],
        *,
        sample: int,
        seed: int,
    ) -> None:
        m, count = len(points), int(fine.max()) + 1
        self._chosen = np.arange(m)
        if m > sample:
            self._chosen = np.sort(np.random.default_rng(seed).choice(m, size=sample, replace=False))
        order = np.argsort(fine, kind="stable")
        starts = np.searchsorted(fine[order], np.arange(count))
        self._representative = order[starts]
        self._sums = np.add.reduceat(points[order] * weights[order, None], starts, axis=0)
        self._masses = np.add.reduceat(weights[order], starts)
        self._weights = weights[self._chosen]
        chosen = points[self._chosen]
        self._norms = np.einsum("ij,ij->i", chosen, chosen)
        self._products = np.ascontiguousarray(self._sums.astype(np.float32) @ chosen.T)

    def score(self, labels: NDArray[np.int32], counts: NDArray[np.bool_]) -> float:
        """Mean over the chosen points of (b - a) / max(a, b), a being the distance to the own centroid, corrected
        for the point's own share in it, and b that to the next one.

        Args:
            labels: int32 (m,), 0..k-1, each cluster a union of communities.
            counts: bool (m,), points that are clustered; the others count 0.

        Returns:
            In [-1, 1]; 0 with fewer than two clusters.
        """
        k = int(labels.max()) + 1
        if k < 2:
            return 0.0
        union = labels[self._representative]
        order = np.argsort(union, kind="stable")
        starts = np.searchsorted(union[order], np.arange(k))
        masses = np.add.reduceat(self._masses[order], starts)
        centroids = np.add.reduceat(self._sums[order], starts, axis=0) / masses[:, None]
        squared = np.add.reduceat(self._products[order], starts, axis=0)
        squared *= (-2 / masses).astype(np.float32)[:, None]
        squared += self._norms
        squared += np.einsum("ij,ij->i", centroids, centroids).astype(np.float32)[:, None]
        columns, own = np.arange(squared.shape[1]), labels[self._chosen]
        inside = np.sqrt(np.maximum(squared[own, columns], 0.0))
        others = masses[own] - self._weights
        inside *= np.divide(masses[own], others, out=np.zeros(len(own)), where=others > 0)
        squared[own, columns] = np.inf
        apart = np.sqrt(np.maximum(squared.min(axis=0), 0.0))
        larger = np.maximum(inside, apart)
        defined = (larger > 0) & counts[self._chosen] & (others > 0)
        values = np.divide(apart - inside, larger, out=np.zeros(len(columns)), where=defined)
        return float(np.average(values, weights=self._weights))
