"""Discovery on a real database: whose events count, in which window, and what is remembered."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database, connect
from llma_assets.discovery import TeamDecision, discover, store_decisions, stored_decisions, team_stats
from llma_assets.discovery.unreadable_events import record_unreadable
from llma_assets.ledger import list_skips
from llma_assets.settings import Settings
from llma_assets.teams import LOOKBACK_DAYS, TeamSettings
from llma_assets.trace_events import TRIGGER_EVENTS

DAY = date(2026, 11, 7)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
WINDOW_START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW_END = datetime(2026, 11, 8, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WRITTEN_BY_PIPELINES = (
    "$ai_trace_summary",
    "$ai_generation_summary",
    "$ai_trace_clusters",
    "$ai_generation_clusters",
    "$ai_tag",
)


def row(team_id: int, trace_id: str | None, at: datetime = NOON, event: str = "$ai_generation") -> dict[str, Any]:
    properties = {} if trace_id is None else {"$ai_trace_id": trace_id}
    return {
        "uuid": uuid4(),
        "event": event,
        "team_id": team_id,
        "distinct_id": "u",
        "timestamp": at,
        "properties": json.dumps(properties),
    }


def traces(team_id: int, count: int, at: datetime = NOON, event: str = "$ai_generation") -> list[dict[str, Any]]:
    return [row(team_id, f"trace-{number}", at, event) for number in range(count)]


def reasons(database: Database, day: date = DAY, settings: TeamSettings | None = None) -> dict[int, str]:
    return {d.team_id: d.reason for d in discover(database, settings or TeamSettings(), day)}


NAN = '{"$ai_trace_id": "a", "x": NaN}'
UNREADABLE = [NAN, '{"$ai_trace_id": "a", "x": "\\ud83d"}', '{"x": 1e999}', "", '"{}"', "[]", "null", '{"cut": "te']


def unreadable(team_id: int, properties: str, at: datetime = NOON, event: str = "$ai_generation") -> dict[str, Any]:
    return {**row(team_id, None, at, event), "properties": properties}


def recorded(database: Database, day: date = DAY) -> dict[tuple[int, date], str]:
    record_unreadable(database, discover(database, TeamSettings(), day), TeamSettings(), day)
    skips = [skip for back in range(7) for skip in list_skips(database, day=day - timedelta(days=back))]
    assert all((skip.stage, skip.theme_id, skip.reason) == ("events", "", "unreadable_events") for skip in skips)
    return {(skip.team_id, skip.day): skip.detail for skip in skips}


def test_events_that_are_no_json_object_are_counted_by_team_and_day(database: Database) -> None:
    database.insert_rows("events", [unreadable(1, text) for text in UNREADABLE] + traces(1, 3))
    database.insert_rows(
        "events", [unreadable(1, NAN, NOON - timedelta(days=2)), unreadable(1, NAN, event="$pageview")]
    )
    database.insert_rows("events", [*traces(2, 3), row(2, None)])
    assert {team.team_id: team.unreadable for team in team_stats(database, DAY, 7)} == {
        1: {DAY: 8, DAY - timedelta(days=2): 1},
        2: {},
    }
    found = recorded(database)
    assert list(found) == [(1, DAY), (1, DAY - timedelta(days=2))]
    assert found[1, DAY].startswith("8 events with properties that are not a JSON object")
    assert found[1, DAY - timedelta(days=2)].startswith("1 event with")
    assert reasons(database) == {1: "below_minimum", 2: "below_minimum"}
    assert [decision.detail for decision in discover(database, TeamSettings(), DAY)] == [
        "3 of 20 traces; 9 events cannot be read",
        "3 of 20 traces",
    ]


def test_an_event_stored_twice_is_one_that_cannot_be_read(database: Database) -> None:
    twice = unreadable(1, NAN)
    for _ in range(2):
        database.insert_rows("events", [twice])
    assert recorded(database)[1, DAY].startswith("1 event with")


def test_a_second_look_writes_nothing_and_what_can_be_read_by_now_is_forgotten(database: Database) -> None:
    broken, other = unreadable(1, NAN), unreadable(2, NAN)
    database.insert_rows("events", [broken, other])
    assert len(recorded(database)) == len(recorded(database)) == 2
    assert database.value("SELECT count() FROM skips") == 2
    database.execute("ALTER TABLE events DELETE WHERE team_id = 1 SETTINGS mutations_sync = 2")
    database.insert_rows("events", [{**broken, "properties": '{"$ai_trace_id": "a"}'}])
    assert list(recorded(database)) == [(2, DAY)]
    assert list(recorded(database, DAY + timedelta(days=1))) == [(2, DAY)]


def rows_of(database: Database) -> int:
    return int(database.value("SELECT count() FROM eligible_teams"))


def test_an_empty_database_has_no_team(database: Database) -> None:
    assert discover(database, TeamSettings(), DAY) == []
    assert store_decisions(database, DAY, []) == 0


def test_teams_of_equal_trace_ids_are_counted_apart(database: Database) -> None:
    database.insert_rows("events", traces(1, 20) + traces(1, 20) + traces(2, 19))
    assert reasons(database) == {1: "active", 2: "below_minimum"}
    assert [(stats.traces, stats.events) for stats in team_stats(database, DAY, 7)] == [(20, 40), (19, 19)]


@pytest.mark.parametrize("event", TRIGGER_EVENTS)
def test_each_trigger_event_counts(database: Database, event: str) -> None:
    database.insert_rows("events", traces(1, 20, event=event))
    assert reasons(database) == {1: "active"}


@pytest.mark.parametrize("event", [*WRITTEN_BY_PIPELINES, "$pageview", "$ai_generation ", "$AI_GENERATION"])
def test_no_other_event_makes_a_team_eligible_or_even_known(database: Database, event: str) -> None:
    database.insert_rows("events", traces(1, 50, event=event))
    assert discover(database, TeamSettings(), DAY) == []


def test_what_the_pipeline_wrote_does_not_lift_a_team_over_the_minimum(database: Database) -> None:
    database.insert_rows("events", traces(1, 19) + traces(1, 50, event="$ai_trace_summary"))
    (decision,) = discover(database, TeamSettings(), DAY)
    assert (decision.reason, decision.traces, decision.events) == ("below_minimum", 19, 19)


def test_a_guaranteed_team_with_own_events_only_is_out(database: Database) -> None:
    database.insert_rows("events", traces(1, 50, event="$ai_trace_clusters"))
    assert reasons(database, settings=TeamSettings(guaranteed_team_ids=(1,))) == {1: "no_recent_events"}


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (WINDOW_START - MICROSECOND, False),
        (WINDOW_START, True),
        (WINDOW_END - MICROSECOND, True),
        (WINDOW_END, False),
    ],
)
def test_the_window_is_sharp_to_the_microsecond(database: Database, at: datetime, counts: bool) -> None:
    database.insert_rows("events", traces(1, 20, at))
    assert reasons(database) == ({1: "active"} if counts else {})


@pytest.mark.parametrize("lookback_days", [1, 3, LOOKBACK_DAYS])
def test_the_window_has_exactly_the_lookback_s_days(database: Database, lookback_days: int) -> None:
    noons = [NOON - timedelta(days=back) for back in range(-2, 12)]
    database.insert_rows("events", [row(1, f"{at:%d}", at) for at in noons])
    (stats,) = team_stats(database, DAY, lookback_days)
    assert stats.traces == lookback_days


def test_events_without_a_trace_id_are_events_but_no_traces(database: Database) -> None:
    database.insert_rows("events", [row(1, None), row(1, ""), row(1, "t")])
    (stats,) = team_stats(database, DAY, 7)
    assert (stats.traces, stats.events) == (1, 3)


def test_an_event_that_is_stored_twice_counts_once(database: Database) -> None:
    twice = traces(1, 5)
    for _ in range(2):
        database.insert_rows("events", twice)
    (stats,) = team_stats(database, DAY, 7)
    assert (stats.traces, stats.events) == (5, 5)


def test_decisions_come_back_as_they_were_stored(database: Database) -> None:
    database.insert_rows("events", traces(2, 30) + traces(7, 3) + traces(5, 30))
    settings = TeamSettings(guaranteed_team_ids=(7, 9), skip_team_ids=frozenset({5}), lookback_days=3)
    decisions = discover(database, settings, DAY)
    assert store_decisions(database, DAY, decisions) == 4
    assert stored_decisions(database, DAY) == sorted(decisions, key=lambda decision: decision.team_id)
    bounds = database.rows("SELECT DISTINCT window_start, window_end FROM eligible_teams")
    assert bounds == [{"window_start": datetime(2026, 11, 5, tzinfo=UTC), "window_end": WINDOW_END}]


def test_a_second_run_writes_nothing_and_a_change_writes_what_changed(database: Database) -> None:
    database.insert_rows("events", traces(1, 30) + traces(2, 19))
    for expected in (2, 0):
        assert store_decisions(database, DAY, discover(database, TeamSettings(), DAY)) == expected
    database.insert_rows("events", [row(2, "one more")])
    assert store_decisions(database, DAY, discover(database, TeamSettings(), DAY)) == 1
    assert [decision.reason for decision in stored_decisions(database, DAY)] == ["active", "active"]
    assert rows_of(database) == 3


def test_the_decisions_of_another_day_are_not_touched(database: Database) -> None:
    database.insert_rows("events", traces(1, 30))
    for day in (DAY, DAY + timedelta(days=1)):
        store_decisions(database, day, discover(database, TeamSettings(), day))
    assert [decision.last_day for decision in stored_decisions(database, DAY)] == [DAY]
    assert stored_decisions(database, DAY - timedelta(days=1)) == []


def follow(database: Database, first: date, days: int) -> list[TeamDecision | None]:
    """What is stored about team 1 on each of some days of daily discovery."""
    found = []
    for shift in range(days):
        day = first + timedelta(days=shift)
        store_decisions(database, day, discover(database, TeamSettings(), day))
        found.append(next((d for d in stored_decisions(database, day) if d.team_id == 1), None))
    return found


def test_a_team_that_stops_leaves_after_the_lookback_and_its_leaving_is_one_row(database: Database) -> None:
    database.insert_rows("events", traces(1, 30) + traces(2, 30, NOON + timedelta(days=7)))
    found = follow(database, DAY, 10)
    assert [decision.reason if decision else None for decision in found] == [
        *["active"] * LOOKBACK_DAYS,
        "no_recent_events",
        None,
        None,
    ]


def test_the_day_of_leaving_can_be_decided_again_with_the_same_result(database: Database) -> None:
    database.insert_rows("events", traces(1, 30))
    left = DAY + timedelta(days=LOOKBACK_DAYS)
    follow(database, DAY, LOOKBACK_DAYS + 1)
    assert store_decisions(database, left, discover(database, TeamSettings(), left)) == 0
    assert [decision.reason for decision in stored_decisions(database, left)] == ["no_recent_events"]


def test_leaving_is_seen_also_after_days_without_discovery(database: Database) -> None:
    database.insert_rows("events", traces(1, 30))
    follow(database, DAY, 1)
    assert reasons(database, DAY + timedelta(days=20)) == {1: "no_recent_events"}


def test_a_decision_whose_events_went_away_does_not_stay_eligible(database: Database) -> None:
    database.insert_rows("events", traces(1, 30))
    follow(database, DAY, 1)
    database.execute("TRUNCATE TABLE events")
    follow(database, DAY, 1)
    assert [decision.eligible for decision in stored_decisions(database, DAY)] == [False]


def test_events_are_read_from_the_source_table_of_the_settings(settings: Settings, database: Database) -> None:
    database.execute("CREATE TABLE other_events AS events")
    database.insert_rows("other_events", traces(6, 30))
    database.insert_rows("events", traces(1, 30))
    with connect(replace(settings, events_table="other_events")) as other:
        assert reasons(other) == {6: "active"}
