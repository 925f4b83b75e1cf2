"""Two passes over the same segments at once: the one that commits first counts, and no segment is lost."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.tasks import cluster_new_segments, segment_counts, task_segments
from llma_assets.tasks.checks import segments_in_tasks, tasks_add_up
from llma_assets.tasks.first_commit import commit_batch, commit_pass
from llma_assets.tasks.segment_queries import ATTEMPT_OF_BATCH, HELD_SEGMENTS
from llma_assets.tasks.task_queries import PASS_OF_BATCH, PIPELINE
from llma_assets.team_day import TeamDay
from llma_assets.testing import axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import MODEL, MONDAY
from llma_assets_tests.tasks.passing import DAY, a_pass, tasks

LATER = MONDAY + DAY
NOW = MONDAY + 2 * DAY


def waiting_and_new(database: Database, team_id: int) -> int:
    """Three segments that wait, each alone, then for each of them one like it, and a group; how many there are."""
    held = [(segment(f"h{n}", f"Looks at page {n}", team_id=team_id), axis_vector(n)) for n in range(3)]
    write_segments(database, held)
    a_pass(database, LATER, team_id=team_id)
    new = [
        (segment(f"n{n}", f"Looks at page {n}", team_id=team_id, start=LATER), axis_vector(n, shift=0.1))
        for n in range(3)
    ]
    write_segments(database, [*new, *similar_segments("g", 7, start=LATER, team_id=team_id)])
    return 9


def homes(database: Database, team_id: int) -> list[list[str]]:
    """The sessions of each task."""
    found = [
        sorted(row["session_id"] for row in task_segments(database, team_id, task))
        for task in tasks(database, NOW, team_id)
    ]
    return sorted(found)


WHOLE = [["g0", "g1", "g2"], ["h0", "n0"], ["h1", "n1"], ["h2", "n2"]]


def all_passed(database: Database, team_id: int) -> bool:
    day = TeamDay(team_id, MONDAY.date())
    return all(outcome.passed for check in (tasks_add_up, segments_in_tasks) for outcome in check(database, day))


def test_a_losing_attempt_that_saw_others_waiting_replaces_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_and_new(database, 1)
    waiting_and_new(database, 2)
    rows, entered = Database.rows, list[str]()

    def other_is_faster(self: Database, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if sql == HELD_SEGMENTS and not entered:
            entered.append(sql)
            cluster_new_segments(self, 1, model_name=MODEL, now=NOW)
        return rows(self, sql, **parameters)

    monkeypatch.setattr(Database, "rows", other_is_faster)
    clustered, updated = a_pass(database, NOW)
    monkeypatch.undo()
    assert entered
    assert (clustered.batches, clustered.segments) == (0, 0), "what the other run did is not counted twice"
    assert updated.created == 4
    assert homes(database, 1) == WHOLE
    assert all_passed(database, 1)
    assert (homes(database, 2), segment_counts(database, 2)["in_tasks"]) == ([], 0)


def batch_row(team_id: int, attempt_id: UUID, inserted_at: datetime) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "batch_id": 1,
        "attempt_id": attempt_id,
        "arrived_until": MONDAY,
        "embedding_model": MODEL,
        "dimension": 16,
        "inserted_at": inserted_at,
    }


def pass_row(team_id: int, pass_id: UUID, inserted_at: datetime) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "pipeline": PIPELINE,
        "position": 1,
        "pass_id": pass_id,
        "arrived_until": MONDAY,
        "inserted_at": inserted_at,
    }


@pytest.mark.parametrize(
    ("commit", "row", "winner", "table"),
    [
        (commit_batch, batch_row, ATTEMPT_OF_BATCH, "segment_batches"),
        (commit_pass, pass_row, PASS_OF_BATCH, "watermarks"),
    ],
)
def test_the_commit_that_is_stored_first_stays_also_where_another_began_earlier(
    database: Database,
    commit: Callable[[Database, dict[str, Any]], bool],
    row: Callable[[int, UUID, datetime], dict[str, Any]],
    winner: str,
    table: str,
) -> None:
    key = {"team_id": 1, **({"batch_id": 1} if table == "segment_batches" else {"pipeline": PIPELINE, "position": 1})}
    first, second, other = uuid4(), uuid4(), uuid4()
    assert commit(database, row(1, first, MONDAY + DAY))
    assert not commit(database, row(1, second, MONDAY))
    assert database.value(winner, **key) == first
    assert commit(database, row(2, other, MONDAY)), "the number is another team's, too"
    assert commit(database, row(1, first, MONDAY)), "sent again after its connection broke"
    database.execute(f"DELETE FROM {table} WHERE team_id = 1")
    assert commit(database, row(1, second, MONDAY)), "the team's rows were removed by hand"
    assert database.value(winner, **key) == second


def test_a_segment_that_is_in_no_task_is_named_and_recovered_by_the_next_batch(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 0, team_id=2))
    a_pass(database, LATER)
    a_pass(database, LATER, team_id=2)
    assert all_passed(database, 1)
    (lost,) = write_segments(database, [(segment("x"), axis_vector(0))], arrived=MONDAY - DAY)
    (member,) = database.rows("SELECT * FROM segment_members WHERE team_id = 1 AND session_id = 'a1'")
    database.insert_rows("segment_members", [{**member, "document_id": lost, "session_id": "x"}])
    (found,) = segments_in_tasks(database, TeamDay(1, MONDAY.date()))
    assert not found.passed
    assert found.found.startswith("1: x:")
    assert all_passed(database, 2)
    write_segments(database, similar_segments("c", 0, start=LATER))
    a_pass(database, NOW)
    assert homes(database, 1) == [["a0", "a1", "a2", "c0", "c1", "c2", "x"]]
    assert all_passed(database, 1)


def at_once(*passes: Callable[[], None]) -> None:
    """Run these in threads that begin together; what one raises is raised here."""
    barrier, raised = Barrier(len(passes)), list[BaseException]()

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [Thread(target=run, args=(work,)) for work in passes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in raised:
        raise error


@pytest.mark.slow
@pytest.mark.parametrize("times", [3, pytest.param(10, marks=pytest.mark.exhaustive)])
def test_two_passes_at_once_lose_nothing_however_often(database: Database, times: int) -> None:
    """`python -m benchmarks.tasks_at_once --times 50` does it more often, with processes."""
    for team_id in range(1, times + 1):
        expected = waiting_and_new(database, team_id)
        at_once(*[lambda team_id=team_id: a_pass(database, NOW, team_id=team_id)] * 2)  # type: ignore[misc]
        assert homes(database, team_id) == WHOLE, team_id
        assert segment_counts(database, team_id)["in_tasks"] == expected
        assert all_passed(database, team_id)


class Killed(BaseException):
    """Stands for a kill: nothing of the pass happens after it."""


WRITES = ("segment_members", "segment_batches", "task_segments", "task_versions", "task_history", "watermarks")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "writes"),
    [
        ("before", WRITES[::2]),
        ("after", WRITES[1::2]),
        pytest.param("before", WRITES[1::2], marks=pytest.mark.exhaustive),
        pytest.param("after", WRITES[::2], marks=pytest.mark.exhaustive),
    ],
)
def test_one_of_two_passes_dies_at_any_write_and_nothing_is_lost(
    database: Database, moment: str, writes: tuple[str, ...]
) -> None:
    insert = Database.insert_rows

    class Mortal(Database):
        dies_at = ""

        def insert_rows(self, table: str, rows: Any, **options: Any) -> None:
            if table == self.dies_at and moment == "before":
                raise Killed
            insert(self, table, rows, **options)
            if table == self.dies_at:
                raise Killed

    for team_id, table in enumerate(writes, 1):
        waiting_and_new(database, team_id)
        mortal = Mortal(database._client, database.name, "events")
        mortal.dies_at = table

        def dying(mortal: Mortal = mortal, team_id: int = team_id) -> None:
            with suppress(Killed):  # or the other one did all before
                a_pass(mortal, NOW, team_id=team_id)

        at_once(dying, lambda team_id=team_id: a_pass(database, NOW, team_id=team_id))  # type: ignore[misc]
        a_pass(database, NOW + timedelta(minutes=1), team_id=team_id)
        assert homes(database, team_id) == WHOLE, (table, moment)
        assert all_passed(database, team_id), (table, moment)
