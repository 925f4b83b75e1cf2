"""Judging from arrays alone: what fires, what does not, and the reason that is told."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from llma_assets.alerts.judging import Decision, History, Standing, bands, judge, replay
from llma_assets.alerts.rule import Rule

FIRST = date(2026, 9, 28)  # a Monday
WEEK = [20, 21, 22, 21, 19, 9, 8]
RULE = Rule("escalating", "escalating")


def history(*series: list[float], **given: Any) -> History:
    names = tuple(f"lineage-{number}" for number in range(len(series)))
    return History.of_counts(FIRST, names, np.array(series, dtype=float), **given)


def noisy(weeks: int, seed: int, factor: float = 1.0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(each) for each in rng.poisson(np.array(WEEK * weeks) * factor)]


def last(rule: Rule, found: History, standing: dict[str, Standing] | None = None) -> dict[str, Decision]:
    decided = judge(rule, found, found.days - 1, standing or {})
    return {each.subject: each for each in decided}


@pytest.mark.heavy
def test_a_spike_opens_and_the_others_say_why_not() -> None:
    spike = noisy(6, 1)
    spike[-1] = 60
    found = last(RULE, history(spike, noisy(6, 2), noisy(6, 3), noisy(6, 4)))
    assert found["lineage-0"].verdict == "opened"
    assert found["lineage-0"].severity >= 2
    assert found["lineage-1"].reason == "it is within what is expected of the day"
    assert found["lineage-0"].numbers["expected"] == pytest.approx(8, abs=4)


def test_a_weekend_is_compared_with_weekends() -> None:
    weekend_as_monday = noisy(6, 1)
    weekend_as_monday[-1] = 28
    found = last(RULE, history(weekend_as_monday, *(noisy(6, seed) for seed in range(2, 8))))
    assert found["lineage-0"].verdict == "opened"


@pytest.mark.parametrize("growth", [2.0, 4.0, 10.0])
def test_growth_of_the_whole_team_alone_is_no_alarm(growth: float) -> None:
    grown = history(*([*noisy(5, seed), *noisy(1, seed + 50, growth)] for seed in range(12)))
    opened = [each for _, day in replay(RULE, grown, 28, 41) for each in day if each.verdict == "opened"]
    assert opened == []
    reasons = {each.reason for each in last(RULE, grown).values()}
    # What is expected leans on the share of the day, so that a doubled team is what is expected.
    whole_team = "the whole team grew: its share is within what is expected"
    assert reasons <= {whole_team, "it is within what is expected of the day"}
    assert growth < 4 or whole_team in reasons


def test_an_expectation_of_few_small_days_leans_on_all_days() -> None:
    usual = noisy(6, 1)
    usual[-1], usual[-8], usual[-15], usual[-22], usual[-29] = 19, 2, 3, 2, 9
    found = last(RULE, history(usual, *(noisy(6, seed) for seed in range(2, 8))))["lineage-0"]
    assert float(found.numbers["expected"] or 0) > 4, "four Sundays have 2.5, all days 8"


def test_a_lineage_younger_than_seven_days_is_new_and_never_escalating() -> None:
    young = [0.0] * 37 + [40, 50, 60, 70, 90]
    found = last(RULE, history(young, noisy(6, 2)))
    assert found["lineage-0"].reason == "it is younger than 7 days: it is new, not escalating"


def test_a_lineage_that_is_back_counts_as_young_again_and_as_regressed() -> None:
    back = [*noisy(2, 1), *[0.0] * 25, 20, 22, 25]
    found = history(back, noisy(6, 2))
    assert last(RULE, found)["lineage-0"].verdict == "quiet"
    regressed = last(Rule("regressed", "regressed", min_traces=5), found)
    assert regressed["lineage-0"].verdict == "opened"
    assert regressed["lineage-0"].numbers["absent_days"] == 25
    assert regressed["lineage-1"].reason == "no trace today" or "absent" in regressed["lineage-1"].reason


def test_missing_days_are_no_zeros() -> None:
    quiet = [noisy(6, seed) for seed in range(5)]
    for each in quiet:
        each[20:34] = [float("nan")] * 14
    found = history(*quiet)
    assert {each.verdict for each in last(RULE, found).values()} == {"quiet"}
    regressed = last(Rule("regressed", "regressed"), found)
    assert {each.verdict for each in regressed.values()} == {"quiet"}, "days without data are no absence"
    missing = judge(RULE, found, 25, {})
    assert [(each.verdict, each.reason) for each in missing] == [("no_data", "the day has no complete results")]


def test_under_two_weeks_of_history_need_one_sigma_more() -> None:
    found = history(noisy(2, 1)[:13], noisy(2, 2)[:13])
    assert {each.numbers["k"] for each in last(RULE, found).values()} == {4}
    assert {each.numbers["k"] for each in last(RULE, history(noisy(6, 1))).values()} == {3}


def test_a_new_cluster_needs_users_and_novelty_and_a_theme_that_is_older() -> None:
    counts = ([0.0] * 40 + [6, 8], [0.0] * 40 + [6, 8], noisy(6, 2))
    began = np.array([40, 40, -50])
    rule = Rule("new_cluster", "new_cluster", min_traces=10, min_users=10)
    found = last(rule, history(*counts, began=began, novelty=np.array([0.8, 0.02, np.inf])))
    assert found["lineage-0"].verdict == "opened"
    assert found["lineage-1"].reason == "a cluster of the 90 days before is like it"
    assert found["lineage-2"].reason == "it is older than seven days"
    few = last(rule, history(*counts, began=began, users_week=np.full((3, 42), 4.0)))
    assert few["lineage-0"].reason == "fewer than 10 users since it began"
    first_run = last(rule, history(*counts, began=began, theme_began=40))
    assert first_run["lineage-0"].reason == "it is in the theme's first run, where everything is new"


def test_an_error_rate_is_held_by_the_near_end_of_its_interval() -> None:
    rule = Rule("error_rate", "threshold", measure="error_rate", above=0.2)
    counts = history(noisy(6, 1), [200.0] * 42)
    errors = np.zeros_like(counts.traces)
    errors[0, -1], errors[1, -1] = counts.traces[0, -1] * 0.3, 80
    found = last(rule, history(noisy(6, 1), [200.0] * 42, errors=errors))
    assert found["lineage-0"].reason == "it is not certainly above 0.2"
    assert found["lineage-1"].verdict == "opened"


def test_sampling_widens_the_interval_and_may_keep_it_quiet() -> None:
    spike = noisy(6, 1)
    spike[-1] = 32
    others = [noisy(6, seed) for seed in range(2, 6)]
    assert last(RULE, history(spike, *others))["lineage-0"].verdict == "opened"
    variance = np.zeros((5, 42))
    variance[0] = np.array(spike) * 19  # one of twenty was sampled
    assert last(RULE, history(spike, *others, variance=variance))["lineage-0"].verdict == "quiet"


def test_an_incident_goes_on_gets_worse_and_closes() -> None:
    series = [*noisy(5, 1), 19, 45, 120, 110, 21, 9, 8]
    found = history(series, *(noisy(6, seed) for seed in range(2, 12)))
    told = {t: each for t, day in replay(RULE, found, 35, 41) for each in day if each.subject == "lineage-0"}
    assert [told[t].verdict for t in (36, 37)] == ["opened", "worse"]
    assert told[39].verdict == "closed"
    assert told[38].verdict == "open"


def test_an_incident_closes_after_fourteen_days_and_is_told_no_more() -> None:
    found = history([*noisy(5, 1), *noisy(5, 9, 4.0)], *(noisy(10, seed) for seed in range(2, 12)))
    told = [(t, each.verdict) for t, day in replay(RULE, found, 35, 69) for each in day if each.subject == "lineage-0"]
    assert [each for each in told if each[1] in ("opened", "closed")] == [(35, "opened"), (49, "closed")]


def test_one_alarm_in_many_lineages_needs_more_than_in_few() -> None:
    spike = noisy(6, 1)
    spike[-1] = 27
    few = last(RULE, history(spike, noisy(6, 2)))["lineage-0"]
    many = last(RULE, history(spike, *(noisy(6, seed) for seed in range(2, 300))))["lineage-0"]
    raised = [each.numbers["chance_corrected"] / each.numbers["chance"] for each in (few, many)]  # type: ignore[operator]
    assert raised[0] < 3
    assert raised[1] > 20


def test_a_merge_moves_an_incident_to_the_successor() -> None:
    merged = {FIRST + timedelta(days=39): {"lineage-0": "lineage-1"}}
    found = history([*noisy(5, 1), 60, *[0.0] * 6], [*noisy(5, 2), *[70.0] * 7], moved_on=merged)
    standing = {"lineage-0": Standing(found.day(38), 60.0, severity=3)}
    decided = last(RULE, found, standing)
    assert decided["lineage-1"].verdict == "open"


def test_a_month_of_150_lineages_is_quick() -> None:
    import time

    rng = np.random.default_rng(0)
    found = History.of_counts(FIRST, tuple(map(str, range(150))), rng.poisson(20, (150, 70)).astype(float))
    started = time.process_time()
    for _ in replay(RULE, found, 40, 69):
        pass
    assert time.process_time() - started < 2
    assert found.day(1) == FIRST + timedelta(days=1)


def test_the_band_that_people_see_is_what_escalating_compares_with() -> None:
    spike = noisy(10, 1)
    spike[-1] = 60
    found = history(spike, noisy(10, 2), [0.0] * 67 + [4, 5, 6])
    shown = bands(found, found.days - 3, k=3)
    decided = last(RULE, found)
    for row in range(2):
        numbers = decided[f"lineage-{row}"].numbers
        value = shown.value[row, -1]
        assert value == pytest.approx(numbers["expected"], abs=1e-5)
        assert shown.high[row, -1] == pytest.approx(numbers["limit"], abs=1e-5)
        assert shown.low[row, -1] == pytest.approx(max(value - 3 * numbers["sigma"], 0), abs=1e-5)
    assert np.isnan(shown.value[2, 0])
    assert shown.value.shape == (3, 3)
