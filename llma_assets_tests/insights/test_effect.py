"""Did a rate change: planted changes are found, their intervals hold, and nothing is said of too little."""

from datetime import date, timedelta

import numpy as np
import pytest

from llma_assets.insights import DayRate, effect_of

CHANGE = date(2026, 11, 1)


def days(rates: dict[int, tuple[int, int]]) -> list[DayRate]:
    """Hits and wholes by the number of days after the change."""
    return [DayRate(CHANGE + timedelta(days=after), *counts) for after, counts in rates.items()]


def test_a_rate_that_halved_is_less_with_its_numbers() -> None:
    effect = effect_of(days({n: (40, 200) if n < 0 else (20, 200) for n in range(-14, 14)}), CHANGE)
    assert (effect.verdict, effect.more_needed) == ("less", 0)
    assert (effect.before, effect.expected) == (0.2, pytest.approx(0.2, abs=0.002))
    assert (effect.after, effect.difference) == (0.1, pytest.approx(-0.1, abs=0.002))
    assert effect.low < -0.1 < effect.high < 0
    assert (effect.before_whole, effect.after_whole, effect.corrected_for) == (2800, 2800, ("weekday",))


def test_a_rate_of_nothing_for_long_enough_is_gone_and_for_a_day_too_few_is_not() -> None:
    found = [(20, 200) if n < 0 else (0, 200) for n in range(-14, 14)]
    assert effect_of(days(dict(zip(range(-14, 14), found, strict=True))), CHANGE).verdict == "gone"
    few = days({n: (20, 200) if n < 0 else (0, 10) for n in range(-14, 3)})
    assert effect_of(few, CHANGE).verdict in ("less", "no_clear_change")


def test_a_trend_that_goes_on_is_no_effect() -> None:
    falling = {n: (40 - n // 2, 400) for n in range(-40, 14)}
    effect = effect_of(days(falling), CHANGE)
    assert effect.corrected_for == ("weekday", "trend")
    assert effect.verdict == "no_clear_change"
    assert effect.expected is not None
    assert effect.before is not None
    assert effect.expected < effect.before


def test_weekdays_are_no_effect_where_after_are_weekends_alone() -> None:
    weekend = {n: (40, 200) if (CHANGE + timedelta(days=n)).weekday() < 5 else (10, 200) for n in range(-28, 0)}
    after = {n: (10, 200) for n in range(14) if (CHANGE + timedelta(days=n)).weekday() >= 5}
    assert effect_of(days(weekend | after), CHANGE).verdict == "no_clear_change"


def test_days_that_vary_more_than_by_chance_widen_the_interval() -> None:
    steady = effect_of(days({n: (40, 200) if n < 0 else (32, 200) for n in range(-10, 8)}), CHANGE)
    uneven = effect_of(days({n: (40 + 25 * (-1) ** n, 200) if n < 0 else (32, 200) for n in range(-10, 8)}), CHANGE)
    assert (steady.verdict, uneven.verdict) == ("less", "no_clear_change")
    assert steady.dispersion == 1.0
    assert uneven.dispersion > 5


def test_what_is_not_clear_says_how_much_more_is_needed() -> None:
    effect = effect_of(days({n: (40, 400) if n < 0 else (1, 20) for n in range(-30, 3)}), CHANGE)
    assert effect.verdict == "no_clear_change"
    assert effect.more_needed
    whole = 20 + effect.more_needed // 3
    more = effect_of(days({n: (40, 400) if n < 0 else (whole // 20, whole) for n in range(-30, 3)}), CHANGE)
    assert more.verdict == "less"
    few_before = effect_of(days({n: (1, 10) if n < 0 else (1, 20) for n in range(-30, 3)}), CHANGE)
    assert few_before.more_needed is None, "no traffic after the change makes up for too little before it"


@pytest.mark.parametrize(
    "rates",
    [{}, {-1: (1, 5), 0: (1, 5)}, dict.fromkeys(range(-9, 9), (0, 50)), dict.fromkeys(range(-9, 0), (3, 9))],
    ids=["no days", "two days", "never seen", "nothing after"],
)
def test_too_little_says_nothing(rates: dict[int, tuple[int, int]]) -> None:
    effect = effect_of(days(rates), CHANGE)
    assert (effect.verdict, effect.difference, effect.more_needed) == ("not_enough", None, None)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        DayRate(CHANGE, 3, 2)


def test_intervals_hold_what_was_planted() -> None:
    """Nineteen of twenty; benchmarks/fixes.py measures it closely, over more kinds of traffic."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        level, effect = random.uniform(-3, -1), random.choice([0.0, -0.4, -1.2])
        counted, truth = [], []
        for n in range(-21, 10):
            base = level + 0.3 * np.sin(2 * np.pi * n / 7)
            rate = 1 / (1 + np.exp(-base - (effect if n >= 0 else 0)))
            whole = int(random.poisson(80))
            counted.append(DayRate(CHANGE + timedelta(days=n), int(random.binomial(whole, rate)), whole))
            if n >= 0:
                truth.append((rate - 1 / (1 + np.exp(-base)), whole))
        found = effect_of(counted, CHANGE)
        assert found.low is not None
        assert found.high is not None
        held += (
            found.low <= np.average([each for each, _ in truth], weights=[whole for _, whole in truth]) <= found.high
        )
    assert 0.93 <= held / 300 <= 0.985
