"""Links clusters to those of the runs before: lasting lineage ids, and what happened to each. No database, no Dagster.

Runs of neighbouring days share most of their items, so clusters are matched by their shared items, and by their
centroids where few or none are shared. A split, a merge or an end is said once it has held for two runs: what one night
cuts otherwise, and the next one puts back, did not happen. A lineage ends when nothing of it comes in any more, though
the window still holds older items of it; one that is gone while its items came in was cut otherwise, and did not end.
What people decide about a lineage belongs in `edits`.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any, Literal

from llma_assets.clusters.lineage.matching import Overlap, same_clusters
from llma_assets.clusters.lineage.snapshot import Snapshot
from llma_assets.clusters.lineage.takeover import takeovers
from llma_assets.clusters.lineage.transition import Transition

Status = Literal["new", "continued", "grown", "shrunk", "tentative", "merged", "split", "ended"]


@dataclass(frozen=True, slots=True)
class Link:
    """The lineage of one cluster.

    Attributes:
        cluster_id: its number in the run.
        lineage_id: its lasting id.
        status: what happened to it. "tentative" is a cluster that the run before did not have, made of items of others:
            the next run says "split" or "merged" if it is still there. "ended": next to nothing of it came in on the
            newest days, in this run and the one before.
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
    """A lineage that gets no more items, or has no cluster in this run.

    Attributes:
        lineage_id: its id.
        size: its members in the last run that had it.
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
        ended: lineages whose cluster is `ended` since this run; and those that neither this run has nor the one before
            it, but the one before that.
        previous_day: of the run that was linked to, None where there was none.
        note: why no lineage can continue, "" where it can.
        missing: lineages of the run before that this run has not; they end if the next one has not got them either.
    """

    clusters: tuple[Link, ...]
    ended: tuple[Ended, ...] = ()
    previous_day: date | None = None
    note: str = ""
    missing: tuple[Ended, ...] = ()

    def in_words(self) -> str:
        """What happened, such as "40 continued, 2 new, 1 ended"."""
        counts = Counter[str](each.status for each in self.clusters)
        counts["ended"], counts["missing"] = len(self.ended), len(self.missing)
        said = ", ".join(f"{number} {status}" for status, number in counts.most_common() if number)
        return f"{said} ({self.note})" if self.note else said

    def summary(self) -> dict[str, Any]:
        """What is stored with the run; serialisable as JSON."""
        return {
            "previous_day": self.previous_day.isoformat() if self.previous_day else None,
            "note": self.note,
            "ended": [_as_json(each) for each in self.ended],
            "missing": [_as_json(each) for each in self.missing],
        }


def _as_json(ended: Ended) -> dict[str, Any]:
    return {"lineage_id": ended.lineage_id, "size": ended.size, "into": list(ended.into)}


def link(previous: Snapshot | None, current: Snapshot, others: Iterable[Snapshot] = ()) -> Links:
    """Link the clusters of a run to those of the runs before it.

    Ids are carried one to one, by the assignment with the greatest similarity overall. Of several clusters that
    merge, the most similar one gives its id; of several that one splits into, the most similar one keeps it.
    Growth is measured within `current` alone (see `growth`).

    Args:
        previous: the latest run before it, None where there is none.
        current: the run; its `lineage_ids` are those of new clusters.
        others: more runs, the likeliest first. The first one, if it is from before `previous`, says what has held for
            two runs. Each may hold the id of a cluster that is not in `previous`: older days (a cluster that was lost
            or merged for a day comes back), an attempt at the same day that this one takes the place of, the day
            after. The rest is read only while there are clusters without an old id.

    Returns:
        a link for each cluster, and what ended or is missing.
    """
    if previous is None:
        links = Links(_all_new(current), note="no run before it")
        return replace(links, clusters=_with_recovered(links.clusters, current, others, frozenset()))
    rest = iter(others)
    first = next(rest, None)
    before = first if first and first.day < previous.day and not first.space.differences(previous.space) else None
    others = chain([first] if first else [], rest)
    if changed := previous.space.differences(current.space):
        ended = [Ended(each, int(size)) for each, size in zip(previous.lineage_ids, previous.sizes, strict=True)]
        ended += _gone(before, {*previous.lineage_ids}, None) if before else []
        links = Links(_all_new(current), tuple(ended), previous.day, note=changed)
        return replace(
            links, clusters=_with_recovered(links.clusters, current, others, frozenset(previous.lineage_ids))
        )
    transition = Transition.between(previous, current)
    clusters = tuple(_link(transition, c, own_id) for c, own_id in enumerate(current.lineage_ids))
    clusters = _with_recovered(clusters, current, others, frozenset(previous.lineage_ids))
    ids = tuple(each.lineage_id for each in clusters)
    missing = _gone(previous, {*ids}, transition, ids)
    over = transition.over
    ended = [
        Ended(clusters[c].lineage_id, int(previous.sizes[p]))
        for c, p in sorted(over.items())
        if previous.status(p) != "ended"
    ]
    if before is not None:
        held = Transition.between(before, current)
        # Items came in until it was gone, and this run still has them: in noise, or a few in each of many clusters.
        scattered = before.names_of((held.shared > 0) & ~before.falls())
        ended += [
            each
            for each in _gone(before, {*ids, *previous.lineage_ids}, held, ids)
            if each.into or each.lineage_id not in scattered
        ]
        clusters = _settled(clusters, before, previous, transition, held, over)
    clusters = tuple(replace(each, status="ended") if each.cluster_id in over else each for each in clusters)
    clusters = _taken_over(clusters, current, previous, before, over)
    return Links(clusters, tuple(ended), previous.day, missing=tuple(missing))


def _taken_over(
    clusters: tuple[Link, ...],
    current: Snapshot,
    previous: Snapshot,
    before: Snapshot | None,
    over: dict[int, int],
) -> tuple[Link, ...]:
    """Say which clusters take over from what ended: on the day on which that is said, or when they begin later."""
    status_before = [dict(zip(run.lineage_ids, run.statuses, strict=False)) for run in (previous, before) if run]
    settled = list(clusters)
    for c, found in takeovers(current, over).items():
        known = [statuses[settled[c].lineage_id] for statuses in status_before if settled[c].lineage_id in statuses]
        is_late = len(known) < len(status_before)
        just = any(previous.status(over[p]) != "ended" for p in found.ended)
        if (just or is_late) and not {"merged", "split"} & {*known, settled[c].status}:
            parents = tuple(clusters[p].lineage_id for p in found.ended)
            settled[c] = replace(settled[c], status=found.status, parents=parents)
    return tuple(settled)


def _all_new(current: Snapshot) -> tuple[Link, ...]:
    return tuple(Link(number, lineage_id, "new", 1.0) for number, lineage_id in enumerate(current.lineage_ids))


def _link(transition: Transition, c: int, own_id: str) -> Link:
    """The link of a cluster to the run before alone."""
    if c in transition.same:
        p, similarity = transition.same[c]
        lineage_id = transition.earlier.lineage_ids[p]
        return Link(c, lineage_id, _growth(transition, c), similarity, (lineage_id,))
    origin = transition.origin(c)
    return Link(c, own_id, "new" if origin.status == "new" else "tentative", origin.confidence, origin.parents)


def _growth(transition: Transition, c: int) -> Status:
    if transition.growth.grown[c]:
        return "grown"
    return "shrunk" if transition.growth.faded[c] else "continued"


def _gone(run: Snapshot, present: set[str], transition: Transition | None, ids: tuple[str, ...] = ()) -> list[Ended]:
    """The lineages of an earlier run that are not present.

    Of a tentative one nothing was said, so it cannot end, and of one that ended it was said.
    """
    return [
        Ended(lineage_id, int(size), tuple(ids[c] for c in transition.successors(p)) if transition else ())
        for p, (lineage_id, size) in enumerate(zip(run.lineage_ids, run.sizes, strict=True))
        if lineage_id not in present and run.status(p) not in ("tentative", "ended")
    ]


def _settled(
    clusters: tuple[Link, ...],
    before: Snapshot,
    previous: Snapshot,
    transition: Transition,
    held: Transition,
    over: Collection[int],
) -> tuple[Link, ...]:
    """Say the splits and merges that the run before had, and this one still has.

    Args:
        before: the run before `previous`.
        held: how `before` became this run.
        over: clusters that ended: what the cut sets apart because it is over was not split off.
    """
    known, settled = {*before.lineage_ids}, list(clusters)
    gone = known - {*previous.lineage_ids} - {each.lineage_id for each in clusters}
    earlier = Transition.between(before, previous)
    for c, each in enumerate(clusters):
        if c not in transition.same or c in over:
            continue
        p = transition.same[c][0]
        tentative = previous.status(p) in ("", "tentative") and each.lineage_id not in known
        if tentative:
            origin = held.origin(c)
            if origin.status != "new" or previous.status(p):
                settled[c] = Link(c, each.lineage_id, origin.status, origin.confidence, origin.parents)
            continue
        joined = [q for q in held.substantial[:, c].nonzero()[0].tolist() if before.lineage_ids[q] in gone]
        names = held.names([q for q in joined if before.status(q) != "tentative"])
        if names:
            settled[c] = replace(each, status="merged", parents=(each.lineage_id, *sorted(names)))
        elif earlier.replaced_now[:, p].any() and previous.status(p) not in ("merged", "split"):
            taken = held.names((earlier.replaced[:, p] | held.replaced[:, c]).nonzero()[0].tolist())
            settled[c] = replace(each, status="merged" if len(taken) > 1 else "split", parents=taken)
    parted = {parent for each in settled if each.status == "split" for parent in each.parents}
    return tuple(
        replace(each, status="split")
        if each.lineage_id in parted and each.status in ("continued", "grown", "shrunk")
        else each
        for each in settled
    )


def _with_recovered(
    links: tuple[Link, ...], current: Snapshot, others: Iterable[Snapshot], ended_ids: frozenset[str]
) -> tuple[Link, ...]:
    """Give clusters with a new id the id that they have in another run, if it is not in use."""
    seen = set(ended_ids)
    clusters = list(links)
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
    return tuple(clusters)


def _recovered(unrecovered: Link, lineage_id: str, similarity: float, other: Snapshot, current: Snapshot) -> Link:
    """The link with the recovered id; a cluster that existed on an earlier day is not new."""
    if other.day >= current.day:
        return replace(unrecovered, lineage_id=lineage_id)
    return Link(unrecovered.cluster_id, lineage_id, "continued", similarity, (lineage_id,))
