"""Which clusters take over from those that ended: they began when these stopped, and are near them. No database.

Texts of one topic that give way to those of another share no item with them, so that only the time and the place tell.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llma_assets.clusters.lineage.growth import counts_by_day
from llma_assets.clusters.lineage.matching import centroid_cosines
from llma_assets.clusters.lineage.snapshot import Snapshot

NEAR = 0.25
"""Cosine of centred centroids, at least."""
DAYS_APART = 0
"""Days between the first without the one and the first with the other, at most."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A young cluster in the place of others.

    Attributes:
        status: "merged" if it takes over from several, or has more items a day than the one had; else "split".
        ended: the clusters that it takes over from.
    """

    status: Literal["merged", "split"]
    ended: tuple[int, ...]


def takeovers(run: Snapshot, ended: Collection[int]) -> dict[int, Takeover]:
    """Which young clusters of a run take over from which of those that ended, by number."""
    gone = sorted(ended)
    if not gone:
        return {}
    growth = run.growth()
    counts, _ = counts_by_day(run.item_days, run.labels, len(run.lineage_ids))
    near = centroid_cosines(run.centroids, run.centroids) >= NEAR
    found = {}
    for c in np.flatnonzero(growth.young).tolist():
        left = tuple(p for p in gone if near[p, c] and abs(growth.since[p] - growth.since[c]) <= DAYS_APART)
        if left and c not in ended:
            a_day = counts[c, growth.since[c] :].mean()
            is_more = a_day > counts[left[0], : growth.since[left[0]]].mean()
            found[c] = Takeover("merged" if len(left) > 1 or is_more else "split", left)
    return found
