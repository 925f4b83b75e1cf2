"""What a finished run is known by: any row that it reads or makes changes the digest, and nothing else does."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.finished import GroupState, look_at
from llma_assets.defs.run_group import RunGroup
from llma_assets.reports import RunState, run_state
from llma_assets.team_day import TeamDay
from llma_assets.testing import trace, write_events
from llma_assets.themes import TRACES

DAY = date(2026, 11, 7)
TEAM_DAY = TeamDay(1, DAY)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
ATTEMPT = "00000000-0000-0000-0000-000000000001"
OF_THEME = {"day": DAY, "theme_id": "traces"}
OF_CLUSTER = {**OF_THEME, "attempt_id": ATTEMPT, "cluster_id": 0}

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "trace_texts": ("texts", {"day": DAY, "level": "trace", "item_id": "a"}),
    "texts_made": ("texts", {"day": DAY, "events": 3, "waits_until": None}),
    "theme_items": ("texts", {**OF_THEME, "item_id": "a"}),
    "trace_summaries": ("texts", {**OF_THEME, "item_id": "a"}),
    "summary_failures": ("texts", {**OF_THEME, "item_id": "a", "run_id": "r"}),
    "summary_batches": ("texts", {**OF_THEME, "state": "open"}),
    "document_embeddings": (
        "texts",
        {"timestamp": NOON, "product": "llm-analytics", "rendering": TRACES.rendering, "document_id": "a"},
    ),
    "clustering_runs": ("clusters", {**OF_THEME, "attempt_id": ATTEMPT}),
    "clusters": ("clusters", OF_CLUSTER),
    "cluster_members": ("clusters", {**OF_CLUSTER, "item_id": "a"}),
    "cluster_labels": ("clusters", OF_CLUSTER),
    "cluster_name_tests": ("clusters", OF_CLUSTER),
    "cluster_group_labels": ("clusters", {**OF_THEME, "attempt_id": ATTEMPT, "group_id": 0}),
    "cluster_edits": ("clusters", {"theme_id": "traces", "lineage_id": "l", "edited_at": NOON}),
}


def state(database: Database) -> RunState:
    return run_state(database, TEAM_DAY, DAY - timedelta(days=6), themes=[TRACES])


def group(database: Database, made_with: str = "settings") -> GroupState:
    return GroupState(database, TEAM_DAY, "general", DAY - timedelta(days=6), [TRACES], made_with)


@pytest.mark.parametrize("table", ROWS)
def test_a_row_of_the_team_and_theme_counts_and_no_other(database: Database, table: str) -> None:
    part, row = ROWS[table]
    nothing = state(database)
    database.insert_rows(table, [{"team_id": 2, **row}])
    if "theme_id" in row:
        database.insert_rows(table, [{"team_id": 1, **row, "theme_id": "another"}])
    assert state(database) == nothing
    database.insert_rows(table, [{"team_id": 1, **row}])
    found = state(database)
    assert getattr(found, part) != getattr(nothing, part)
    database.execute(f"OPTIMIZE TABLE {table} FINAL")
    assert state(database) == found


def test_events_count_by_day_and_once(database: Database) -> None:
    nothing = state(database)
    write_events(database, trace(2, "a", NOON))
    write_events(database, trace(1, "a", NOON - timedelta(days=30)))
    assert state(database) == nothing
    write_events(database, trace(1, "a", NOON))
    found = state(database)
    assert found.events != nothing.events
    write_events(database, trace(1, "a", NOON))
    assert state(database) == found, "stored twice, and one event"
    write_events(database, trace(1, "b", NOON - timedelta(days=7)))
    assert state(database).events != found.events, "a trace of the first day may have begun the day before"


def test_a_trace_that_waits_makes_a_run_due_in_time(database: Database) -> None:
    assert not state(database).is_due(NOON)
    for team_id, waits_until in ((1, NOON), (2, NOON - timedelta(hours=1))):
        row = {"team_id": team_id, "day": DAY, "events": 1, "waits_until": waits_until}
        database.insert_rows("texts_made", [row])
    assert not state(database).is_due(NOON - timedelta(seconds=1))
    assert state(database).is_due(NOON)


def planned(made_with: str = "settings", team_id: int = 1, first_day: date = DAY - timedelta(days=6)) -> RunGroup:
    return RunGroup(
        TeamDay(team_id, DAY), ("traces",), first_day, is_general=True, themes=(TRACES,), made_with=made_with
    )


def is_due(database: Database, made_with: str = "settings", team_id: int = 1) -> bool:
    """Whether a run that looks now has anything to do."""
    (looked_at,) = look_at(database, [planned(made_with, team_id)])
    return looked_at.due


def finish(database: Database, between: Callable[[], None] = lambda: None) -> GroupState:
    """A run that finds and leaves what is there; `between` is done by another process while it clusters."""
    rows = group(database)
    found, summarised = rows.read(), rows.read()
    assert found is not None
    between()
    rows.record(found.events, summarised)
    return rows


def test_a_run_that_left_nothing_to_do_is_known_until_something_changes(database: Database) -> None:
    write_events(database, trace(1, "a", NOON))
    assert is_due(database)
    finish(database)
    assert not is_due(database)
    assert is_due(database, "other settings")
    assert is_due(database, team_id=2)
    write_events(database, trace(1, "late", NOON))
    assert is_due(database)


@pytest.mark.parametrize("what", ["event", "summary"])
def test_what_another_process_changes_meanwhile_is_not_taken_for_done(database: Database, what: str) -> None:
    def change() -> None:
        if what == "event":
            write_events(database, trace(1, "late", NOON))
        else:
            database.insert_rows("trace_summaries", [{"team_id": 1, **OF_THEME, "item_id": "a"}])

    finish(database, change)
    assert is_due(database)


def test_nothing_is_remembered_about_a_team_that_is_not_processed(database: Database) -> None:
    rows = group(database, "")
    assert rows.read() is None
    rows.record("", None)
    assert is_due(database, "")
    assert database.value("SELECT count() FROM finished_runs") == 0


def test_groups_of_many_teams_are_looked_at_together_and_each_by_its_own_rows(database: Database) -> None:
    for team_id in (1, 2, 3):
        write_events(database, trace(team_id, "a", NOON))
    finish(database)
    groups = [
        planned(team_id=2),
        planned(team_id=1),
        planned("", team_id=3),
        planned("of one day", first_day=DAY),
        planned(team_id=4),
    ]
    looked_at = look_at(database, groups)
    assert [(each.team_day.team_id, each.first_day) for each in looked_at] == [
        (each.team_day.team_id, each.first_day) for each in groups
    ]
    assert [each.due for each in looked_at] == [True, False, True, True, True]
    assert looked_at == [each for group in groups for each in look_at(database, [group])], "as each alone"
    assert [bool(each.events) for each in looked_at] == [True, True, False, True, False]
