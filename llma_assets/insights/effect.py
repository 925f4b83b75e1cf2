"""Did a rate change at a moment, beyond its weekdays and its trend? Pure: knows no database.

What the days after would have been like is told from the days before: a quasi-binomial regression of their rates
(P. McCullagh, J. A. Nelder: Generalized Linear Models, 1989, chapter 4) on a level, the weekday and a trend, where
there are enough of them. The difference of what was seen and what was expected gets its interval from those of both
(R. G. Newcombe, Statist. Med. 17 (1998), method 10), widened by the dispersion that the days show.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llma_assets.stats import Z95, wilson

Verdict = Literal["gone", "less", "more", "no_clear_change", "not_enough"]

FEWEST_DAYS = 3
"""Fewest days on either side."""
DAYS_FOR_WEEKDAYS = 14
"""Fewest days before the change from which effects of weekdays are told."""
DAYS_FOR_TREND = 21
"""Fewest days before the change from which a trend is told."""
GONE_RATIO = 0.1
"""A rate is gone if it is surely less than this share of what was expected."""
Z_POWER = 0.8416212335729143
"""Of a change that is found in four of five cases."""
SURE_OF_DISPERSION = 0.2
"""Days that vary so much with a larger chance than this, where they only vary by chance, show no dispersion."""
RIDGE = 0.05
"""Holds effects of weekdays and trend near nothing where the days do not tell them."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class DayRate:
    """What was counted on one day: `hits` of `whole` traces, or users."""

    day: date
    hits: int
    whole: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.whole:
            raise ValueError(f"{self.day}: {self.hits} of {self.whole} cannot be")


@dataclass(frozen=True, slots=True)
class Effect:
    """The change of a rate at a moment.

    Attributes:
        before: the rate before, over all its days.
        expected: the rate that the days after would have had without the change.
        after: the rate that they had.
        difference, low, high: after minus expected, with its interval at 95 %.
        before_whole, after_whole: how many were counted.
        corrected_for: `weekday`, `trend`, where the days tell them.
        dispersion: of the days about the fitted rates, at least 1; chance alone gives 1.
        verdict: `gone`: surely under a tenth of what was expected; `less` and `more`: the interval leaves out 0;
            `no_clear_change`; `not_enough`: too few days, or nothing to compare.
        more_needed: how many more after the change would show a change of the size that was seen, or a halving where
            none was seen, in four of five cases; 0 where it is clear already, None where nothing would.
    """

    before: float | None
    expected: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    before_whole: int
    after_whole: int
    corrected_for: tuple[str, ...]
    dispersion: float
    verdict: Verdict
    more_needed: int | None


def effect_of(days: Sequence[DayRate], change: date) -> Effect:
    """How a rate changed at the beginning of a day.

    Args:
        days: in any order, each day once; days of which nothing was counted say nothing.
        change: the first day after the change.
    """
    counted = sorted((each for each in days if each.whole > 0), key=lambda each: each.day)
    before = [each for each in counted if each.day < change]
    after = [each for each in counted if each.day >= change]
    sums = _sums(before), _sums(after)
    if len(before) < FEWEST_DAYS or len(after) < FEWEST_DAYS or not sums[0][0] + sums[1][0]:
        return _unknown(*sums)
    baseline = _Baseline(before, change)
    expected, low_expected, high_expected, dispersion = baseline.rate_of(after)
    part, whole = sums[1]
    seen = part / whole
    low_seen, high_seen = wilson(seen, whole / dispersion)
    difference = seen - expected
    low = difference - math.hypot(seen - low_seen, high_expected - expected)
    high = difference + math.hypot(high_seen - seen, expected - low_expected)
    verdict: Verdict = "no_clear_change"
    if low > 0:
        verdict = "more"
    elif high < 0:
        verdict = "gone" if high_seen <= GONE_RATIO * expected else "less"
    return Effect(
        before=sums[0][0] / sums[0][1],
        expected=expected,
        after=seen,
        difference=difference,
        low=max(-1.0, low),
        high=min(1.0, high),
        before_whole=sums[0][1],
        after_whole=whole,
        corrected_for=baseline.corrections,
        dispersion=dispersion,
        verdict=verdict,
        more_needed=0 if verdict != "no_clear_change" else _needed(expected, seen, high_expected, whole, dispersion),
    )


class _Baseline:
    """A regression of the days before a change, which says what the days after it would have been like."""

    def __init__(self, days: Sequence[DayRate], change: date) -> None:
        self._change = change
        self._with_weekdays = len(days) >= DAYS_FOR_WEEKDAYS and len({each.day.weekday() for each in days}) == WEEK
        self._with_trend = len(days) >= DAYS_FOR_TREND
        self.corrections = ("weekday",) * self._with_weekdays + ("trend",) * self._with_trend
        self._days = days
        design, hits, whole = self._design(days), _column(days, "hits"), _column(days, "whole")
        share = (hits.sum() + 0.5) / (whole.sum() + 1)
        self._beta = np.zeros(design.shape[1])
        self._beta[0] = math.log(share / (1 - share))
        # Half a hit on either side in all, spread over the days as they were counted, keeps a rate of 0 or 1 finite.
        self._hits, self._whole = hits + 0.5 * whole / whole.sum(), whole + whole / whole.sum()
        ridge = np.full(design.shape[1], RIDGE)
        ridge[0] = 0.0
        for _ in range(50):
            rate = _rate(design @ self._beta)
            information = (design * (self._whole * rate * (1 - rate))[:, None]).T @ design + np.diag(ridge)
            step = np.linalg.solve(information, design.T @ (self._hits - self._whole * rate) - ridge * self._beta)
            step *= min(1.0, 3.0 / max(1e-12, float(np.abs(step).max())))
            self._beta += step
            if np.abs(step).max() < 1e-9:
                break
        self._covariance = np.linalg.inv(information)

    def rate_of(self, after: Sequence[DayRate]) -> tuple[float, float, float, float]:
        """The rate that days would have had, its interval at 95 %, and the dispersion of all days about their rates."""
        from scipy.stats import chi2, t

        design, weight = self._design(after), _column(after, "whole")
        rate = _rate(design @ self._beta)
        expected = float((rate * weight).sum() / weight.sum())
        before, hits = _rate(self._design(self._days) @ self._beta), _column(after, "hits")
        # The days after have a level of their own: their dispersion is about that.
        own = np.clip(rate * hits.sum() / max(1e-12, float((rate * weight).sum())), 0.0, 1.0)
        squares = _pearson(self._hits, self._whole, before) + _pearson(hits, weight, own)
        degrees = len(self._days) - len(self._beta) + len(after) - 1
        is_wide = degrees > 0 and chi2.sf(squares, degrees) < SURE_OF_DISPERSION
        dispersion = max(1.0, squares / degrees) if is_wide else 1.0
        gradient = design.T @ (weight * rate * (1 - rate)) / weight.sum() / (expected * (1 - expected))
        quantile = float(t.ppf(0.975, degrees)) if dispersion > 1 else Z95
        half = quantile * math.sqrt(max(0.0, dispersion * float(gradient @ self._covariance @ gradient)))
        logit = math.log(expected / (1 - expected))
        low, high = _rate(np.array([logit - half, logit + half])).tolist()
        return expected, low, high, dispersion

    def _design(self, days: Sequence[DayRate]) -> NDArray[np.float64]:
        columns = [np.ones(len(days))]
        if self._with_weekdays:
            weekdays = np.array([each.day.weekday() for each in days])
            columns.extend((weekdays == weekday) - 1 / WEEK for weekday in range(WEEK - 1))
        if self._with_trend:
            columns.append(np.array([(each.day - self._change).days / len(self._days) for each in days]))
        return np.column_stack(columns)


def _needed(expected: float, seen: float, high_expected: float, whole: int, dispersion: float) -> int | None:
    """Traces or users after the change beyond those that are there; by the normal approximation of two shares."""
    aim = seen if abs(seen - expected) > 0.25 * expected else expected / 2
    # What was expected stays as uncertain as it is: only the other side can become more certain.
    error = (abs(aim - expected) / (Z95 + Z_POWER)) ** 2 - ((high_expected - expected) / Z95) ** 2
    if error <= 0:
        return None
    return max(0, math.ceil(dispersion * max(aim * (1 - aim), 1e-6) / error) - whole)


def _unknown(before: tuple[int, int], after: tuple[int, int]) -> Effect:
    rates = [part / whole if whole else None for part, whole in (before, after)]
    return Effect(rates[0], None, rates[1], None, None, None, before[1], after[1], (), 1.0, "not_enough", None)


def _sums(days: Sequence[DayRate]) -> tuple[int, int]:
    return sum(each.hits for each in days), sum(each.whole for each in days)


def _column(days: Sequence[DayRate], name: str) -> NDArray[np.float64]:
    return np.array([getattr(each, name) for each in days], dtype=np.float64)


def _pearson(hits: NDArray[np.float64], whole: NDArray[np.float64], rate: NDArray[np.float64]) -> float:
    """The sum of squared residuals in units of their variance."""
    return float(((hits - whole * rate) ** 2 / np.maximum(whole * rate * (1 - rate), 1e-9)).sum())


def _rate(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float64)
