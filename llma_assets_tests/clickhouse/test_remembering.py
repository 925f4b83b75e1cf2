"""A database that remembers: what one answer reads twice, and what several answers may share."""

from datetime import date

from llma_assets.clickhouse import Database, Kept

DAY = date(2026, 11, 7)
COUNT = "SELECT count() AS n FROM skips FINAL WHERE team_id = {team_id:Int64}"


def skip(database: Database, team_id: int, stage: str) -> None:
    """Store a row."""
    row = {"team_id": team_id, "day": DAY, "stage": stage, "theme_id": "", "reason": "x", "detail": ""}
    database.insert_rows("skips", [row])


def test_one_answer_sees_one_state(database: Database) -> None:
    skip(database, 1, "a")
    reading = database.remembering()
    assert reading.rows(COUNT, team_id=1) == [{"n": 1}]
    reading.rows(COUNT, team_id=1)[0]["n"] = 7
    skip(database, 1, "b")
    assert reading.rows(COUNT, team_id=1) == [{"n": 1}]
    assert reading.rows(COUNT, team_id=2) == [{"n": 0}]
    assert database.remembering().rows(COUNT, team_id=1) == [{"n": 2}]


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
