"""Whether items of some kind came on the newest days only, or no longer come: by chance alone how seldom that is.

Counts of days are compared with those of all items, so that days on which less came in say nothing about one kind.
"""

import numpy as np
from numpy.typing import NDArray

CHANCE = 1e-4
"""Something is new, or over, if chance puts its items on such days this seldom; some hundred parts of a window are
looked at."""
NEW_RATIO = 4.0
"""What is new also holds so many times the share of the newer days that it holds of the older ones."""
NEWEST_DAYS = 3
"""Days that count as the newest, at most; by then what is carried over holds the new cluster."""
OVER_RATIO = 1 / 3
"""What is over also holds at most this many times the share of the newer days that it holds of the older ones."""
SILENT_DAYS = 2
"""Newest days, at least, on which next to nothing came of what is over."""
DAILY_DAYS = 3
"""Older days, at least, on which something came: a burst of a day or two that is past was no topic of every day."""

Counts = NDArray[np.intp]


def chance_of_news(counts: Counts, everything: Counts) -> NDArray[np.float64]:
    """How likely chance puts so many items on the newest days, the least over how many days; 1 for what is not new.

    Args:
        counts: intp (k, days), items of each of k kinds.
        everything: intp (days,), all items.

    Returns:
        float64 (k,), each in [0, 1].
    """
    from scipy.special import betainc

    least = np.ones(len(counts))
    for days in range(1, min(NEWEST_DAYS, len(everything) // 2) + 1):
        young, old, share = _parted(counts, everything, days)
        new = (young > 0) & (young * (1 - share) >= NEW_RATIO * old * share)
        # The upper tail of the binomial distribution.
        least[new] = np.minimum(least[new], betainc(young[new], old[new] + 1, share))
    return least


def chance_of_silence(counts: Counts, everything: Counts, *, daily_days: int = DAILY_DAYS) -> NDArray[np.float64]:
    """How likely chance puts so few items on the newest days, as in `chance_of_news`; 1 for what goes on.

    Args:
        daily_days: older days, at least, on which something came.
    """
    from scipy.special import betainc

    least = np.ones(len(counts))
    for days in range(SILENT_DAYS, len(everything) - daily_days + 1):
        young, old, share = _parted(counts, everything, days)
        daily = (counts[:, :-days] > 0).sum(axis=1) >= daily_days
        over = daily & (young * (1 - share) <= OVER_RATIO * old * share)
        # The lower tail.
        least[over] = np.minimum(least[over], betainc(old[over], young[over] + 1, 1 - share))
    return least


def _parted(counts: Counts, everything: Counts, days: int) -> tuple[Counts, Counts, float]:
    """Items of the newest days and of the older ones, (k,) each, and the share of the newest days in all."""
    young = counts[:, -days:].sum(axis=1)
    return young, counts[:, :-days].sum(axis=1), float(everything[-days:].sum() / everything.sum())
