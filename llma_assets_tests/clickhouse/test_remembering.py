"""A reader that remembers asks each query once, and sees one state."""

from llma_assets.clickhouse import Database

ONE = "SELECT {number:Int64} AS number, now64(9) AS at, [1] AS list"
MANY = "SELECT number, now64(9) AS at FROM numbers({rows:UInt64})"


def test_equal_queries_are_asked_once_and_others_are_not(database: Database) -> None:
    reader = database.remembering()
    first = reader.rows(ONE, number=1)
    assert reader.rows(ONE, number=1) == first
    assert reader.rows(ONE, number=2) != first
    assert reader.value(ONE, number=1) == 1
    assert database.rows(ONE, number=1) != first
    assert database.remembering().rows(ONE, number=1) != first, "another reader begins anew"


def test_the_rows_are_the_callers_own(database: Database) -> None:
    reader = database.remembering()
    reader.rows(ONE, number=1)[0]["number"] = 5
    assert reader.rows(ONE, number=1)[0]["number"] == 1


def test_a_long_answer_is_not_kept(database: Database) -> None:
    reader = database.remembering()
    assert reader.rows(MANY, rows=5_000) == reader.rows(MANY, rows=5_000)
    assert reader.rows(MANY, rows=5_001) != reader.rows(MANY, rows=5_001)


def test_no_rows_have_no_value(database: Database) -> None:
    assert database.remembering().value("SELECT 1 WHERE 0") is None
