"""Which cluster of today is which of yesterday's: lasting ids, and what became of each. No database, no Dagster.

Runs of neighbouring days share most of their items, so clusters are matched by what became of the shared ones, and
by their centroids where few or none are shared. What people decide about a lineage belongs in `edits`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.lineage.growth import Growth
from llma_assets.clusters.lineage.matching import Overlap, centroid_cosines, same_clusters, similarities
from llma_assets.clusters.lineage.snapshot import Snapshot

Status = Literal["new", "continued", "grown", "shrunk", "merged", "split"]


MAIN_SHARE, PART_SHARE, LEAST_SHARED = 0.5, 0.15, 3
"""Merged and split: most of one side goes there, a fair part of the other comes from there, some items at least."""

NEAR_BY_CENTROID = 0.5
"""A new cluster this near (cosine of centred centroids) to one that fades takes over from it."""


@dataclass(frozen=True, slots=True)
class Link:
    """What one cluster is.

    Attributes:
        cluster_id: its number in the run.
        lineage_id: its lasting id.
        status: what happened to it since the run before.
        confidence: in [0, 1]: of a cluster that goes on, how much of it is the same; of a split, the share of its
            older members that come from the parent; of a new one, how unlike all others it is.
        parents: lineage ids of the clusters before it that it is, or comes from; none for a new one.
    """

    cluster_id: int
    lineage_id: str
    status: Status
    confidence: float
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A lineage of the run before that has no cluster any more.

    Attributes:
        lineage_id: its id.
        size: its members in the run before.
        into: lineage ids of the clusters that hold most of its members that are left; none where it just ended.
    """

    lineage_id: str
    size: int
    into: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """How a run continues the runs before it.

    Attributes:
        clusters: a link for each cluster, by number.
        ended: what was there in the run before and is no more.
        previous_day: of the run that was linked to, None where there was none.
        note: why no lineage goes on from the run before, "" where some can.
    """

    clusters: tuple[Link, ...]
    ended: tuple[Ended, ...] = ()
    previous_day: date | None = None
    note: str = ""

    def in_words(self) -> str:
        """What happened since the run before, such as "40 continued, 2 new, 1 ended"."""
        counts = Counter[str](each.status for each in self.clusters)
        counts["ended"] = len(self.ended)
        said = ", ".join(f"{number} {status}" for status, number in counts.most_common() if number)
        return f"{said} ({self.note})" if self.note else said

    def summary(self) -> dict[str, Any]:
        """What is stored with the run, as JSON can hold it."""
        return {
            "previous_day": self.previous_day.isoformat() if self.previous_day else None,
            "note": self.note,
            "ended": [{"lineage_id": e.lineage_id, "size": e.size, "into": list(e.into)} for e in self.ended],
        }


def link(previous: Snapshot | None, current: Snapshot, others: Iterable[Snapshot] = ()) -> Links:
    """Link the clusters of a run to those of the run before it.

    Ids are carried one to one, by the assignment with the greatest similarity overall. Of several clusters that
    merge, the most similar one gives its id; of several that one splits into, the most similar one keeps it.
    Growth is judged within `current` alone (see `growth`).

    Args:
        previous: the latest run before it, None where there is none.
        current: the run; its `lineage_ids` are those of new clusters.
        others: more runs that may hold the id of a cluster that is not in `previous`, the likeliest first: older
            days (a cluster that was lost or merged for a day comes back), an attempt at the same day that this
            one takes the place of, the day after. Read only while there are clusters without an old id.

    Returns:
        a link for each cluster, and what ended.
    """
    if previous is None:
        fresh = Links(_all_new(current), note="no run before it")
    elif changed := previous.space.differences(current.space):
        ended = tuple(
            Ended(lineage_id, int(size)) for lineage_id, size in zip(previous.lineage_ids, previous.sizes, strict=True)
        )
        fresh = Links(_all_new(current), ended, previous.day, note=changed)
    else:
        fresh = _link(previous, current)
    return _recover(fresh, current, others, gone=frozenset(previous.lineage_ids if previous else ()))


def _all_new(current: Snapshot) -> tuple[Link, ...]:
    return tuple(Link(number, lineage_id, "new", 1.0) for number, lineage_id in enumerate(current.lineage_ids))


def _link(previous: Snapshot, current: Snapshot) -> Links:
    story = _Story.between(previous, current)
    links = tuple(story.link(c) for c in range(len(current.lineage_ids)))
    ended = tuple(
        Ended(lineage_id, int(previous.sizes[p]), tuple(links[c].lineage_id for c in story.heirs(p)))
        for p, lineage_id in enumerate(previous.lineage_ids)
        if p not in story.carried
    )
    return Links(links, ended, previous.day)


@dataclass(frozen=True, slots=True, eq=False)
class _Story:
    """What became of the kp clusters of one run among the kc of the next.

    Attributes:
        same: later cluster → (earlier cluster that it goes on, similarity).
        similarity: float64 (kp, kc).
        backward: float64 (kp, kc), the share of the later cluster's shared items that came from the earlier one.
        swallowed: bool (kp, kc), most of the earlier cluster is in the later one.
        fair: bool (kp, kc), and it is a fair part of it.
        torn: bool (kp, kc), most of the later cluster is out of the earlier one, and a fair part of that.
        replaced: bool (kp, kc), the earlier cluster fades, and the later one is young, near it and takes over.
        since_now: bool (kp, kc), replaced, and it could not be known before.
    """

    previous: Snapshot
    current: Snapshot
    same: dict[int, tuple[int, float]]
    similarity: NDArray[np.float64]
    backward: NDArray[np.float64]
    swallowed: NDArray[np.bool_]
    fair: NDArray[np.bool_]
    torn: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    since_now: NDArray[np.bool_]
    growth: Growth

    @classmethod
    def between(cls, previous: Snapshot, current: Snapshot) -> "_Story":
        overlap = Overlap.of(previous, current)
        same = same_clusters(previous, current, overlap)
        forward, backward = overlap.forward(), overlap.backward()
        enough = overlap.counts >= LEAST_SHARED
        before, now = previous.growth(), current.growth()
        # The last few items of a topic that goes fall to a neighbour, the first few of one that comes were held by
        # one: neither is a merge or a split.
        swallowed = enough & (forward >= MAIN_SHARE) & ~before.fading[:, None]
        torn = enough & (backward >= MAIN_SHARE) & (forward >= PART_SHARE) & ~now.young[None, :]
        fades = before.fading.copy()
        for c, (p, _) in same.items():
            fades[p] |= now.fading[c]
        near = centroid_cosines(previous.centroids, current.centroids) >= NEAR_BY_CENTROID
        replaced = near & fades[:, None] & now.young[None, :]
        return cls(
            previous,
            current,
            same,
            similarities(overlap, previous, current)[0],
            backward,
            swallowed,
            fair=swallowed & (backward >= PART_SHARE),
            torn=torn,
            replaced=replaced,
            since_now=replaced & ~before.fading[:, None],
            growth=now,
        )

    @property
    def carried(self) -> set[int]:
        """Earlier clusters whose id goes on."""
        return {p for p, _ in self.same.values()}

    def link(self, c: int) -> Link:
        """What a later cluster is."""
        if c in self.same:
            p, similarity = self.same[c]
            taken = [other for other in self._from(self.since_now, c) if other != p]
            joined = sorted({*self._where(self.fair, c), *taken})
            parents = self._names([p, *joined])
            return Link(c, self.previous.lineage_ids[p], self._status(c, p, joined), similarity, parents)
        own_id = self.current.lineage_ids[c]
        pooled, torn, replaced = self._where(self.swallowed, c), self._from(self.torn, c), self._from(self.replaced, c)
        if len(pooled) > 1 and self.backward[pooled, c].sum() >= MAIN_SHARE:
            return Link(c, own_id, "merged", float(self.backward[pooled, c].sum()), self._names(pooled))
        if torn:
            return Link(c, own_id, "split", float(self.backward[torn[0], c]), self._names(torn))
        best = float(self.similarity[:, c].max(initial=0.0))
        if replaced:
            return Link(c, own_id, "merged" if len(replaced) > 1 else "split", best, self._names(replaced))
        return Link(c, own_id, "new", 1.0 - best)

    def heirs(self, p: int) -> list[int]:
        """Later clusters that hold what is left of an earlier one, or took over from it."""
        return [int(c) for c in np.flatnonzero(self.swallowed[p] | self.torn[p] | self.replaced[p])]

    def _status(self, c: int, p: int, joined: Sequence[int]) -> Status:
        if joined:
            return "merged"
        if any(self.torn[p, other] for other in range(len(self.current.lineage_ids)) if other not in self.same):
            return "split"
        if self.growth.grown[c]:
            return "grown"
        return "shrunk" if self.growth.faded[c] else "continued"

    def _where(self, pairs: NDArray[np.bool_], c: int) -> list[int]:
        return [p for p in self._from(pairs, c) if p not in self.carried]

    def _from(self, pairs: NDArray[np.bool_], c: int) -> list[int]:
        return [int(p) for p in np.flatnonzero(pairs[:, c])]

    def _names(self, clusters: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.previous.lineage_ids[p] for p in clusters)


def _recover(links: Links, current: Snapshot, others: Iterable[Snapshot], gone: frozenset[str]) -> Links:
    """Give clusters that would get a new id the one that they have in another run, where that is free."""
    seen = set(gone)
    clusters = list(links.clusters)
    for other in others:
        begun = {
            each.cluster_id
            for each in clusters
            if each.lineage_id == current.lineage_ids[each.cluster_id] and each.lineage_id not in each.parents
        }
        if not begun:
            break
        if other.space.differences(current.space):
            continue
        taken = seen | {each.lineage_id for each in clusters}
        free = {p for p, lineage_id in enumerate(other.lineage_ids) if lineage_id not in taken}
        seen |= set(other.lineage_ids)
        if not free:
            continue
        # Both sides whole, so that shares are right; then only what is free and new may be taken.
        found = same_clusters(other, current, Overlap.of(other, current))
        for c, (p, similarity) in found.items():
            if c in begun and p in free:
                clusters[c] = _recovered(clusters[c], other.lineage_ids[p], similarity, other, current)
    return replace(links, clusters=tuple(clusters))


def _recovered(begun: Link, lineage_id: str, similarity: float, other: Snapshot, current: Snapshot) -> Link:
    """The same cluster under its old id. What it came out of stays said; what was there before is not new."""
    if begun.status != "new" or other.day >= current.day:
        return replace(begun, lineage_id=lineage_id)
    return Link(begun.cluster_id, lineage_id, "continued", similarity, (lineage_id,))
