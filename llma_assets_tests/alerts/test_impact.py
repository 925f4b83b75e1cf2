"""Impact, and what becomes of incidents whose lineages merge or split: from arrays alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from llma_assets.alerts import Rule
from llma_assets.alerts.deciding import decide, latest
from llma_assets.alerts.incidents import Incident
from llma_assets.alerts.judging import History, Work, judge, judge_together
from llma_assets.alerts.rule import OF_TEAM, SESSION_REPLAYS, Kind
from llma_assets_tests.alerts.test_judging import FIRST, history, noisy

TODAY = FIRST + timedelta(days=41)
SPIKE = 28.0
"""So much that it is told of six series, and not of three hundred."""
QUIET = [noisy(6, seed) for seed in range(2, 7)]


def with_errors() -> History:
    found = history([30.0] * 42, *QUIET)
    errors = np.zeros_like(found.traces)
    errors[0, -1] = 25
    return replace(found, errors=errors)


def new() -> History:
    return history([0.0] * 40 + [15, 15], *QUIET, began=np.array([40, *[-50] * 5]))


FIRING: dict[Kind, tuple[Rule, History]] = {
    "new_cluster": (Rule("r", "new_cluster"), new()),
    "regressed": (Rule("r", "regressed"), history([*noisy(2, 1), *[0.0] * 25, 20, 22, 25], *QUIET)),
    "escalating": (Rule("r", "escalating"), history([*noisy(6, 1)[:-1], 60], *QUIET)),
    "threshold": (Rule("r", "threshold", measure="error_rate", above=0.2), with_errors()),
    "share_shift": (Rule("r", "share_shift"), history([*noisy(6, 1)[:-3], 60, 60, 60], *QUIET)),
    "gone": (Rule("r", "gone"), history([*noisy(6, 1)[:-14], *[0.0] * 14], *QUIET)),
    "split": (Rule("r", "split"), history(noisy(6, 1), *QUIET, split_on={TODAY: {"lineage-0": ("lineage-1",)}})),
    "merged": (Rule("r", "merged"), history(noisy(6, 1), *QUIET, merged_on={TODAY: {"lineage-0": ("x",)}})),
}


def decided(rule: Rule, found: History, **impact: int) -> tuple[str, str]:
    (decision,) = (
        each for each in judge(replace(rule, **impact), found, found.days - 1, {}) if each.subject == "lineage-0"
    )
    return decision.verdict, decision.reason


@pytest.mark.parametrize("kind", FIRING)
def test_each_kind_about_a_lineage_asks_for_users_and_traces(kind: Kind) -> None:
    rule, found = FIRING[kind]
    assert kind not in OF_TEAM
    assert decided(rule, found, min_traces=1, min_users=1)[0] == "opened"
    for impact, unit in (({"min_users": 400}, "400 users"), ({"min_traces": 400}, "400 traces")):
        verdict, reason = decided(rule, found, **impact)
        assert verdict == "quiet"
        assert unit in reason


def test_impact_counts_users_and_not_their_traces() -> None:
    rule, found = FIRING["escalating"]
    one_user = replace(found, users=np.minimum(found.users, 1.0))
    assert decided(rule, one_user, min_users=2) == ("quiet", "fewer than 2 users")
    assert decided(rule, one_user, min_users=1)[0] == "opened"


def test_a_task_of_session_replays_asks_for_them_too() -> None:
    found = replace(
        history([0.0] * 40 + [2, 3], [2.0] * 42),
        theme_id=SESSION_REPLAYS,
        regressed_on={TODAY: frozenset({"lineage-0"})},
    )
    found = replace(found, users_week=np.full((2, 42), 4.0))
    rule = Rule("r", "regressed")
    assert decided(rule, found) == ("opened", "")
    assert decided(rule, found, min_traces=6) == ("quiet", "fewer than 6 occurrences in seven days")
    assert decided(rule, found, min_users=5) == ("quiet", "fewer than 5 users in seven days")
    (_, other) = judge(rule, found, 41, {})
    assert (other.verdict, other.reason) == ("quiet", "it did not occur again after it was resolved")


def test_a_correction_is_over_all_themes_and_rules_of_a_team() -> None:
    rule, found = Rule("r", "escalating"), history([*noisy(6, 1)[:-1], SPIKE], *QUIET)
    errors = Rule("errors", "threshold", measure="error_rate", above=0.5)
    themes = [replace(history(*(noisy(6, 10 * theme + each) for each in range(20)))) for theme in range(1, 10)]

    def corrected(*works: Work) -> float:
        first, *_ = judge_together(works, TODAY)
        (decision,) = (each for each in first if each.subject == "lineage-0")
        return float(decision.numbers["chance_corrected"] or 0) / float(decision.numbers["chance"] or 1)

    assert corrected(Work(rule, found)) == pytest.approx(6, rel=0.05)
    assert corrected(Work(rule, found), *(Work(rule, each) for each in themes)) == pytest.approx(6 + 180, rel=0.05)
    assert corrected(Work(rule, found), Work(errors, found)) == pytest.approx(12, rel=0.05)
    few = replace(errors, min_users=25)
    assert corrected(Work(rule, found), Work(few, found)) == pytest.approx(7, rel=0.05), "of others it never tells"
    assert corrected(Work(rule, found), Work(rule, themes[0], None)) == pytest.approx(26, rel=0.05), (
        "one that is not decided"
    )
    gone = Rule("gone", "gone")
    assert corrected(Work(rule, found), Work(gone, found)) == pytest.approx(6, rel=0.05), "it guesses nothing"


def test_what_would_be_told_of_one_theme_is_chance_in_fifty() -> None:
    """A spike that six series leave, and three hundred do not."""
    rule = Rule("r", "escalating")
    found = history([*noisy(6, 1)[:-1], SPIKE], *QUIET)
    assert decided(rule, found)[0] == "opened"
    others = [Work(rule, history(*(noisy(6, 100 * theme + each) for each in range(60)))) for theme in range(1, 6)]
    first, *_ = judge_together([Work(rule, found), *others], TODAY)
    (decision,) = (each for each in first if each.subject == "lineage-0")
    assert (decision.verdict, decision.reason) == ("quiet", "so much is likely by chance among so many clusters")


def incidents_after(found: History, rule: Rule, first: int) -> list[Incident]:
    """The incidents of a team after the days from a column on, decided one after the other."""
    known: list[Incident] = []
    for t in range(first, found.days):
        of_day = decide(1, [(rule, found)], found.day(t), known)
        known = list(latest(known, of_day).values())
    return known


def test_a_merge_moves_an_incident_through_a_chain_and_on_a_day_without_results() -> None:
    spike = [*noisy(5, 1), 60, *[0.0] * 6]
    into = [*noisy(5, 2), 20, 70, *[0.0] * 5]
    last = [*noisy(5, 3), 20, 21, *[80.0] * 5]
    day = FIRST + timedelta(days=36)
    moves = {day: {"lineage-0": "lineage-1"}, day + timedelta(days=1): {"lineage-1": "lineage-2"}}
    found = history(spike, into, last, *QUIET, moved_on=moves, blocked={day: "a check failed"})
    (incident,) = (
        each for each in incidents_after(found, Rule("r", "escalating"), 35) if each.opened_as == "lineage-0"
    )
    assert (incident.subject, incident.opened_day) == ("lineage-2", FIRST + timedelta(days=35))


def test_a_lineage_that_people_merged_has_no_incident_that_stays_open() -> None:
    """Both had one; counted together, one goes on and the other ends."""
    both = history([*noisy(5, 1), 60, *noisy(1, 9)[:6]], [*noisy(5, 2), 60, *noisy(1, 8)[:6]], *QUIET)
    rule = Rule("r", "escalating")
    known = list(latest((), decide(1, [(rule, both)], both.day(35), ())).values())
    assert {each.subject for each in known} == {"lineage-0", "lineage-1"}
    counts = np.array([[*noisy(5, 1), 120, 100, *noisy(1, 9)[:5]], *QUIET])
    names, moved_on = ("lineage-0", *"abcde"), {FIRST: {"lineage-1": "lineage-0"}}
    together = History.of_counts(FIRST, names, counts, moved_on=moved_on)
    after = latest(known, decide(1, [(rule, together)], both.day(36), known)).values()
    states = {each.opened_as: each.closed_because for each in after}
    assert states == {"lineage-0": "", "lineage-1": "nothing is counted as this cluster any longer"}


def test_a_split_keeps_the_incident_with_the_part_that_keeps_the_lineage_and_links_the_other() -> None:
    """That is the larger one: `clusters/lineage/test_links.py`."""
    day = FIRST + timedelta(days=36)
    parts: dict[str, Any] = {"split_on": {day: {"lineage-0": ("lineage-1",)}}}
    found = history([*noisy(5, 1), *[60.0] * 7], [0.0] * 36 + [30.0] * 6, *QUIET, **parts)
    rule = Rule("r", "escalating")
    before = list(latest((), decide(1, [(rule, found)], found.day(35), ())).values())
    assert [(each.subject, each.linked) for each in before] == [("lineage-0", ())], "it is not linked before its day"
    (after,) = incidents_after(found, rule, 35)
    assert (after.subject, after.linked) == ("lineage-0", ("lineage-1",))
