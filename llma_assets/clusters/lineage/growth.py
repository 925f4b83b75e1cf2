"""Whether clusters grow or fade within one window: compares shares of newer and of older days. No database.

A window is clustered as a whole, so shares of its days are comparable. Sizes of neighbouring windows are not: they
share most items, and the boundaries of clusters move.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANGE_RATIO, CHANGE_Z = 1.25, 3.0
"""A cluster has grown or faded if its shares differ by this factor, and by so many standard errors."""

ONE_SIDED_RATIO = 3.0
"""With this factor, nearly all of the cluster lies in the newer days, or in the older ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """The change of k clusters within their window.

    Attributes:
        ratio: float64 (k,), share of the newer days over share of the older ones; infinite where the older share is 0.
        z: float64 (k,), the difference in standard errors.
        since: intp (k,), the first of the newer days, counted from the window's first one that has items.
    """

    ratio: NDArray[np.float64]
    z: NDArray[np.float64]
    since: NDArray[np.intp]

    @property
    def grown(self) -> NDArray[np.bool_]:
        """Clusters with more in the newer days, (k,)."""
        return (self.z >= CHANGE_Z) & (self.ratio >= CHANGE_RATIO)

    @property
    def faded(self) -> NDArray[np.bool_]:
        """Clusters with less in the newer days, (k,)."""
        return (self.z <= -CHANGE_Z) & (self.ratio <= 1 / CHANGE_RATIO)

    @property
    def young(self) -> NDArray[np.bool_]:
        """Clusters that hardly existed in the older days, (k,)."""
        return self.grown & (self.ratio >= ONE_SIDED_RATIO)

    @property
    def fading(self) -> NDArray[np.bool_]:
        """Clusters that hardly exist in the newer days, (k,)."""
        return self.faded & (self.ratio <= 1 / ONE_SIDED_RATIO)


def growth_in(item_days: NDArray[np.datetime64], labels: NDArray[np.int_], k: int) -> Growth:
    """Find for each cluster the day since which its share differs most, and by how much.

    The statistic is that of two proportions with a pooled variance, the largest over all ways to part the window's
    days into older and newer ones.

    Args:
        item_days: datetime64[D] (n,), the day of each item.
        labels: int (n,) in 0..k-1, -1 is noise, which counts among all items.
        k: number of clusters.
    """
    counts, totals = counts_by_day(item_days, labels, k)
    ratio, best, since = np.ones(k), np.zeros(k), np.zeros(k, dtype=np.intp)
    for first_new in range(1, len(totals)):
        old, new = totals[:first_new].sum(), totals[first_new:].sum()
        before, share = counts[:, :first_new].sum(axis=1) / old, counts[:, first_new:].sum(axis=1) / new
        pooled = (before * old + share * new) / (old + new)
        error = np.sqrt(pooled * (1 - pooled) * (1 / old + 1 / new))
        z = np.divide(share - before, error, out=np.zeros(k), where=error > 0)
        more = np.abs(z) > np.abs(best)
        change = np.divide(share, before, out=np.full(k, np.inf), where=before > 0)
        ratio, best = np.where(more, change, ratio), np.where(more, z, best)
        since[more] = first_new
    return Growth(ratio, best, since)


def counts_by_day(
    item_days: NDArray[np.datetime64], labels: NDArray[np.int_], k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Items of each cluster and day, (k, days), and all items of each day, (days,); days without any are left out."""
    days, place = np.unique(item_days, return_inverse=True)
    clustered = labels >= 0
    counts = np.zeros((k, len(days)), dtype=np.intp)
    np.add.at(counts, (labels[clustered], place[clustered]), 1)
    return counts, np.bincount(place, minlength=len(days))
