"""Held-out label accuracy: how many held-out members are nearest to the name of their own cluster.

Each held-out member is assigned to the name (title and description) nearest to its vector. The accuracy is the share
that is assigned to the own cluster. It is compared with chance, and with the accuracy of the clusters' centroids on the
same members. All vectors have length 1.

Names are texts of another kind than summaries: all lie in one direction, and some are near to every summary. So items
and names are each centred on their own mean first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.labels.evidence_choice import unit

CHUNK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class NameTest:
    """The test of one name.

    Attributes:
        held_out: number of held-out members.
        hits: members that are nearest to the name of their cluster.
        centroid_hits: members that are nearest to the centroid of their cluster; names can hardly do better.
    """

    held_out: int
    hits: int
    centroid_hits: int


@dataclass(frozen=True, slots=True)
class HeldOutAccuracy:
    """The test of all names of a clustering.

    Attributes:
        held_out: number of held-out members.
        accuracy: share that is nearest to the name of its cluster, in [0, 1].
        chance: 1 / number of names.
        by_centroids: share that is nearest to the centroid of its cluster.
    """

    held_out: int
    accuracy: float
    chance: float
    by_centroids: float


def held_out_tests(
    items: NDArray[np.float32],
    clusters_of_items: NDArray[np.intp],
    names: NDArray[np.float32],
    centroids: NDArray[np.float32],
) -> list[NameTest]:
    """Test each of the k names; on a tie the first name wins.

    Args:
        items: float32 (n, d), held-out members.
        clusters_of_items: intp (n,), index of the cluster of each, in [0, k).
        names: float32 (k, d).
        centroids: float32 (k, d).
    """
    by_name, by_centroid = _nearest(items, names) == clusters_of_items, _nearest(items, centroids) == clusters_of_items
    return [
        NameTest(int(own.sum()), int(by_name[own].sum()), int(by_centroid[own].sum()))
        for own in (clusters_of_items == index for index in range(len(names)))
    ]


def overall(fits: Sequence[NameTest]) -> HeldOutAccuracy | None:
    """All names together; None where no member was held out."""
    held_out = sum(fit.held_out for fit in fits)
    if not held_out:
        return None
    return HeldOutAccuracy(
        held_out=held_out,
        accuracy=sum(fit.hits for fit in fits) / held_out,
        chance=1 / len(fits),
        by_centroids=sum(fit.centroid_hits for fit in fits) / held_out,
    )


def accuracy_of(tests: Sequence[Mapping[str, Any]]) -> HeldOutAccuracy | None:
    """The held-out label accuracy of a run, from its stored tests; None if no member was held out."""
    return overall([NameTest(row["held_out"], row["hits"], row["centroid_hits"]) for row in tests])


def _nearest(items: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.intp]:
    items, targets = _from_mean(items), _from_mean(targets)
    found = np.empty(len(items), dtype=np.intp)
    for start in range(0, len(items), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        found[rows] = (items[rows] @ targets.T).argmax(axis=1)
    return found


def _from_mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit(vectors - vectors.mean(axis=0)) if len(vectors) > 1 else vectors
