"""Rules over hours: of themes that run hourly, by the hours that are whole, compared with the same hour of the week."""

from datetime import UTC, datetime

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


def test_only_escalating_judges_hours() -> None:
    with pytest.raises(InvalidRulesError, match="hours are judged by escalating alone, not by gone"):
        read_document("rules:\n  - {rule: x, kind: gone, buckets: hour}\n")
    assert "of the weekday and hour" in RULE.sentence
    assert RULE.version != Rule("hourly", "escalating", min_traces=10).version
