"""Rules over hours: of themes that run hourly, by the hours that are whole, compared with the same hour of the week."""

from datetime import UTC, datetime
from typing import get_args

import numpy as np
import pytest

from llma_assets.alerts import (
    Document,
    InvalidRulesError,
    Rule,
    alerts_of,
    apply,
    evaluate,
    incidents,
    preview,
    read_document,
    stored_decisions,
)
from llma_assets.alerts.judging import HOURS, History, replay
from llma_assets.alerts.rule import BY_HOUR, Kind
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.themes import apply as apply_themes
from llma_assets.themes import read_document as read_themes
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import OPS

RULE = Rule("hourly", "escalating", buckets="hour", min_traces=10, channels=("ops",))
FIRST = datetime(2026, 9, 28, tzinfo=UTC)
OF_DAY = np.array([2, 1, 1, 1, 2, 4, 8, 14, 20, 22, 22, 20, 18, 20, 22, 22, 20, 16, 12, 10, 8, 6, 4, 3], dtype=float)


def hours(weeks: int, seed: int) -> list[float]:
    """Hours of some weeks with nights, and quiet weekends."""
    of_week = np.concatenate([OF_DAY * (1.0 if day < 5 else 0.4) for day in range(7)])
    return [float(each) for each in np.random.default_rng(seed).poisson(np.tile(of_week, weeks))]


def test_an_hour_is_compared_with_the_same_hour_of_the_week_and_closes_in_hours() -> None:
    series = [hours(6, seed) for seed in range(8)]
    at = 5 * 168 + 2 * 24 + 3  # Wednesday, 3 in the night
    series[0][at : at + 3] = [14.0, 20.0, 18.0]
    found = History.of_counts(FIRST, tuple(map(str, range(8))), np.array(series), scale=HOURS)
    told = [
        (t - at, each.subject, each.verdict)
        for t, day in replay(RULE, found, 4 * 168, 6 * 168 - 1)
        for each in day
        if each.verdict in ("opened", "closed")
    ]
    assert told == [(0, "0", "opened"), (3, "0", "closed")], "14 are usual at noon, and many at night"
    assert found.day(at) == datetime(2026, 11, 4, 3, tzinfo=UTC)


def test_what_lasts_closes_after_72_hours_and_is_told_no_more() -> None:
    series = [hours(6, seed) for seed in range(8)]
    at = 5 * 168 + 24
    series[0][at:] = [5 * each + 10 for each in series[0][at:]]
    found = History.of_counts(FIRST, tuple(map(str, range(8))), np.array(series), scale=HOURS)
    told = {
        each.verdict: (t - at, each.reason)
        for t, day in replay(RULE, found, at, at + 80)
        for each in day
        if each.subject == "0" and each.verdict in ("opened", "closed")
    }
    assert told == {"opened": (0, ""), "closed": (72, "it was open for 72 hours")}


HOURLY = Theme("watched", "trace", "What goes wrong?", schedule="hourly")


def test_the_hours_of_today_are_judged_once_they_are_whole(database: Database) -> None:
    usual, spike = [96] * 9, [*[96] * 8, 136]
    whole_until_15 = datetime(2026, 11, 22, 15, 40, tzinfo=UTC)
    for team_id in (MINE, OTHER):
        text = "themes:\n  - {theme_id: watched, prompt: 'What goes wrong?', level: trace, schedule: hourly}\n"
        apply_themes(database, team_id, read_themes(text), "ada")
    counts = {"aaaa-spike": spike, "bbbb-quiet": usual}
    plant_days(database, counts, theme=HOURLY, spread=96, committed_at=whole_until_15)
    plant_days(database, {"aaaa-spike": usual, "bbbb-quiet": usual}, theme=HOURLY, spread=96, team_id=OTHER)
    for team_id in (MINE, OTHER):
        apply(database, team_id, Document((OPS,), (RULE,)), "ada")
    today = TeamDay(MINE, LAST)
    for _ in range(2):
        found = evaluate(database, today, alerts_of(database, MINE), now=whole_until_15)
    (incident,) = incidents(database, MINE)
    assert (incident.subject, incident.since, incident.is_open) == ("aaaa-spike", "2026-11-22 14:00 UTC", True)
    (said,) = [message for _, message, _ in found.messages]
    assert "44 traces on 2026-11-22 14:00 UTC; 4 ± 2 are expected" in said.facts[0]
    judged = {each.day for each in stored_decisions(database, MINE, LAST, LAST)}
    assert judged == {datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in range(15)}, "15:00 is not whole yet"
    assert evaluate(database, TeamDay(OTHER, LAST), alerts_of(database, OTHER), now=whole_until_15).messages == ()
    days = preview(database, today, RULE, 1)
    assert [each.verdict for each in days[0].decisions] == ["opened"]


KINDS = (
    Rule("errors", "threshold", measure="error_rate", above=0.2, buckets="hour", channels=("ops",)),
    Rule("many", "threshold", times_previous=5, buckets="hour", channels=("ops",)),
    Rule("fresh", "new_cluster", min_traces=20, min_users=20, buckets="hour", channels=("ops",)),
    Rule("shifted", "share_shift", buckets="hour", channels=("ops",)),
)


@pytest.mark.heavy
def test_error_rates_thresholds_and_new_clusters_are_judged_by_the_hour(database: Database) -> None:
    """A lineage of four traces an hour has forty more at 14:00, one fails on its last day, and one is new."""
    usual, whole = [96] * 9, datetime(2026, 11, 22, 15, 40, tzinfo=UTC)
    for team_id in (MINE, OTHER):
        text = "themes:\n  - {theme_id: watched, prompt: 'What goes wrong?', level: trace, schedule: hourly}\n"
        apply_themes(database, team_id, read_themes(text), "ada")
        apply(database, team_id, Document((OPS,), KINDS), "ada")
    counts = {"aaaa-many": [*[96] * 8, 136], "bbbb-fails": usual, "cccc-new": [*[0] * 8, 96]}
    plant_days(database, counts, theme=HOURLY, spread=96, committed_at=whole)
    database.execute(
        "ALTER TABLE trace_texts UPDATE error_count = 1 WHERE team_id = {team_id:Int64} "
        "AND day = {day:Date} AND startsWith(item_id, 'bbbb') SETTINGS mutations_sync = 2",
        team_id=MINE,
        day=LAST,
    )
    plant_days(database, {"aaaa-many": usual, "bbbb-fails": usual}, theme=HOURLY, spread=96, team_id=OTHER)
    today = TeamDay(MINE, LAST)
    team = alerts_of(database, MINE)
    found = evaluate(database, today, team, now=whole)
    opened = {(each.rule, each.subject): each.day.hour for each, _ in found.decisions if each.verdict == "opened"}
    assert opened[("many", "aaaa-many")] == 14
    assert opened[("errors", "bbbb-fails")] <= 3
    assert opened[("fresh", "cccc-new")] == 4, "twenty since midnight"
    assert ("shifted", "aaaa-many") in opened
    assert {name for name, _ in opened} == {"many", "errors", "fresh", "shifted"}
    (since,) = (each for each, _ in found.decisions if each.rule == "fresh" and each.verdict == "opened")
    assert since.numbers["users_since"] == 20
    other = evaluate(database, TeamDay(OTHER, LAST), alerts_of(database, OTHER), now=whole)
    assert [each for each, _ in other.decisions if each.verdict == "opened"] == []
    for rule in KINDS:
        days = preview(database, today, rule, 1, beside=team.enabled)
        changes = {(each.subject, each.day.hour) for day in days for each in day.decisions if each.verdict == "opened"}
        assert changes == {(subject, hour) for (name, subject), hour in opened.items() if name == rule.rule}


def test_hours_of_results_that_fail_a_blocking_check_are_no_data(database: Database) -> None:
    whole = datetime(2026, 11, 22, 3, 40, tzinfo=UTC)
    text = "themes:\n  - {theme_id: watched, prompt: 'What goes wrong?', level: trace, schedule: hourly}\n"
    for team_id in (MINE, OTHER):
        apply_themes(database, team_id, read_themes(text), "ada")
        apply(database, team_id, Document((OPS,), (RULE,)), "ada")
        counts = {"aaaa-one": [24] * 2, "bbbb-two": [24] * 2}
        plant_days(database, counts, theme=HOURLY, spread=24, committed_at=whole, team_id=team_id)
    sql = "ALTER TABLE clusters DELETE WHERE team_id = 1 AND lineage_id = 'aaaa-one' SETTINGS mutations_sync = 2"
    database.execute(sql)
    for team_id, verdicts in ((MINE, {"no_data"}), (OTHER, {"quiet"})):
        found = evaluate(database, TeamDay(team_id, LAST), alerts_of(database, team_id), now=whole, dry_run=True)
        assert {each.verdict for each, _ in found.decisions} == verdicts
    assert preview(database, TeamDay(MINE, LAST), RULE, 1) == []


BY_DAY = (
    "regressed",
    "gone",
    "split",
    "merged",
    "noise",
    "coverage",
    "spend",
    "gate_blocked",
    "nothing_arrived",
    "digest",
)


@pytest.mark.parametrize("kind", BY_DAY)
def test_a_kind_of_which_an_hour_says_nothing_is_refused(kind: str) -> None:
    with pytest.raises(
        InvalidRulesError, match=f"an hour says nothing of {kind}; hours are judged by new_cluster, esc"
    ):
        read_document(f"rules:\n  - {{rule: x, kind: {kind}, buckets: hour}}\n")


def test_hours_are_said_and_change_the_version() -> None:
    assert "of the weekday and hour" in RULE.sentence
    assert RULE.version != Rule("hourly", "escalating", min_traces=10).version
    assert set(BY_DAY) | set(BY_HOUR) == set(get_args(Kind))
