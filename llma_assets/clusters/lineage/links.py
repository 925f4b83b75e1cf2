"""Links clusters to those of the run before: lasting lineage ids, and what happened to each. No database, no Dagster.

Runs of neighbouring days share most of their items, so clusters are matched by their shared items, and by their
centroids where few or none are shared. What people decide about a lineage belongs in `edits`.
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


MAIN_SHARE, PART_SHARE, MIN_SHARED = 0.5, 0.15, 3
"""Merged and split: most of one side goes there, a substantial part of the other comes from there, and at least so
many items."""

NEAR_BY_CENTROID = 0.5
"""A new cluster this near (cosine of centred centroids) to a fading one replaces it."""


@dataclass(frozen=True, slots=True)
class Link:
    """The lineage of one cluster.

    Attributes:
        cluster_id: its number in the run.
        lineage_id: its lasting id.
        status: what happened to it since the run before.
        confidence: in [0, 1]: the similarity of a cluster that continues; of a split, the share of its older members
            that come from the parent; of a new one, 1 minus its similarity to the closest earlier cluster.
        parents: lineage ids of the earlier clusters that it continues or comes from; none for a new one.
    """

    cluster_id: int
    lineage_id: str
    status: Status
    confidence: float
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A lineage of the run before that has no cluster in this run.

    Attributes:
        lineage_id: its id.
        size: its members in the run before.
        into: lineage ids of the clusters that hold most of its remaining members; none if it ended without any.
    """

    lineage_id: str
    size: int
    into: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """How a run continues the runs before it.

    Attributes:
        clusters: a link for each cluster, by number.
        ended: lineages of the run before that ended.
        previous_day: of the run that was linked to, None where there was none.
        note: why no lineage can continue, "" where it can.
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
        """What is stored with the run; serialisable as JSON."""
        return {
            "previous_day": self.previous_day.isoformat() if self.previous_day else None,
            "note": self.note,
            "ended": [{"lineage_id": e.lineage_id, "size": e.size, "into": list(e.into)} for e in self.ended],
        }


def link(previous: Snapshot | None, current: Snapshot, others: Iterable[Snapshot] = ()) -> Links:
    """Link the clusters of a run to those of the run before it.

    Ids are carried one to one, by the assignment with the greatest similarity overall. Of several clusters that
    merge, the most similar one gives its id; of several that one splits into, the most similar one keeps it.
    Growth is measured within `current` alone (see `growth`).

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
        linked = Links(_all_new(current), note="no run before it")
    elif changed := previous.space.differences(current.space):
        ended = tuple(
            Ended(lineage_id, int(size)) for lineage_id, size in zip(previous.lineage_ids, previous.sizes, strict=True)
        )
        linked = Links(_all_new(current), ended, previous.day, note=changed)
    else:
        linked = _link(previous, current)
    return _recover_ids(linked, current, others, ended_ids=frozenset(previous.lineage_ids if previous else ()))


def _all_new(current: Snapshot) -> tuple[Link, ...]:
    return tuple(Link(number, lineage_id, "new", 1.0) for number, lineage_id in enumerate(current.lineage_ids))


def _link(previous: Snapshot, current: Snapshot) -> Links:
    transition = _Transition.between(previous, current)
    links = tuple(transition.link(c) for c in range(len(current.lineage_ids)))
    ended = tuple(
        Ended(lineage_id, int(previous.sizes[p]), tuple(links[c].lineage_id for c in transition.successors(p)))
        for p, lineage_id in enumerate(previous.lineage_ids)
        if p not in transition.carried
    )
    return Links(links, ended, previous.day)


@dataclass(frozen=True, slots=True, eq=False)
class _Transition:
    """How the kp clusters of one run became the kc clusters of the next.

    Attributes:
        same: later cluster → (the earlier cluster that it continues, similarity).
        similarity: float64 (kp, kc).
        backward: float64 (kp, kc), the share of the later cluster's shared items that came from the earlier one.
        absorbed: bool (kp, kc), most of the earlier cluster is in the later one.
        substantial: bool (kp, kc), absorbed, and a substantial part of the later one.
        split_off: bool (kp, kc), most of the later cluster comes from the earlier one, and is a substantial part of it.
        replaced: bool (kp, kc), the earlier cluster fades, and the later one is young and near it.
        replaced_now: bool (kp, kc), replaced, and the earlier cluster did not fade before.
    """

    previous: Snapshot
    current: Snapshot
    same: dict[int, tuple[int, float]]
    similarity: NDArray[np.float64]
    backward: NDArray[np.float64]
    absorbed: NDArray[np.bool_]
    substantial: NDArray[np.bool_]
    split_off: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    replaced_now: NDArray[np.bool_]
    growth: Growth

    @classmethod
    def between(cls, previous: Snapshot, current: Snapshot) -> "_Transition":
        overlap = Overlap.of(previous, current)
        same = same_clusters(previous, current, overlap)
        forward, backward = overlap.forward(), overlap.backward()
        enough = overlap.counts >= MIN_SHARED
        before, now = previous.growth(), current.growth()
        # The last items of a fading topic join a neighbour, and the first items of a young one come from a neighbour:
        # neither is a merge or a split.
        absorbed = enough & (forward >= MAIN_SHARE) & ~before.fading[:, None]
        split_off = enough & (backward >= MAIN_SHARE) & (forward >= PART_SHARE) & ~now.young[None, :]
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
            absorbed,
            substantial=absorbed & (backward >= PART_SHARE),
            split_off=split_off,
            replaced=replaced,
            replaced_now=replaced & ~before.fading[:, None],
            growth=now,
        )

    @property
    def carried(self) -> set[int]:
        """Earlier clusters whose lineage continues."""
        return {p for p, _ in self.same.values()}

    def link(self, c: int) -> Link:
        """The link of a later cluster."""
        if c in self.same:
            p, similarity = self.same[c]
            replaced = [other for other in self._from(self.replaced_now, c) if other != p]
            joined = sorted({*self._where(self.substantial, c), *replaced})
            parents = self._names([p, *joined])
            return Link(c, self.previous.lineage_ids[p], self._status(c, p, joined), similarity, parents)
        own_id = self.current.lineage_ids[c]
        absorbed, split_off, replaced = (
            self._where(self.absorbed, c),
            self._from(self.split_off, c),
            self._from(self.replaced, c),
        )
        if len(absorbed) > 1 and self.backward[absorbed, c].sum() >= MAIN_SHARE:
            return Link(c, own_id, "merged", float(self.backward[absorbed, c].sum()), self._names(absorbed))
        if split_off:
            return Link(c, own_id, "split", float(self.backward[split_off[0], c]), self._names(split_off))
        best = float(self.similarity[:, c].max(initial=0.0))
        if replaced:
            return Link(c, own_id, "merged" if len(replaced) > 1 else "split", best, self._names(replaced))
        return Link(c, own_id, "new", 1.0 - best)

    def successors(self, p: int) -> list[int]:
        """Later clusters that hold the remaining members of an earlier one, or replace it."""
        return [int(c) for c in np.flatnonzero(self.absorbed[p] | self.split_off[p] | self.replaced[p])]

    def _status(self, c: int, p: int, joined: Sequence[int]) -> Status:
        if joined:
            return "merged"
        if any(self.split_off[p, other] for other in range(len(self.current.lineage_ids)) if other not in self.same):
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


def _recover_ids(links: Links, current: Snapshot, others: Iterable[Snapshot], ended_ids: frozenset[str]) -> Links:
    """Give clusters with a new id the id that they have in another run, if it is not in use."""
    seen = set(ended_ids)
    clusters = list(links.clusters)
    for other in others:
        unrecovered = {
            each.cluster_id
            for each in clusters
            if each.lineage_id == current.lineage_ids[each.cluster_id] and each.lineage_id not in each.parents
        }
        if not unrecovered:
            break
        if other.space.differences(current.space):
            continue
        used = seen | {each.lineage_id for each in clusters}
        free = {p for p, lineage_id in enumerate(other.lineage_ids) if lineage_id not in used}
        seen |= set(other.lineage_ids)
        if not free:
            continue
        # All clusters take part in the matching, so that shares are right; only free ids and new clusters are used.
        found = same_clusters(other, current, Overlap.of(other, current))
        for c, (p, similarity) in found.items():
            if c in unrecovered and p in free:
                clusters[c] = _recovered(clusters[c], other.lineage_ids[p], similarity, other, current)
    return replace(links, clusters=tuple(clusters))


def _recovered(unrecovered: Link, lineage_id: str, similarity: float, other: Snapshot, current: Snapshot) -> Link:
    """The link with the recovered id; a cluster that existed on an earlier day is not new."""
    if unrecovered.status != "new" or other.day >= current.day:
        return replace(unrecovered, lineage_id=lineage_id)
    return Link(unrecovered.cluster_id, lineage_id, "continued", similarity, (lineage_id,))
