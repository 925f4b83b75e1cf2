"""What was expected of each lineage on each of some days, as the rule `escalating` judges it: value ± k sigma."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.counts_kinds import expected_counts
from llma_assets.alerts.judging.expected import leaned
from llma_assets.alerts.judging.history import Floats, History


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Arrays (lineages, days) of the days from `first` on; NaN where nothing can be expected.

    Attributes:
        value: the median of the same weekday over four weeks, or of all days where a weekday has fewer than two.
        low, high: the ends of the band, at least 0.
    """

    value: Floats
    low: Floats
    high: Floats


def bands(history: History, first: int, *, k: float) -> Bands:
    """The bands of the days from column `first` to the last.

    Args:
        k: how many sigma on each side; one more where the weekday has fewer than two weeks, as in the rule.
    """
    columns = [_band(history, t, k) for t in range(first, history.days)]
    shape = (len(history.lineage_ids), 0)
    value, low, high = (
        np.stack([column[at] for column in columns], axis=1) if columns else np.empty(shape) for at in range(3)
    )
    return Bands(value, low, high)


def _band(history: History, t: int, k: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    own, by_share = expected_counts(history, "traces", t)
    k_of = np.where(own.weeks < 2, k + 1, k)
    own = leaned(own, by_share)
    wide = k_of * own.sigma[:, -1]
    value = np.where(np.isnan(own.any_day), np.nan, own.value[:, -1])
    return value, np.maximum(value - wide, 0.0), value + wide
