"""Which of its items a theme takes: a fair share by trace, the same each time, that grows and never swaps."""

from dataclasses import replace

import pytest

from llma_assets.themes import (
    FEW_OF_MANY,
    GENERAL,
    MANY_MATCHES,
    TRACES,
    Filter,
    Theme,
    draws,
    is_selected,
    needs_texts,
    rate_of,
    uses_hourly_sample,
)

FAILED = Theme(theme_id="failed", level="trace", prompt="?", theme_filters=(Filter("$ai_is_error", "exact", True),))
PLAIN = Theme(theme_id="plain", level="trace", prompt="?")
TRACE_IDS = [f"trace-{number}" for number in range(20_000)]


def taken(theme: Theme, rate: float) -> set[str]:
    return {trace_id for trace_id in TRACE_IDS if is_selected(theme, trace_id, rate)}


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.99])
def test_a_share_is_as_large_as_the_rate_says(rate: float) -> None:
    error = 5 * (rate * (1 - rate) / len(TRACE_IDS)) ** 0.5
    assert len(taken(FAILED, rate)) / len(TRACE_IDS) == pytest.approx(rate, abs=error)


def test_the_whole_is_everything() -> None:
    assert taken(FAILED, 1.0) == set(TRACE_IDS)


def test_a_higher_rate_keeps_what_a_lower_one_took() -> None:
    assert taken(FAILED, 0.1) < taken(FAILED, 0.11) < taken(FAILED, 0.9)


def test_themes_of_one_seed_take_the_same_traces_and_those_of_another_seed_others() -> None:
    assert taken(FAILED, 0.1) == taken(PLAIN, 0.1)
    others = taken(replace(FAILED, sample_seed=7), 0.1)
    assert len(others & taken(FAILED, 0.1)) / len(others) == pytest.approx(0.1, abs=0.04)


def test_a_share_of_what_another_theme_took_is_a_share_of_it() -> None:
    before = taken(FAILED, 0.1)
    after = taken(replace(PLAIN, after="failed"), 0.1)
    assert len(before & after) / len(before) == pytest.approx(0.1, abs=0.04)


def test_all_is_taken_up_to_many_matches_and_a_tenth_of_more() -> None:
    assert rate_of(FAILED, MANY_MATCHES) == 1.0
    assert rate_of(FAILED, MANY_MATCHES + 1) == FEW_OF_MANY
    assert rate_of(replace(FAILED, sample_rate=0.7), 10**9) == 0.7
    assert rate_of(replace(FAILED, sample_rate=0.7), 1) == 0.7


def test_what_the_hours_bound_already_is_not_sampled_again_by_itself() -> None:
    for theme in (*GENERAL, PLAIN):
        assert rate_of(theme, 10**6) == 1.0
    assert rate_of(replace(PLAIN, after="failed"), 10**6) == FEW_OF_MANY
    assert rate_of(replace(TRACES, sample_rate=0.5), 10) == 0.5


def test_a_general_theme_looks_at_the_hours_sample_whatever_filters_its_team_has() -> None:
    filtered = replace(TRACES, base_filters=FAILED.filters)
    assert uses_hourly_sample(filtered)
    assert not uses_hourly_sample(FAILED)
    after = replace(FAILED, theme_id="after", after="failed")
    assert draws(filtered)
    assert not draws(replace(PLAIN, after="failed"))
    assert needs_texts([*GENERAL, filtered, PLAIN, FAILED, after]) == [FAILED]
