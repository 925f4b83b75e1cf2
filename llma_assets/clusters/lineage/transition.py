"""How the clusters of one run became those of another: what goes on, what parted, joined or took over. No database.

Which of it is said, and when, belongs in `links`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.lineage.growth import Growth
from llma_assets.clusters.lineage.matching import Overlap, centroid_cosines, same_clusters, similarities
from llma_assets.clusters.lineage.snapshot import Snapshot

MAIN_SHARE, PART_SHARE, MIN_SHARED = 0.5, 0.15, 3
"""Merged and split: most of one side goes there, a substantial part of the other comes from there, and at least so
many items."""

NEAR_BY_CENTROID = 0.5
"""A new cluster this near (cosine of centred centroids) to a fading one replaces it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a cluster that continues no earlier one comes from.

    Attributes:
        status: what it is if that holds; "new" where it comes from none.
        parents: lineage ids of the earlier clusters.
        confidence: in [0, 1], see `links.Link`.
    """

    status: Literal["new", "merged", "split"]
    parents: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """How the kp clusters of one run became the kc clusters of a later one.

    Attributes:
        earlier: the one run.
        same: later cluster → (the earlier cluster that it continues, similarity).
        over: later clusters of which nothing comes in any more, in both runs → the earlier clusters that they continue.
            What another one takes over from goes on in that.
        similarity: float64 (kp, kc).
        shared: intp (kp,), items of the earlier cluster that the later run holds, noise included.
        backward: float64 (kp, kc), the share of the later cluster's shared items that came from the earlier one.
        absorbed: bool (kp, kc), most of the earlier cluster is in the later one.
        substantial: bool (kp, kc), absorbed, a substantial part of the later one, and not young: what has hardly begun
            goes back to where it came from.
        split_off: bool (kp, kc), most of the later cluster comes from the earlier one, and is a substantial part of it.
        replaced: bool (kp, kc), the earlier cluster fades, and the later one is young and near it.
        replaced_now: bool (kp, kc), replaced, and the earlier cluster did not fade before.
        growth: of the later clusters.
    """

    earlier: Snapshot
    same: dict[int, tuple[int, float]]
    over: dict[int, int]
    similarity: NDArray[np.float64]
    shared: NDArray[np.intp]
    backward: NDArray[np.float64]
    absorbed: NDArray[np.bool_]
    substantial: NDArray[np.bool_]
    split_off: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    replaced_now: NDArray[np.bool_]
    growth: Growth

    @classmethod
    def between(cls, earlier: Snapshot, later: Snapshot) -> "Transition":
        """Compare the clusters of two runs by their items and centroids."""
        overlap = Overlap.of(earlier, later)
        same = same_clusters(earlier, later, overlap)
        forward, backward = overlap.forward(), overlap.backward()
        enough = overlap.counts >= MIN_SHARED
        before, now = earlier.growth(), later.growth()
        # The last items of a fading topic join a neighbour, and the first items of a young one come from a neighbour:
        # neither is a merge or a split.
        absorbed = enough & (forward >= MAIN_SHARE) & ~before.fading[:, None]
        split_off = enough & (backward >= MAIN_SHARE) & (forward >= PART_SHARE) & ~now.young[None, :]
        fades = before.fading.copy()
        for c, (p, _) in same.items():
            fades[p] |= now.fading[c]
        near = centroid_cosines(earlier.centroids, later.centroids) >= NEAR_BY_CENTROID
        replaced = near & fades[:, None] & now.young[None, :]
        was, is_, falls = earlier.is_silent(), later.is_silent(), later.falls()
        over = {
            c: p
            for c, (p, _) in same.items()
            if (was[p] and is_[c] and not replaced[p].any()) or (earlier.status(p) == "ended" and falls[c])
        }
        return cls(
            earlier,
            same,
            over,
            similarities(overlap, earlier, later)[0],
            overlap.before,
            backward,
            absorbed,
            substantial=absorbed & (backward >= PART_SHARE) & ~before.young[:, None],
            split_off=split_off,
            replaced=replaced,
            replaced_now=replaced & ~before.fading[:, None],
            growth=now,
        )

    def origin(self, c: int) -> Origin:
        """Where a later cluster comes from that continues none."""
        carried = {p for p, _ in self.same.values()}
        absorbed = [p for p in np.flatnonzero(self.absorbed[:, c]).tolist() if p not in carried]
        split_off, replaced = np.flatnonzero(self.split_off[:, c]), np.flatnonzero(self.replaced[:, c])
        if len(absorbed) > 1 and self.backward[absorbed, c].sum() >= MAIN_SHARE:
            return Origin("merged", self.names(absorbed), float(self.backward[absorbed, c].sum()))
        if len(split_off):
            return Origin("split", self.names(split_off), float(self.backward[split_off[0], c]))
        best = float(self.similarity[:, c].max(initial=0.0))
        if len(replaced):
            return Origin("merged" if len(replaced) > 1 else "split", self.names(replaced), best)
        return Origin("new", (), 1.0 - best)

    def successors(self, p: int) -> list[int]:
        """Later clusters that hold the remaining members of an earlier one, or replace it."""
        return [int(c) for c in np.flatnonzero(self.absorbed[p] | self.split_off[p] | self.replaced[p])]

    def names(self, clusters: "NDArray[np.intp] | list[int]") -> tuple[str, ...]:
        """Lineage ids of earlier clusters."""
        return tuple(self.earlier.lineage_ids[p] for p in clusters)
