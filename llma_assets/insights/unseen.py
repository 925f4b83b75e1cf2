"""How much is unseen: the share of traffic that belongs to kinds which have not been seen yet. Pure.

The estimate of I. J. Good and A. M. Turing (Good, Biometrika 40 (1953), 237-264): of `n` items, the share of the next
ones that are of a new kind is about the share of kinds seen once; its interval is that of W. W. Esty (Ann. Stat. 11
(1983), 905-912).
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

from llma_assets.stats import Z95


@dataclass(frozen=True, slots=True)
class Unseen:
    """The share of traffic of kinds that have not been seen.

    Attributes:
        share: the estimate, in [0, 1]; at most so much, because outliers count as kinds of their own.
        low, high: its interval at 95 %.
        once: kinds that were seen once: clusters of one item, and outliers.
        items: all that were seen.
    """

    share: float
    low: float
    high: float
    once: int
    items: int


def unseen(sizes: Collection[int], outliers: int) -> Unseen | None:
    """Estimate it of the sizes of clusters and the number of outliers; None of no items.

    >>> unseen([50, 30, 10], 10).share
    0.1
    """
    items = sum(sizes) + outliers
    if not items:
        return None
    once, twice = outliers + sum(size == 1 for size in sizes), sum(size == 2 for size in sizes)
    share = once / items
    # Of nothing seen once, as of a proportion of which nothing was seen: about three in all that were seen.
    if not once:
        return Unseen(0.0, 0.0, min(1.0, 3 / items), 0, items)
    half = Z95 * math.sqrt(once * (1 - share) + 2 * twice) / items
    return Unseen(share, max(0.0, share - half), min(1.0, share + half), once, items)
