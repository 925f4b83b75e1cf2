"""Chooses the members that represent a cluster, those that test its name, and its neighbours. No database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from llma_assets.labels.evidence import SummaryText

REPRESENTATIVES = 7
"""Summaries that a model reads for a cluster: those closest to the centroid."""

NEAREST_READ, SPREAD_READ = 20, 60
"""Members whose summaries are read: the nearest to the centroid, and others evenly spread over the rest."""

HELD_OUT = 20
"""Members that test a name, at most; every third of those that no model reads."""

NEIGHBOURS = 4
"""Items of other clusters that are shown beside a cluster."""
NEIGHBOURS_OF_ONE = 2
"""Of them, of one cluster at most: names are to be told from several others."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in the read members of a cluster, in their order.

    Attributes:
        representatives: at most 7, all with different texts, of different traces where there are so many.
        members: further members that offline names are made from.
        held_out: members that test the name; none of their texts is among the other two.
    """

    representatives: list[int]
    members: list[int]
    held_out: list[int]


def members_to_read(strengths: Sequence[float], borderline: float) -> list[int]:
    """Positions of the members whose summaries are read, ascending.

    Args:
        strengths: of all members of a cluster, the closest to the centroid first.
        borderline: members below this strength lie between clusters and are left out, unless fewer than three are
            above it.
    """
    firm = [position for position, strength in enumerate(strengths) if strength >= borderline]
    if len(firm) < 3:
        firm = list(range(len(strengths)))
    return firm[:NEAREST_READ] + _evenly_spread(firm[NEAREST_READ:], SPREAD_READ)


def split(texts: Sequence[SummaryText]) -> Split:
    """Divide the members of a cluster, the closest first, into those for its name and those that test it."""
    shown: dict[SummaryText, int] = {}
    traces: set[str] = set()
    again: dict[SummaryText, int] = {}
    for position, text in enumerate(texts):
        if text in shown or text in again:
            continue
        (again if text.trace_id in traces else shown)[text] = position
        traces |= {text.trace_id} if text.trace_id else set()
    representatives = sorted([*shown.values(), *again.values()][:REPRESENTATIVES])
    rest = [position for position in range(len(texts)) if position not in set(representatives)]
    tested = set(_evenly_spread(rest[1::3], HELD_OUT))
    members = [position for position in rest if position not in tested]
    seen = {texts[position] for position in (*representatives, *members)}
    return Split(representatives, members, [at for at in sorted(tested) if texts[at] not in seen])


def nearest_outside(
    centroid: NDArray[np.float32],
    vectors: NDArray[np.float32],
    homes: NDArray[np.int64],
    own: int,
    texts: Sequence[SummaryText],
) -> list[SummaryText]:
    """The texts, all different, of the items outside a cluster that are nearest to its centroid, nearest first.

    Args:
        centroid: float32 (d,).
        vectors: float32 (n, d), of length 1.
        homes: int64 (n,), the cluster of each item.
        own: the cluster.
        texts: n summaries.
    """
    similarity = np.where(homes != own, vectors @ centroid, -np.inf)
    found: dict[SummaryText, None] = {}
    of_home: Counter[int] = Counter()
    for index in np.argsort(-similarity, kind="stable"):
        if len(found) == NEIGHBOURS or homes[index] == own:
            break
        if texts[index] not in found and of_home[homes[index]] < NEIGHBOURS_OF_ONE:
            found[texts[index]] = None
            of_home[homes[index]] += 1
    return list(found)


def similar_together(centroids: Mapping[int, NDArray[np.float32]], size: int) -> list[list[int]]:
    """Cluster ids in batches of `size`, with similar clusters in one batch, so that they get distinct names.

    Each batch is the lowest remaining id and those nearest to it.

    Args:
        centroids: by cluster id, of one length.
        size: ids in a batch, at least 1.
    """
    left = sorted(centroids)
    batches = []
    while left:
        matrix = unit(np.array([centroids[cluster_id] for cluster_id in left], dtype=np.float32))
        nearest = np.argsort(-(matrix @ matrix[0]), kind="stable")[:size]
        batch = sorted({left[0], *(left[index] for index in nearest)})[:size]
        batches.append(batch)
        left = [cluster_id for cluster_id in left if cluster_id not in set(batch)]
    return batches


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of `vectors` (n, d) at length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


def _evenly_spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of `items`, evenly spread over them."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]
