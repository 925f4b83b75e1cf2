"""Days that hold nothing are known by one query: an event or a row of any stage makes a day one to look at."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.reports import days_with_anything, span_with_anything
from llma_assets.team_day import TeamDay
from llma_assets.teams import ON_SKIP_LIST
from llma_assets.testing import trace, write_events

DAY = date(2026, 11, 7)
TEAM_DAY = TeamDay(1, DAY)
WEEK = TEAM_DAY.window(7)
OTHER_WEEK = TeamDay(2, DAY).window(7)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)

ROWS: dict[str, dict[str, Any]] = {
    "trace_texts": {"day": DAY, "level": "trace", "item_id": "a"},
    "theme_items": {"day": DAY, "theme_id": "traces", "item_id": "a"},
    "trace_summaries": {"day": DAY, "theme_id": "traces", "item_id": "a"},
    "summary_batches": {"day": DAY, "theme_id": "traces"},
    "document_embeddings": {"timestamp": NOON, "product": "llm-analytics", "document_id": "a"},
    "texts_made": {"day": DAY, "events": 3, "waits_until": None},
    "skips": {"day": DAY, "stage": "trace_summaries", "theme_id": "traces", "reason": "failed"},
}


def test_nothing_is_nothing(database: Database) -> None:
    assert days_with_anything(database, [*WEEK, *OTHER_WEEK]) == {}
    assert span_with_anything(database, WEEK) == (TEAM_DAY, TEAM_DAY)


def test_a_day_with_an_event_of_the_team_is_to_be_looked_at(database: Database) -> None:
    write_events(database, trace(1, "a", NOON))
    write_events(database, trace(2, "a", datetime(2026, 11, 3, 23, 59, tzinfo=UTC)))
    assert days_with_anything(database, WEEK) == {TEAM_DAY: frozenset()}
    assert days_with_anything(database, [*WEEK, *OTHER_WEEK]) == {
        TEAM_DAY: frozenset(),
        TeamDay(2, date(2026, 11, 3)): frozenset(),
    }
    assert span_with_anything(database, OTHER_WEEK) == (TeamDay(2, date(2026, 11, 3)),) * 2


@pytest.mark.parametrize("table", ROWS)
def test_a_day_with_a_row_is_to_be_looked_at(database: Database, table: str) -> None:
    database.insert_rows(table, [{"team_id": 1, **ROWS[table]}])
    assert days_with_anything(database, [*WEEK, *OTHER_WEEK]) == {TEAM_DAY: frozenset()}


def test_a_day_whose_texts_were_made_of_no_event_holds_nothing(database: Database) -> None:
    database.insert_rows("texts_made", [{"team_id": 1, "day": DAY, "events": 0, "waits_until": None}])
    assert days_with_anything(database, WEEK) == {}


def test_a_day_names_the_stages_that_left_it_out(database: Database) -> None:
    record_skip(database, Skip(1, DAY, "cluster_events", "", ON_SKIP_LIST, "the team was on the skip list"))
    record_skip(database, Skip(2, DAY, "trace_texts", "", ON_SKIP_LIST, "the team is on the skip list"))
    assert days_with_anything(database, WEEK) == {TEAM_DAY: {"cluster_events"}}
    clear_skip(database, team_id=1, day=DAY, stage="cluster_events")
    assert days_with_anything(database, WEEK) == {}
