"""What is expected of a day: the median of the same weekday over four weeks, and how far days stray from it.

Of hours, that of the same hour of the same weekday.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.history import Floats
from llma_assets.alerts.judging.scale import DAYS, Scale

WEEKS = 4
SPREAD_WEEKS = 8
"""How far days stray is seen over twice as many weeks: of four the estimate itself strays too much."""

KEPT, KEPT_VARIANCE = 0.8, 0.4377
"""The largest fifth of the differences is left out, so that incidents do not hide the next one; of normal errors the
rest has this part of the variance. A median of the differences would need three times as many days."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is expected of the buckets of the long window: arrays (lineages, window), the judged one last.

    Attributes:
        value: median of the same weekday over the four weeks before; 0 where there is no such day.
        sigma: max(observed spread, sqrt(value), 1).
        weeks: (lineages,) how many weeks the judged day's own weekday has, 0 to 4.
        any_day: (lineages,) median of all days of the four weeks, whatever weekday; NaN of none.
    """

    value: Floats
    sigma: Floats
    weeks: NDArray[np.intp]
    any_day: Floats


def expected(values: Floats, known: NDArray[np.bool_], t: int, scale: Scale = DAYS) -> Expected:
    """What is expected of the long window that ends with column `t`, by the four weeks before it.

    Args:
        values: (lineages, days).
        known: (lineages, days) whether a value counts: the day is complete, and the lineage was there.
        t: the judged column.
        scale: what a column is.
    """
    by_weekday = _weeks(values, known, t - scale.long + 1, SPREAD_WEEKS, scale.week)
    recent = by_weekday[:, -WEEKS:]
    median = nan_median(recent, axis=1)
    weeks = (~np.isnan(recent)).sum(axis=1)
    usual = np.nan_to_num(median)
    # By differences from week to week: in a median of four each day lies too near to it. Days of different size are
    # compared in units of the square root of what is expected of them.
    size = np.sqrt(np.maximum((by_weekday[:, 1:] + by_weekday[:, :-1]) / 2, 1.0))
    strays = np.abs(np.diff(by_weekday, axis=1)) / size
    spread = _trimmed_spread(strays.reshape(len(values), -1)) / np.sqrt(2)
    value = usual[:, : scale.long]
    sigma = np.maximum(np.maximum(spread[:, None], 1.0) * np.sqrt(value), 1.0)
    return Expected(value, sigma, weeks[:, scale.long - 1], nan_median(recent.reshape(len(values), -1), axis=1))


def _weeks(values: Floats, known: NDArray[np.bool_], end: int, weeks: int, week: int) -> Floats:
    """The weeks before column `end`, (lineages, weeks, week); NaN where a value does not count."""
    start = end - week * weeks
    window = np.full((len(values), week * weeks), np.nan)
    first = max(start, 0)
    if end > first:
        window[:, first - start :] = np.where(known[:, first:end], values[:, first:end], np.nan)
    return window.reshape(len(values), weeks, week)


def _trimmed_spread(strays: Floats) -> Floats:
    """(lineages,) the standard deviation of normal errors whose sizes these are, without their largest fifth."""
    squares = np.sort(strays**2, axis=1)
    kept = np.floor((~np.isnan(squares)).sum(axis=1) * KEPT).astype(int)
    inside = np.arange(squares.shape[1])[None, :] < kept[:, None]
    mean = np.where(inside, np.nan_to_num(squares), 0.0).sum(axis=1) / np.maximum(kept, 1)
    found: Floats = np.sqrt(mean / KEPT_VARIANCE)
    return found


def with_all_days(found: Expected, by_share: Expected | None = None) -> Expected:
    """What is expected where a weekday has fewer than two weeks: the median of all days.

    Args:
        found: of values that do not depend on the weekday, as shares do; or of others, with
        by_share: the same of shares, whose median of all days is taken then.
    """
    few = found.weeks < 2
    any_day = np.nan_to_num((by_share or found).any_day)[:, None]
    value = np.where(few[:, None], any_day, found.value)
    sigma = np.where(few[:, None], np.maximum(np.sqrt(any_day), found.sigma), found.sigma)
    return replace(found, value=value, sigma=sigma)


LEAN = 2.0
"""So many standard errors of a weekday's median it may be raised towards what all days say."""

LEANED_WEEKS = 4
"""An expectation that leans on all days strays as one of so many times as many weeks."""


def leaned(found: Expected, by_share: Expected) -> Expected:
    """What is expected of the judged day, raised towards the level of all days as far as the weekday's median strays.

    A median of four small counts is often far too low, and what is usual then looks like a spike. `by_share` has the
    level of all days, in shares of the day: weekdays that the whole team has are divided out of it.
    """
    error = found.sigma[:, -1] * np.sqrt(1.57 / np.maximum(found.weeks, 1))
    usual = found.value[:, -1]
    raised = np.clip(np.nan_to_num(by_share.any_day), usual, usual + LEAN * error)
    value, sigma = found.value.copy(), found.sigma.copy()
    value[:, -1] = raised
    grown = np.sqrt(raised / np.where(usual > 0, usual, 1.0))
    sigma[:, -1] = np.where(usual > 0, sigma[:, -1] * grown, np.maximum(sigma[:, -1], np.sqrt(raised)))
    return replace(found, value=value, sigma=sigma, weeks=found.weeks * LEANED_WEEKS)


def nan_median(values: Floats, axis: int) -> Floats:
    """The median without NaN, NaN of nothing; faster than numpy's."""
    ordered = np.sort(values, axis=axis)
    count = (~np.isnan(values)).sum(axis=axis, keepdims=True)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[axis] - 1)
    found: Floats = (np.take_along_axis(ordered, low, axis) + np.take_along_axis(ordered, high, axis)) / 2
    return found.squeeze(axis)
