"""A reader that remembers asks each query once, and sees one state."""

from datetime import date

from llma_assets.clickhouse import Database, Kept

DAY = date(2026, 11, 7)
COUNT = "SELECT count() AS n FROM skips FINAL WHERE team_id = {team_id:Int64}"


ONE = "SELECT {number:Int64} AS number, now64(9) AS at, [1] AS list"
SERIAL = "SELECT generateUUIDv7() FROM zeros(1) AS zero"
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


def skip(database: Database, team_id: int, stage: str) -> None:
    """Store a row."""
    row = {"team_id": team_id, "day": DAY, "stage": stage, "theme_id": "", "reason": "x", "detail": ""}
    database.insert_rows("skips", [row])


def test_answers_share_rows_of_runs_and_nothing_else(database: Database) -> None:
    kept = Kept()
    assert database.remembering(kept).rows_of_runs(COUNT, team_id=1) == [{"n": 0}]
    skip(database, 1, "a")
    assert database.remembering(kept).rows_of_runs(COUNT, team_id=1) == [{"n": 0}]
    assert database.remembering(kept).rows_of_runs(COUNT, team_id=2) == [{"n": 0}]
    assert database.remembering(kept).rows(COUNT, team_id=1) == [{"n": 1}]
    assert database.remembering(Kept()).rows_of_runs(COUNT, team_id=1) == [{"n": 1}]
    assert database.rows_of_runs(COUNT, team_id=1) == [{"n": 1}]


def test_what_is_kept_grows_old_and_is_bounded() -> None:
    def of(number: int) -> list[dict[str, int]]:
        return [{"n": number}]

    old = Kept(seconds=0)
    assert [old.get("key", lambda: of(1)), old.get("key", lambda: of(2))] == [of(1), of(2)]
    few = Kept(most=2)
    for key in "abc":
        few.get(key, lambda: of(1))
    assert few.get("c", lambda: of(2)) == of(1)
    assert few.get("a", lambda: of(2)) == of(2)


def test_between_writes_an_answer_is_repeated_until_its_table_is_written_to(database: Database) -> None:
    reader = database.between_writes()
    assert reader.value(COUNT, team_id=1) == reader.value(COUNT, team_id=2) == 0
    asked = reader.value(SERIAL)
    skip(database.tagged(another="object"), 1, "a")
    assert reader.value(COUNT, team_id=1) == 1, "of any object of this process"
    assert reader.value(COUNT, team_id=2) == 0
    assert reader.value(SERIAL) == asked, "no table of it was written to"
    database.execute("DELETE FROM skips WHERE team_id = 1")
    assert reader.value(COUNT, team_id=1) == 0


def test_a_write_to_an_unknown_table_ends_all_that_is_remembered(database: Database) -> None:
    reader = database.between_writes()
    assert reader.value(COUNT, team_id=1) == 0
    skip(database, 1, "a")
    database.execute("DELETE FROM {table:Identifier} WHERE team_id = 1", table="skips")
    assert reader.value(COUNT, team_id=1) == 0


def test_of_tables_by_which_processes_agree_nothing_is_remembered(database: Database) -> None:
    reader = database.between_writes(never=("zero",))
    assert reader.value(SERIAL) != reader.value(SERIAL)


def test_between_writes_only_so_much_is_kept(database: Database) -> None:
    reader = database.between_writes()
    many = "SELECT generateUUIDv7() AS id FROM zeros({rows:UInt64})"
    assert reader.rows(many, rows=500) == reader.rows(many, rows=500)
    assert reader.rows(many, rows=501) != reader.rows(many, rows=501)
    asked = reader.value(SERIAL)
    for rows in range(470, 495):
        assert reader.value(SERIAL) == asked or rows > 489
        reader.rows(many, rows=rows)
    assert reader.value(SERIAL) != asked, "the oldest answers go first"


def test_what_tells_the_time_is_asked_anew(database: Database) -> None:
    reader = database.between_writes()
    assert reader.rows(ONE, number=1) != reader.rows(ONE, number=1)


def test_a_reader_of_one_state_begins_with_what_is_remembered_between_writes(database: Database) -> None:
    between = database.between_writes(never=("skips",))
    asked = between.value(SERIAL)
    reader = between.tagged(another="object").remembering()
    assert reader.value(SERIAL) == asked
    assert reader.value(COUNT, team_id=1) == 0
    skip(database, 1, "a")
    assert reader.value(COUNT, team_id=1) == 0, "one state, also of tables that are read anew"
    assert between.value(COUNT, team_id=1) == 1


STAGES = "SELECT team_id, stage, generateUUIDv7() AS asked FROM skips FINAL WHERE team_id IN {team_ids:Array(Int64)}"


def test_what_is_asked_of_each_together_is_known_of_each_alone_until_a_write(database: Database) -> None:
    for team_id, stage in ((1, "a"), (1, "b"), (2, "c"), (3, "d")):
        skip(database, team_id, stage)
    reader = database.between_writes()
    asked = {team_id: {"team_ids": [team_id]} for team_id in (1, 2, 4)}

    def known() -> dict[int, list[dict[str, object]]]:
        return {team_id: reader.rows(STAGES, **own) for team_id, own in asked.items()}

    reader.remembering().ask_of_each(STAGES, "team_id", asked, most=3)
    together = known()
    assert {team_id: sorted(str(row["stage"]) for row in rows) for team_id, rows in together.items()} == {
        1: ["a", "b"],
        2: ["c"],
        4: [],
    }
    reader.ask_of_each(STAGES, "team_id", asked, most=3)
    assert known() == together, "asked once"
    skip(database, 3, "e")
    reader.ask_of_each(STAGES, "team_id", asked, most=2)
    assert known() != together, "three rows are too many, so that each is asked alone"
    database.ask_of_each(STAGES, "team_id", asked, most=3)
