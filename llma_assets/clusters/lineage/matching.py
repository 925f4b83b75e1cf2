"""The similarity of the clusters of two runs: by shared items, and by centroids where these are few.

What follows for lineages belongs in `links`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.lineage.snapshot import Snapshot

SAME_BY_MEMBERS, SAME_BY_CENTROID = 0.25, 0.6
"""Least similarity of a cluster that keeps its id: Jaccard index of shared items, cosine of centred centroids."""

FEW_SHARED = 3.0
"""With so many shared items, items and centroids have equal weight; with more, items have more."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """The items that both runs hold, by cluster.

    Attributes:
        counts: (kp, kc) items that went from one cluster to the other.
        before: (kp,) items of each earlier cluster that the later run holds, noise included.
        after: (kc,) items of each later cluster that the earlier run held.
    """

    counts: NDArray[np.intp]
    before: NDArray[np.intp]
    after: NDArray[np.intp]

    @classmethod
    def of(cls, earlier: Snapshot, later: Snapshot) -> "Overlap":
        kp, kc = len(earlier.lineage_ids), len(later.lineage_ids)
        _, left, right = np.intersect1d(earlier.item_ids, later.item_ids, assume_unique=True, return_indices=True)
        was, now = earlier.labels[left], later.labels[right]
        # Noise, -1, falls into the last row or column, which is cut off after the sums.
        table = np.zeros((kp + 1, kc + 1), dtype=np.intp)
        np.add.at(table, (was, now), 1)
        return cls(table[:kp, :kc], table.sum(axis=1)[:kp], table.sum(axis=0)[:kc])

    def jaccard(self) -> NDArray[np.float64]:
        union = self.before[:, None] + self.after[None, :] - self.counts
        return _ratio(self.counts, union)

    def forward(self) -> NDArray[np.float64]:
        """The share of each earlier cluster's shared items that went to each later one."""
        return _ratio(self.counts, self.before[:, None])

    def backward(self) -> NDArray[np.float64]:
        """The share of each later cluster's shared items that came from each earlier one."""
        return _ratio(self.counts, self.after[None, :])


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    whole = np.broadcast_to(whole, part.shape)
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return shares


def similarities(overlap: Overlap, earlier: Snapshot, later: Snapshot) -> tuple[NDArray[Any], NDArray[Any]]:
    """Similarity of all pairs in [0, 1], (kp, kc), and the least that makes a pair the same cluster."""
    shared = np.maximum(overlap.before[:, None], overlap.after[None, :])
    weight = shared / (shared + FEW_SHARED)
    similarity = weight * overlap.jaccard() + (1 - weight) * centroid_cosines(earlier.centroids, later.centroids)
    return similarity, weight * SAME_BY_MEMBERS + (1 - weight) * SAME_BY_CENTROID


def centroid_cosines(earlier: NDArray[np.float32], later: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosines of all pairs, at least 0, of centroids centred on their common mean."""
    if len(earlier) == 0 or len(later) == 0:
        return np.zeros((len(earlier), len(later)))
    both = np.concatenate([_unit(earlier), _unit(later)])
    if len(both) > 2:
        both = _unit(both - both.mean(axis=0))
    cosines: NDArray[np.float64] = both[: len(earlier)] @ both[len(earlier) :].T
    return np.clip(cosines, 0.0, 1.0)


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return unit


def same_clusters(earlier: Snapshot, later: Snapshot, overlap: Overlap) -> dict[int, tuple[int, float]]:
    """For each later cluster that continues an earlier one: that cluster, and their similarity."""
    from scipy.optimize import linear_sum_assignment

    similarity, least = similarities(overlap, earlier, later)
    # A pair below its limit must not block a better one: it counts as 0.
    allowed = np.where(similarity >= least, similarity, 0.0)
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return {int(c): (int(p), float(similarity[p, c])) for p, c in zip(rows, columns, strict=True) if allowed[p, c] > 0}
