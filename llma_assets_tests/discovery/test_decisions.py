"""The rule of discovery over counts, without a database."""

from collections.abc import Sequence
from datetime import date

import pytest

from llma_assets.discovery import TeamDecision, TeamStats, decide
from llma_assets.teams import TeamOptions, TeamSettings

DAY = date(2026, 11, 7)


def decisions(
    stats: Sequence[TeamStats], settings: TeamSettings = TeamSettings(), known: Sequence[int] = ()
) -> dict[int, TeamDecision]:
    return {decision.team_id: decision for decision in decide(stats, settings, DAY, known)}


def active(team_id: int) -> TeamStats:
    return TeamStats(team_id, traces=100, events=500)


def test_nothing_known_and_nothing_sent_gives_no_decision() -> None:
    assert decide([], TeamSettings(), DAY) == []


def test_a_team_with_exactly_the_minimum_is_active() -> None:
    decision = decisions([TeamStats(1, traces=20, events=20)])[1]
    assert (decision.eligible, decision.reason) == (True, "active")


def test_a_team_one_trace_short_is_out_and_the_detail_says_how_short() -> None:
    decision = decisions([TeamStats(1, traces=19, events=900)])[1]
    assert (decision.eligible, decision.reason, decision.detail) == (
        False,
        "below_minimum",
        "19 of 20 traces",
    )


def test_a_team_s_own_minimum_wins_over_the_general_one_for_that_team_only() -> None:
    settings = TeamSettings(team_options={1: TeamOptions(minimum_traces=5), 3: TeamOptions(minimum_traces=200)})
    found = decisions([TeamStats(1, 5, 5), TeamStats(2, 5, 5), TeamStats(3, 100, 100)], settings)
    assert [found[team].reason for team in (1, 2, 3)] == ["active", "below_minimum", "below_minimum"]


def test_the_skip_list_wins_over_the_guaranteed_list() -> None:
    settings = TeamSettings(guaranteed_team_ids=(1,), skip_team_ids=frozenset({1}))
    decision = decisions([active(1)], settings)[1]
    assert (decision.eligible, decision.reason) == (False, "skipped")


def test_a_guaranteed_team_with_few_traces_is_in() -> None:
    settings = TeamSettings(guaranteed_team_ids=(1,), sample_percentage=0.0)
    decision = decisions([TeamStats(1, traces=1, events=1)], settings)[1]
    assert (decision.eligible, decision.reason) == (True, "guaranteed")


def test_a_guaranteed_team_without_events_is_out_and_says_in_which_days() -> None:
    decision = decisions([], TeamSettings(guaranteed_team_ids=(1,)))[1]
    assert (decision.eligible, decision.reason) == (False, "no_recent_events")
    assert decision.detail == "no trace event from 2026-11-01 to 2026-11-07"


def test_a_known_team_that_sends_nothing_any_more_is_shown_as_leaving() -> None:
    decision = decisions([active(1)], known=[1, 2])[2]
    assert (decision.eligible, decision.reason, decision.traces) == (False, "no_recent_events", 0)


def test_guaranteed_teams_come_first_in_their_order_then_the_others_by_id() -> None:
    settings = TeamSettings(guaranteed_team_ids=(9, 4), skip_team_ids=frozenset({7}))
    order = [decision.team_id for decision in decide([active(i) for i in (3, 9, 1, 4)], settings, DAY, [2])]
    assert order == [9, 4, 1, 2, 3, 7]


@pytest.mark.parametrize(
    ("percentage", "teams", "expected"),
    [(0.0, 10, 0), (0.001, 10, 1), (0.5, 3, 2), (0.07, 100, 7), (0.29, 100, 29), (1.0, 10, 10), (0.5, 0, 0)],
)
def test_the_sample_is_rounded_up_to_whole_teams(percentage: float, teams: int, expected: int) -> None:
    found = decide([active(i) for i in range(teams)], TeamSettings(sample_percentage=percentage), DAY)
    assert sum(decision.eligible for decision in found) == expected
    assert {decision.reason for decision in found if not decision.eligible} <= {"not_sampled"}


def test_the_sample_depends_on_the_seed_and_not_on_the_day_or_the_order() -> None:
    stats = [active(i) for i in range(50)]

    def chosen(seed: int, day: date = DAY, backwards: bool = False) -> set[int]:
        settings = TeamSettings(sample_percentage=0.3, sample_seed=seed)
        found = decide(stats[::-1] if backwards else stats, settings, day)
        return {decision.team_id for decision in found if decision.eligible}

    assert chosen(1) == chosen(1, day=date(2026, 11, 8)) == chosen(1, backwards=True)
    assert chosen(1) != chosen(2)


def test_a_larger_sample_keeps_the_teams_of_the_smaller_one() -> None:
    stats = [active(i) for i in range(50)]

    def chosen(percentage: float) -> set[int]:
        found = decide(stats, TeamSettings(sample_percentage=percentage), DAY)
        return {decision.team_id for decision in found if decision.eligible}

    assert chosen(0.2) < chosen(0.4)


def test_guaranteed_and_skipped_teams_are_not_part_of_the_sampled_share() -> None:
    settings = TeamSettings(guaranteed_team_ids=(0, 1), skip_team_ids=frozenset({2}), sample_percentage=0.5)
    found = decide([active(i) for i in range(7)], settings, DAY)
    assert sum(decision.reason == "active" for decision in found) == 2
    assert sum(decision.reason == "not_sampled" for decision in found) == 2


def test_teams_on_the_skip_list_change_nothing_for_the_others() -> None:
    for seed in range(20):
        settings = TeamSettings(skip_team_ids=frozenset(range(20, 40)), sample_percentage=0.5, sample_seed=seed)
        alone = decide([active(i) for i in range(20)], settings, DAY)
        beside = decide([active(i) for i in range(40)], settings, DAY)
        assert [each.reason for each in beside[:20]] == [each.reason for each in alone[:20]]


def test_the_window_of_a_decision_is_as_long_as_the_lookback() -> None:
    decision = decisions([active(1)], TeamSettings(lookback_days=3))[1]
    assert (decision.first_day, decision.last_day) == (date(2026, 11, 5), DAY)
