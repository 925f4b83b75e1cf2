"""Which cluster of today is which of yesterday's: lasting ids, and what became of each. No database, no Dagster.

Runs of neighbouring days share most of their items, so clusters are matched by what became of the shared ones, and
by their centroids where few or none are shared. What people decide about a lineage belongs in `edits`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

Status = Literal["new", "continued", "grown", "shrunk", "merged", "split"]

NAMESPACE = UUID("0c5a4f3e-54b8-5d0b-8a86-3a5f8e1f6d02")

SAME_BY_MEMBERS, SAME_BY_CENTROID = 0.25, 0.6
"""Least similarity of a cluster that carries its id on: Jaccard of the shared items; cosine of centred centroids."""

FEW_SHARED = 3.0
"""With so many shared items, they and the centroids count alike; with more, they count for more."""

MAIN_SHARE, PART_SHARE, LEAST_SHARED = 0.5, 0.15, 3
"""Merged and split: most of one side goes there, a fair part of the other comes from there, some items at least."""

CHANGE_RATIO, CHANGE_Z = 1.25, 3.0
"""Grown or shrunk: the share among new items differs by this factor, and by so many standard errors."""


@dataclass(frozen=True, slots=True)
class Space:
    """What has to be equal for the clusters of two runs to be comparable.

    Attributes:
        embedding_model: name of the model.
        method: clustering method.
        theme_version: what was asked of the traces; "" where it is not known, which is equal to any.
    """

    embedding_model: str
    method: str
    theme_version: str = ""

    def differences(self, other: "Space") -> str:
        """What changed from this to the other, in words; "" where nothing did."""
        changed = []
        if self.embedding_model != other.embedding_model:
            changed.append(f"embedding model: {self.embedding_model} before, {other.embedding_model} now")
        if self.method != other.method:
            changed.append(f"method: {self.method} before, {other.method} now")
        if self.theme_version and other.theme_version and self.theme_version != other.theme_version:
            changed.append(f"theme version: {self.theme_version} before, {other.theme_version} now")
        return "; ".join(changed)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The k clusters of one run over n items, as linking sees them.

    Attributes:
        day: of the run.
        space: what makes it comparable.
        item_ids: str (n,), distinct.
        item_days: datetime64[D] (n,), the day of each item.
        labels: int (n,) in 0..k-1, -1 is noise.
        centroids: float32 (k, d).
        lineage_ids: k ids; of the run that is to be linked, the ids that its clusters get if they are new.
    """

    day: date
    space: Space
    item_ids: NDArray[np.str_]
    item_days: NDArray[np.datetime64]
    labels: NDArray[np.int_]
    centroids: NDArray[np.float32]
    lineage_ids: tuple[str, ...]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Members of each cluster, (k,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.lineage_ids))


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
        note: why all lineages begin here, "" where they do not.
    """

    clusters: tuple[Link, ...]
    ended: tuple[Ended, ...] = ()
    previous_day: date | None = None
    note: str = ""

    def summary(self) -> dict[str, Any]:
        """What is stored with the run, as JSON can hold it."""
        return {
            "previous_day": self.previous_day.isoformat() if self.previous_day else None,
            "note": self.note,
            "ended": [{"lineage_id": e.lineage_id, "size": e.size, "into": list(e.into)} for e in self.ended],
        }


def first_lineage_id(team_id: int, theme_id: str, attempt_id: UUID, cluster_id: int) -> str:
    """The lineage id of a cluster that begins with this attempt; equal attempts give equal ids."""
    return str(uuid5(NAMESPACE, f"{team_id}|{theme_id}|{attempt_id}|{cluster_id}"))


def link(previous: Snapshot | None, current: Snapshot, others: Iterable[Snapshot] = ()) -> Links:
    """Link the clusters of a run to those of the run before it.

    Ids are carried one to one, by the assignment with the greatest similarity overall. Of several clusters that
    merge, the most similar one gives its id; of several that one splits into, the most similar one keeps it.
    Growth is judged within `current` alone, where all days were clustered alike: the share of the cluster among
    the items since the run before, against its share among the older ones.

    Args:
        previous: the latest run before it, None where there is none.
        current: the run; its `lineage_ids` are those of new clusters.
        others: more runs that may hold the id of a cluster that is not in `previous`, the likeliest first: older
            days (a cluster that was lost for a day comes back), an attempt at the same day that this one takes
            the place of, the day after. Read only while there are new clusters left.

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


@dataclass(frozen=True, slots=True, eq=False)
class _Overlap:
    """What became of the items that both runs hold.

    Attributes:
        counts: (kp, kc) items that went from one cluster to the other.
        before: (kp,) items of each earlier cluster that the later run holds, noise included.
        after: (kc,) items of each later cluster that the earlier run held.
    """

    counts: NDArray[np.intp]
    before: NDArray[np.intp]
    after: NDArray[np.intp]

    @classmethod
    def of(cls, earlier: Snapshot, later: Snapshot) -> "_Overlap":
        kp, kc = len(earlier.lineage_ids), len(later.lineage_ids)
        _, left, right = np.intersect1d(earlier.item_ids, later.item_ids, assume_unique=True, return_indices=True)
        was, now = earlier.labels[left], later.labels[right]
        # Noise, -1, falls into the last row or column, which is cut off after the sums were taken.
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


def _similarity(overlap: _Overlap, earlier: Snapshot, later: Snapshot) -> tuple[NDArray[Any], NDArray[Any]]:
    """Similarity of all pairs in [0, 1], (kp, kc), and the least that makes a pair the same cluster."""
    shared = np.maximum(overlap.before[:, None], overlap.after[None, :])
    weight = shared / (shared + FEW_SHARED)
    similarity = weight * overlap.jaccard() + (1 - weight) * _centroid_cosines(earlier.centroids, later.centroids)
    return similarity, weight * SAME_BY_MEMBERS + (1 - weight) * SAME_BY_CENTROID


def _centroid_cosines(earlier: NDArray[np.float32], later: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosines of all pairs, at least 0, after the mean of all was taken off: what all topics share says nothing."""
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


def _same(earlier: Snapshot, later: Snapshot, overlap: _Overlap) -> dict[int, tuple[int, float]]:
    """For each later cluster that goes on an earlier one: which one, and how similar they are."""
    from scipy.optimize import linear_sum_assignment

    similarity, least = _similarity(overlap, earlier, later)
    # A pair that may not be taken must not keep another from its best: it counts for nothing.
    allowed = np.where(similarity >= least, similarity, 0.0)
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return {int(c): (int(p), float(similarity[p, c])) for p, c in zip(rows, columns, strict=True) if allowed[p, c] > 0}


def _link(previous: Snapshot, current: Snapshot) -> Links:
    overlap = _Overlap.of(previous, current)
    similarity = _similarity(overlap, previous, current)[0]
    forward, backward = overlap.forward(), overlap.backward()
    same = _same(previous, current, overlap)
    carried = {p for p, _ in same.values()}
    enough = overlap.counts >= LEAST_SHARED
    swallowed = enough & (forward >= MAIN_SHARE)
    fair = swallowed & (backward >= PART_SHARE)
    torn = enough & (backward >= MAIN_SHARE) & (forward >= PART_SHARE)
    changes = _changes(previous.day, current)

    links = []
    for c, own_id in enumerate(current.lineage_ids):
        joined = [int(p) for p in np.flatnonzero(fair[:, c]) if p not in carried]
        pooled = [int(p) for p in np.flatnonzero(swallowed[:, c]) if p not in carried]
        from_one = [int(p) for p in np.flatnonzero(torn[:, c])]
        if c in same:
            p, confidence = same[c]
            status: Status = changes[c]
            if _tears(torn, p, {other for other in range(len(current.lineage_ids)) if other not in same}):
                status = "split"
            if joined:
                status = "merged"
            links.append(Link(c, previous.lineage_ids[p], status, confidence, _names(previous, [p, *joined])))
        elif len(pooled) > 1 and backward[pooled, c].sum() >= MAIN_SHARE:
            confidence = float(backward[pooled, c].sum())
            links.append(Link(c, own_id, "merged", confidence, _names(previous, pooled)))
        elif from_one:
            links.append(Link(c, own_id, "split", float(backward[from_one[0], c]), _names(previous, from_one)))
        else:
            best = float(similarity[:, c].max(initial=0.0))
            links.append(Link(c, own_id, "new", 1.0 - best))
    ended = tuple(
        Ended(lineage_id, int(previous.sizes[p]), _heirs(links, swallowed[p] | torn[p]))
        for p, lineage_id in enumerate(previous.lineage_ids)
        if p not in carried
    )
    return Links(tuple(links), ended, previous.day)


def _tears(torn: NDArray[np.bool_], p: int, unmatched: set[int]) -> bool:
    return any(torn[p, c] for c in unmatched)


def _names(previous: Snapshot, clusters: Sequence[int]) -> tuple[str, ...]:
    return tuple(previous.lineage_ids[p] for p in clusters)


def _heirs(links: Sequence[Link], where: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(links[int(c)].lineage_id for c in np.flatnonzero(where))


def _changes(since: date, current: Snapshot) -> list[Status]:
    """Whether each cluster's share of the items after `since` differs from its share of those before."""
    new = current.item_days > np.datetime64(since)
    k = len(current.lineage_ids)
    clustered = current.labels >= 0
    added = np.bincount(current.labels[clustered & new], minlength=k)
    stayed = np.bincount(current.labels[clustered & ~new], minlength=k)
    return [_change(int(a), int(new.sum()), int(s), int((~new).sum())) for a, s in zip(added, stayed, strict=True)]


def _change(added: int, new: int, stayed: int, old: int) -> Status:
    """Two shares compared: by their ratio, and by the z statistic of two proportions with a pooled variance."""
    if new == 0 or old == 0:
        return "continued"
    share, before, pooled = added / new, stayed / old, (added + stayed) / (new + old)
    error = (pooled * (1 - pooled) * (1 / new + 1 / old)) ** 0.5
    if error == 0 or abs(share - before) < CHANGE_Z * error:
        return "continued"
    if share >= before * CHANGE_RATIO:
        return "grown"
    return "shrunk" if share * CHANGE_RATIO <= before else "continued"


def _recover(links: Links, current: Snapshot, others: Iterable[Snapshot], gone: frozenset[str]) -> Links:
    """Give new clusters the id that they have in another run, where that id is free."""
    seen = set(gone)
    clusters = list(links.clusters)
    for other in others:
        fresh = [each.cluster_id for each in clusters if each.status == "new"]
        if not fresh:
            break
        if other.space.differences(current.space):
            continue
        taken = seen | {each.lineage_id for each in clusters}
        free = [p for p, lineage_id in enumerate(other.lineage_ids) if lineage_id and lineage_id not in taken]
        seen |= set(other.lineage_ids)
        if not free:
            continue
        # Both sides whole, so that shares are right; then only what is free and new may be taken.
        found = _same(other, current, _Overlap.of(other, current))
        for c, (p, similarity) in found.items():
            if c in fresh and p in free:
                lineage_id = other.lineage_ids[p]
                back = other.day < current.day
                clusters[c] = Link(
                    c,
                    lineage_id,
                    "continued" if back else "new",
                    similarity if back else clusters[c].confidence,
                    (lineage_id,) if back else (),
                )
    return replace(links, clusters=tuple(clusters))
