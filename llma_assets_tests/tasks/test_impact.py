import math
from datetime import UTC, datetime, timedelta

import pytest

from llma_assets.tasks.impact import Flags, flags_of, priority

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("description", "flags"),
    [
        ("The page shows an ERROR", Flags(True, False, False)),
        ("The user seems confused", Flags(False, True, False)),
        ("She navigated away", Flags(False, False, True)),
        ("He couldn’t find it and didn't complete the form after a crash", Flags(True, True, True)),
        ("All went well", Flags(False, False, False)),
        ("", Flags(False, False, False)),
    ],
)
def test_flags_follow_from_keywords(description: str, flags: Flags) -> None:
    assert flags_of(description) == flags


@pytest.mark.parametrize(
    ("flags", "impact"),
    [
        (Flags(False, False, False), 0.0),
        (Flags(True, False, False), 0.4),
        (Flags(False, True, False), 0.3),
        (Flags(False, False, True), 0.2),
        (Flags(True, True, True), 0.9),
    ],
)
def test_impact_is_the_weighted_sum_of_flags(flags: Flags, impact: float) -> None:
    assert flags.impact == pytest.approx(impact)


def test_priority_is_as_the_formula_says() -> None:
    found = priority(users=9, mean_impact=0.4, last_seen=NOW - timedelta(days=7), now=NOW)
    assert found == pytest.approx(math.log(10) + 0.2 + 0.15)


def test_priority_decays_with_the_time_at_which_it_is_read() -> None:
    seen = NOW - timedelta(days=1)
    now, later = (priority(users=3, mean_impact=0.5, last_seen=seen, now=NOW + timedelta(days=d)) for d in (0, 30))
    assert now > later > math.log(4) + 0.25


def test_an_occurrence_in_the_future_counts_as_now() -> None:
    ahead, at_once = (priority(users=0, mean_impact=0.0, last_seen=NOW + timedelta(days=d), now=NOW) for d in (1, 0))
    assert ahead == at_once == pytest.approx(0.3)
