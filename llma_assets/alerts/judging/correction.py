"""How surprising a count is, and the correction for looking at many series at once."""

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


def adjusted(chances: Floats) -> Floats:
    """Benjamini's and Hochberg's adjusted p-values (JRSS B 57 (1995), 289-300), in the order given."""
    count = len(chances)
    if not count:
        return chances
    order = np.argsort(chances)[::-1]
    scaled = chances[order] * count / np.arange(count, 0, -1)
    found = np.empty(count)
    found[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return found
