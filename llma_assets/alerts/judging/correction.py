"""How surprising a count is, and the correction for looking at many series at once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.history import Floats

FALSE_ALARMS = 0.02
"""Share of alarms of one evaluation that may be false, on average."""


def tail(count: Floats, mean: Floats, sigma: Floats, weeks: NDArray[Any]) -> Floats:
    """The chance of at least so many: Poisson, or negative binomial where days stray more, elementwise.

    The mean is a median of a few weeks, whose own variance, about 1.57 / weeks of a day's, is added.
    """
    from scipy.special import betainc, gammainc  # heavy, and Dagster loads this module

    mean = np.maximum(mean, 0.5)
    variance = np.maximum(sigma**2, mean) * (1 + 1.57 / np.maximum(weeks, 1))
    successes = np.ceil(np.maximum(count, 0))
    # A negative binomial of this mean and variance: P(X >= c) = I_{1-p}(c, r), r failures with chance p.
    chance = np.minimum(mean / variance, 1 - 1e-9)
    failures = mean * chance / (1 - chance)
    safe = np.maximum(successes, 1e-9)
    wide = betainc(safe, failures, 1 - chance)
    found: Floats = np.where(successes <= 0, 1.0, np.where(variance > mean * 1.000001, wide, gammainc(safe, mean)))
    return found


def binomial_tail(part: Floats, whole: Floats, chance: float | Floats) -> Floats:
    """The chance of at least `part` of `whole`, elementwise; 1 of nothing."""
    from scipy.special import bdtrc

    found: Floats = np.where(
        part <= 0, 1.0, bdtrc(np.maximum(np.ceil(part) - 1, 0), np.ceil(whole).astype(int), chance)
    )
    return np.nan_to_num(found, nan=1.0)


class Family:
    """All chances of one evaluation of a team, and Benjamini's and Hochberg's correction over them.

    JRSS B 57 (1995), 289-300.
    """

    def __init__(self, chances: Iterable[Floats]) -> None:
        self._ordered = np.sort(np.concatenate([np.empty(0), *chances]))
        count = len(self._ordered)
        scaled = np.minimum(self._ordered * count / np.arange(1, count + 1), 1.0)
        self._adjusted: Floats = np.minimum.accumulate(scaled[::-1])[::-1]

    def corrected(self, chances: Floats) -> Floats:
        """The adjusted p-values of some of its chances, in the order given; 1 of what is above them all."""
        found: Floats = np.append(self._adjusted, 1.0)[np.searchsorted(self._ordered, chances)]
        return found
