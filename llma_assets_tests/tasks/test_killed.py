"""A pass killed at any write, and two at once: afterwards all is as if it had run once."""

import signal
from datetime import timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.models import OfflineChat, OpenAIChat
from llma_assets.settings import Settings
from llma_assets.tasks import cluster_new_segments, list_tasks, task_history, task_segments, update_tasks
from llma_assets.tasks.checks import tasks_add_up
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import MODEL, MONDAY
from llma_assets_tests import copies

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
WRITES = ("segment_members", "segment_batches", "task_segments", "task_versions", "task_history")

KILLED_AT = """
import os, signal, sys
from datetime import timedelta
from llma_assets.clickhouse import Database, connect
from llma_assets.models import OfflineChat, OpenAIChat
from llma_assets.settings import Settings
from llma_assets.tasks import cluster_new_segments, update_tasks
from llma_assets.testing import ChatServer
from llma_assets.testing import similar_segments
from llma_assets.testing.segments import MODEL, MONDAY

table, moment = sys.argv[1:]
insert = Database.insert_rows

def insert_or_die(self, name, rows, **options):
    if moment == "after":
        insert(self, name, rows, **options)
    if name == table and rows:
        os.kill(os.getpid(), signal.SIGKILL)
    if moment == "before":
        insert(self, name, rows, **options)

Database.insert_rows = insert_or_die
with connect(Settings.from_env()) as database:
    now = MONDAY + timedelta(days=2)
    cluster_new_segments(database, 1, model_name=MODEL, now=now)
    update_tasks(database, 1, OfflineChat(), now=now)
"""


def everything(database: Database, team_id: int = 1) -> list[Any]:
    now = MONDAY + 2 * DAY
    return [
        (
            task,
            [row["document_id"] for row in task_segments(database, team_id, task)],
            sorted((row["change"], row["status"], row["detail"]) for row in task_history(database, team_id, task)),
        )
        for task in list_tasks(database, team_id, now=now)
    ]


def a_week(database: Database, team_id: int) -> None:
    """A first pass that is done, and segments for a second one that grow tasks and found others."""
    for prefix, where in (("a", 0), ("b", 1)):
        write_segments(
            database,
            [(segment(f"{prefix}{n}", f"Error {where} came", team_id=team_id), axis_vector(where)) for n in range(3)],
        )
    a_pass(database, team_id, now=MONDAY + DAY)
    later = MONDAY + DAY + timedelta(hours=1)
    for prefix, where in (("c", 0), ("d", 2)):
        write_segments(
            database,
            [
                (segment(f"{prefix}{n}", f"Error {where} came", team_id=team_id, start=later), axis_vector(where))
                for n in range(3)
            ],
        )


def a_pass(database: Database, team_id: int, *, now: Any = MONDAY + 2 * DAY) -> None:
    cluster_new_segments(database, team_id, model_name=MODEL, now=now)
    update_tasks(database, team_id, OfflineChat(), now=now)


def test_a_pass_killed_at_any_write_leaves_what_was_and_the_next_one_ends_it(
    environment: Settings, database: Database
) -> None:
    a_week(database, 1)
    before = everything(database)
    moments = [*((table, "before") for table in WRITES), ("task_history", "after")]
    for table, moment in moments:
        killed = copies.run(KILLED_AT, table, moment)
        assert killed.returncode == -signal.SIGKILL, (table, killed.stderr[-2000:])
        assert everything(database) == before, (table, moment)
    a_pass(database, 1)
    undisturbed = Database(database._client, database.name, "events")
    a_week(undisturbed, 2)
    a_pass(undisturbed, 2)
    assert [facts(task) for task, _, _ in everything(database)] == [
        facts(task) for task, _, _ in everything(database, team_id=2)
    ]
    assert [ids for _, ids, _ in everything(database)] == [ids for _, ids, _ in everything(database, team_id=2)]
    assert [log for _, _, log in everything(database)] == [log for _, _, log in everything(database, team_id=2)]
    assert [outcome.passed for outcome in tasks_add_up(database, TeamDay(1, MONDAY.date()))] == [True]


def facts(task: Any) -> tuple[Any, ...]:
    return (task.title, task.status, task.occurrence_count, task.user_count, task.mean_impact, task.last_seen)


def test_two_passes_at_the_same_time_are_as_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    a_week(database, 1)
    insert = Database.insert_rows
    entered: list[str] = []

    def other_pass_first(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table in ("segment_batches", "task_history") and table not in entered and rows:
            entered.append(table)
            a_pass(database, 1)  # another process is faster
        insert(self, table, rows, **options)

    monkeypatch.setattr(Database, "insert_rows", other_pass_first)
    a_pass(database, 1)
    monkeypatch.undo()
    assert entered
    assert sorted(task.occurrence_count for task, _, _ in everything(database)) == [3, 3, 6]
    assert [outcome.passed for outcome in tasks_add_up(database, TeamDay(1, MONDAY.date()))] == [True]


def test_a_batch_that_two_passes_took_differently_is_as_the_first_committed_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower one took its segments before more had come, and commits after the other one's tasks are made."""
    write_segments(database, similar_segments("a", 0))
    insert = Database.insert_rows
    entered: list[str] = []

    def more_come_and_another_pass_is_faster(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table == "segment_batches" and not entered:
            entered.append(table)
            write_segments(database, similar_segments("b", 3))
            a_pass(database, 1)
        insert(self, table, rows, **options)

    monkeypatch.setattr(Database, "insert_rows", more_come_and_another_pass_is_faster)
    a_pass(database, 1)
    monkeypatch.undo()
    a_pass(database, 1)
    found = everything(database)
    assert sorted(task.occurrence_count for task, _, _ in found) == [3, 3]
    assert sorted(len(ids) for _, ids, _ in found) == [3, 3]
    assert [outcome.passed for outcome in tasks_add_up(database, TeamDay(1, MONDAY.date()))] == [True]


def test_a_pass_that_dies_after_its_labels_asks_no_model_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_segments(database, similar_segments("a", 0))
    insert = Database.insert_rows

    def die(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table == "task_segments":
            raise KeyboardInterrupt
        insert(self, table, rows, **options)

    now = MONDAY + 2 * DAY
    with ChatServer() as server:
        chat = OpenAIChat("test-model", base_url=server.url)
        cluster_new_segments(database, 1, model_name=MODEL, now=now)
        monkeypatch.setattr(Database, "insert_rows", die)
        with pytest.raises(KeyboardInterrupt):
            update_tasks(database, 1, chat, now=now)
        monkeypatch.undo()
        assert everything(database) == []
        update_tasks(database, 1, chat, now=now)
        assert len(server.calls()) == 1
    assert [task.label_model for task, _, _ in everything(database)] == ["test-model"]


def test_a_row_that_says_it_came_in_the_future_hides_nothing(database: Database) -> None:
    write_segments(database, similar_segments("a", 0), arrived=MONDAY + 40 * DAY)
    a_pass(database, 1)
    write_segments(database, similar_segments("b", 3), arrived=MONDAY + 2 * DAY)
    a_pass(database, 1)
    assert sorted(task.occurrence_count for task, _, _ in everything(database)) == [3, 3]


def test_a_segment_that_is_stored_under_two_days_counts_once(database: Database) -> None:
    """Its own time is part of the key of the table, so the table keeps both rows."""
    pairs = similar_segments("a", 0)
    write_segments(database, pairs)
    write_segments(database, pairs, timestamp=MONDAY + DAY)
    a_pass(database, 1)
    a_pass(database, 1)
    assert [task.occurrence_count for task, _, _ in everything(database)] == [3]
