"""What tables hold is asked once, and kept up by what is written: nothing that is there counts as absent."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database, DayColumns, RememberingDatabase
from llma_assets.clickhouse.holdings import Holdings
from llma_assets.reports import learn_holdings
from llma_assets.reports.holdings import HELD

DAY = date(2026, 11, 7)
LATER = date(2026, 11, 9)
COLUMNS = {"skips": DayColumns("day", "stage"), "document_embeddings": DayColumns("timestamp", "rendering")}


def skip(database: Database, team_id: int, day: date = DAY, stage: str = "a") -> None:
    """Store a row."""
    row = {"team_id": team_id, "day": day, "stage": stage, "theme_id": "", "reason": "x", "detail": ""}
    database.insert_rows("skips", [row])


@pytest.fixture
def reader(database: Database) -> RememberingDatabase:
    """One that has asked about team 1, while team 2 has rows."""
    skip(database, 2)
    skip(database, 1, LATER, "b")
    reader = database.between_writes()
    learn_holdings(reader, 1, DAY)
    return reader


def test_what_is_not_there_is_known(reader: RememberingDatabase) -> None:
    assert not reader.may_hold("skips", 1, DAY, DAY), "the row of the other team does not count"
    assert reader.may_hold("skips", 1, DAY)
    assert reader.may_hold("skips", 1, LATER, LATER, part="b")
    assert not reader.may_hold("skips", 1, LATER, LATER, part="a")
    assert not reader.may_hold("texts_made", 1, DAY)


def test_what_was_not_asked_about_may_be_there(database: Database, reader: RememberingDatabase) -> None:
    assert reader.may_hold("skips", 2, DAY, DAY)
    assert reader.may_hold("skips", 3, DAY, DAY), "another team"
    assert reader.may_hold("skips", 1, DAY - timedelta(days=1), DAY), "an earlier day"
    assert database.may_hold("skips", 1, DAY, DAY), "one that does not remember"
    assert database.between_writes().may_hold("skips", 1, DAY, DAY), "one that has not asked"


def test_rows_that_this_process_writes_are_there(database: Database, reader: RememberingDatabase) -> None:
    skip(database.tagged(another="object"), 1)
    assert reader.may_hold("skips", 1, DAY, DAY, part="a")
    assert not reader.may_hold("skips", 1, DAY, DAY, part="b")
    assert not reader.may_hold("texts_made", 1, DAY)


def test_readers_of_one_state_and_tagged_ones_know_it_too(reader: RememberingDatabase) -> None:
    for same in (reader.remembering(), reader.tagged(run="x"), reader.tagged(run="x").sequential()):
        assert not same.may_hold("skips", 1, DAY, DAY)
    skip(reader, 1)
    assert reader.remembering().may_hold("skips", 1, DAY, DAY)


def test_after_a_statement_whose_rows_are_not_known_nothing_is(database: Database, reader: RememberingDatabase) -> None:
    database.execute("DELETE FROM skips WHERE team_id = 2")
    assert not reader.may_hold("skips", 1, DAY, DAY), "a deletion adds nothing"
    database.execute("INSERT INTO skips SELECT * REPLACE (1 AS team_id) FROM skips")
    assert reader.may_hold("skips", 1, DAY, DAY)
    learn_holdings(reader, 1, DAY)
    assert not reader.may_hold("skips", 1, DAY, DAY), "asked again"


def test_a_refused_row_may_be_there(reader: RememberingDatabase) -> None:
    with pytest.raises(Exception, match="day"):
        reader.insert_rows("skips", [{"team_id": 1, "stage": "a"}])


def test_it_is_not_believed_for_long() -> None:
    known = Holdings(COLUMNS, seconds=60)
    known.learn(1, DAY, [])
    assert not known.may_hold("skips", 1, None, DAY, DAY)
    old = Holdings(COLUMNS, seconds=0)
    old.learn(1, DAY, [])
    assert old.may_hold("skips", 1, None, DAY, DAY)


def test_a_moment_is_of_its_day() -> None:
    known = Holdings(COLUMNS, seconds=60)
    known.learn(1, DAY, [])
    row: dict[str, Any] = {"team_id": 1, "timestamp": datetime(2026, 11, 9, 23, 59, tzinfo=UTC), "rendering": "r"}
    known.wrote("document_embeddings", [row])
    assert known.may_hold("document_embeddings", 1, "r", LATER, LATER)
    assert not known.may_hold("document_embeddings", 1, "r", DAY, DAY)


def test_each_table_is_asked_about(database: Database) -> None:
    """A row of any of them, with defaults for all but its key, is found; another team's is not."""
    for table, columns in HELD.items():
        moment = "toDateTime64('2026-11-07 10:00:00', 6, 'UTC')"
        day = moment if columns.day == "timestamp" else f"toDate({moment})"
        database.execute(f"INSERT INTO {table} (team_id, {columns.day}) SELECT number, {day} FROM numbers(5, 2)")
    reader = database.between_writes()
    learn_holdings(reader, 5, DAY)
    learn_holdings(reader, 7, DAY)
    assert [table for table in HELD if not reader.may_hold(table, 5, DAY, DAY)] == []
    assert [table for table in HELD if reader.may_hold(table, 7, DAY, DAY)] == []


def test_rows_that_no_result_needs_are_one_insert_and_seen_by_who_asks(database: Database) -> None:
    def row(team_id: int, stage: str) -> dict[str, Any]:
        return {"team_id": team_id, "day": DAY, "stage": stage, "theme_id": "", "reason": "x", "detail": ""}

    def counts(asked: Database) -> list[int]:
        count = "SELECT count() FROM skips FINAL WHERE team_id = {team_id:Int64}"
        return [asked.value(count, team_id=team_id) for team_id in (1, 2)]

    reader = database.between_writes()
    reader.tagged(run="x").insert_later("skips", [row(1, "a")])
    reader.insert_later("skips", [row(1, "b"), row(2, "a")])
    assert counts(database) == [0, 0]
    assert counts(reader) == counts(database) == [2, 1]
    reader.insert_later("skips", [row(2, "b")])
    reader.insert_kept_rows()
    reader.insert_kept_rows()
    assert counts(database) == [2, 2]
    database.insert_later("skips", [row(2, "c")])
    assert counts(database) == [2, 3], "who does not work between writes keeps nothing"
