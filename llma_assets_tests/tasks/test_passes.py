"""Passes over segments, on a real database: each segment once, tasks that grow, nothing of another team."""

from datetime import timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.models import OpenAIChat, RetryPolicy
from llma_assets.tasks import (
    BatchCounts,
    BatchOptions,
    OtherSpaceError,
    Segment,
    TaskCounts,
    close_task,
    cluster_new_segments,
    ignore_task,
    merge_tasks,
    other_spaces,
    refused_segments,
    segment_counts,
    task_history,
    task_segments,
)
from llma_assets.testing import ChatServer, Status, axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import MODEL, MONDAY
from llma_assets_tests.tasks.passing import DAY, a_pass, tasks


def test_what_recurs_becomes_one_task_and_what_hurts_alone_another(database: Database) -> None:
    write_segments(
        database, similar_segments("a", 0) + similar_segments("b", 1) + [(segment("alone", "A crash"), axis_vector(2))]
    )
    clustered, updated = a_pass(database, MONDAY + DAY)
    assert (clustered.segments, clustered.groups, clustered.singles, clustered.held) == (7, 2, 1, 0)
    assert updated.created == 3
    found = tasks(database, MONDAY + DAY)
    assert sorted(task.occurrence_count for task in found) == [1, 3, 3]
    assert {task.status for task in found} == {"new"}


def test_a_second_pass_over_the_same_segments_does_nothing(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    before = tasks(database, MONDAY + DAY)
    clustered, updated = a_pass(database, MONDAY + DAY)
    assert (clustered, updated) == (BatchCounts(), TaskCounts())
    assert tasks(database, MONDAY + DAY) == before


def test_a_segment_that_is_stored_again_is_not_grouped_again(database: Database) -> None:
    pairs = similar_segments("a", 0)
    write_segments(database, pairs)
    a_pass(database, MONDAY + DAY)
    write_segments(database, pairs, arrived=MONDAY + 2 * DAY)
    assert a_pass(database, MONDAY + 3 * DAY)[0] == BatchCounts()
    assert [task.occurrence_count for task in tasks(database, MONDAY + DAY)] == [3]


def test_a_row_that_becomes_visible_late_is_grouped_nevertheless(database: Database) -> None:
    write_segments(database, similar_segments("a", 0), arrived=MONDAY + DAY)
    a_pass(database, MONDAY + DAY)
    write_segments(database, similar_segments("late", 0), arrived=MONDAY + DAY - timedelta(minutes=5))
    assert a_pass(database, MONDAY + DAY)[0].segments == 3
    assert [task.occurrence_count for task in tasks(database, MONDAY + DAY)] == [6]


def test_batches_are_bounded_and_one_pass_takes_them_all(database: Database) -> None:
    write_segments(database, [pair for number in range(4) for pair in similar_segments(f"g{number}", number)])
    clustered, updated = a_pass(database, MONDAY + DAY, batches=BatchOptions(batch_segments=5))
    assert (clustered.batches, clustered.segments, updated.batches) == (3, 12, 3)
    assert sum(task.occurrence_count for task in tasks(database, MONDAY + DAY)) == 12


def test_a_task_grows_and_counts_each_user_once(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    again = [(segment(f"c{n}", "An error", user="user-of-a0", start=MONDAY + DAY), axis_vector(0)) for n in range(2)]
    write_segments(database, again)
    _, updated = a_pass(database, MONDAY + 2 * DAY)
    (task,) = tasks(database, MONDAY + 2 * DAY)
    assert (updated.created, updated.grown) == (0, 1)
    assert (task.occurrence_count, task.user_count, task.status) == (5, 3, "ongoing")
    assert task.last_seen == MONDAY + DAY + timedelta(seconds=10)


def test_noise_that_hurts_little_waits_and_forms_a_task_when_company_comes(database: Database) -> None:
    write_segments(database, [(segment("first", "The button does nothing"), axis_vector(0))])
    assert a_pass(database, MONDAY + DAY)[0].held == 1
    assert tasks(database, MONDAY + DAY) == []
    week = MONDAY + 7 * DAY
    write_segments(
        database, [(segment("second", "The button does nothing at all", start=week), axis_vector(0, shift=0.01))]
    )
    clustered, _ = a_pass(database, week + DAY)
    assert (clustered.recalled, clustered.groups) == (1, 1)
    (task,) = tasks(database, week + DAY)
    assert (task.occurrence_count, task.user_count, task.first_seen) == (2, 2, MONDAY)


def test_noise_that_waited_too_long_is_let_go(database: Database) -> None:
    write_segments(database, [(segment("first", "The button does nothing"), axis_vector(0))])
    a_pass(database, MONDAY + DAY)
    later = MONDAY + 20 * DAY
    write_segments(
        database, [(segment("second", "The button does nothing at all", start=later), axis_vector(0, shift=0.01))]
    )
    clustered, _ = a_pass(database, later + DAY)
    assert (clustered.recalled, clustered.held) == (0, 1)
    assert tasks(database, later + DAY) == []


def test_teams_with_equal_sessions_do_not_mix(database: Database) -> None:
    for team_id in (1, 2):
        write_segments(database, similar_segments("a", 0, team_id=team_id))
    a_pass(database, MONDAY + DAY)
    assert tasks(database, MONDAY + DAY, team_id=2) == []
    a_pass(database, MONDAY + DAY, team_id=2)
    (first,), (second,) = tasks(database, MONDAY + DAY), tasks(database, MONDAY + DAY, team_id=2)
    assert first.task_id != second.task_id
    close_task(database, 1, first, by="anna", now=MONDAY + DAY)
    assert [task.status for task in tasks(database, MONDAY + DAY, team_id=2)] == ["new"]
    assert len(task_segments(database, 2, second)) == 3
    assert task_segments(database, 2, first) == []


def test_segments_of_another_model_are_refused_and_not_compared(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    write_segments(database, similar_segments("b", 0, start=MONDAY + DAY), model="other/model")
    with pytest.raises(OtherSpaceError, match="LLMA_EMBEDDING_MODEL=test/places"):
        cluster_new_segments(database, 1, model_name="other/model", now=MONDAY + 2 * DAY)
    assert [task.occurrence_count for task in tasks(database, MONDAY + DAY)] == [3]


def test_stored_rows_that_cannot_be_used_are_refused_one_by_one(database: Database) -> None:
    write_segments(database, similar_segments("later", 0))
    bad = segment("a-bad")
    write_segments(database, [(bad, [1.0, 2.0])])
    write_segments(database, [(segment("nan"), [float("nan")] * 16)])
    write_segments(database, [(bad, axis_vector(0))], document_id="no-user:1:2", metadata="{}")
    write_segments(database, [(bad, axis_vector(0))], document_id="nocolon")
    write_segments(database, [(bad, axis_vector(0))], document_id="broken:1:2", metadata="{")
    clustered, _ = a_pass(database, MONDAY + DAY)
    assert (clustered.segments, clustered.refused) == (8, 5)
    reasons = {row["document_id"].partition(":")[0]: row["reason"] for row in refused_segments(database, 1)}
    assert reasons["nan"].startswith("invalid_vector")
    assert reasons["a-bad"] == "invalid_vector: the vector has 2 numbers; 16 are expected"
    assert reasons["no-user"].startswith("missing_field")
    assert reasons["nocolon"].startswith("invalid_session_id")
    assert reasons["broken"].startswith("broken_json")
    assert [task.occurrence_count for task in tasks(database, MONDAY + DAY)] == [3]


def test_a_closed_task_that_comes_back_is_regressed(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    (task,) = tasks(database, MONDAY + DAY)
    close_task(database, 1, task, by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("old", 0, start=MONDAY + timedelta(hours=1)), arrived=MONDAY + DAY)
    a_pass(database, MONDAY + DAY)
    assert [each.status for each in tasks(database, MONDAY + DAY)] == ["resolved"], "it happened before it was closed"
    write_segments(database, similar_segments("again", 0, start=MONDAY + 2 * DAY))
    _, updated = a_pass(database, MONDAY + 3 * DAY)
    assert updated.regressed == 1
    (task,) = tasks(database, MONDAY + 3 * DAY)
    assert task.status == "regressed"
    statuses = [row["status"] for row in task_history(database, 1, task) if row["status"]]
    assert statuses == ["new", "resolved", "regressed"]


def test_a_quiet_task_is_resolved_by_time_and_comes_back_as_regressed(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    month = MONDAY + 30 * DAY
    assert [task.status for task in tasks(database, month)] == ["resolved"], "as it is read, without any pass"
    write_segments(database, similar_segments("again", 0, start=month))
    a_pass(database, month + DAY)
    (task,) = tasks(database, month + DAY)
    statuses = [row["status"] for row in task_history(database, 1, task) if row["status"]]
    assert statuses == ["new", "resolved", "regressed"]


def test_an_ignored_task_collects_similar_segments_and_stays_ignored(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    (task,) = tasks(database, MONDAY + DAY)
    ignore_task(database, 1, task, by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("b", 0, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)
    assert [(each.status, each.occurrence_count) for each in tasks(database, MONDAY + 2 * DAY)] == [("ignored", 6)]


def test_a_merge_survives_later_passes_and_counts_users_once(database: Database) -> None:
    shared = [(segment("b9", "An error came", user="user-of-a0"), axis_vector(1))]
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 1) + shared)
    a_pass(database, MONDAY + DAY)
    first, second = sorted(tasks(database, MONDAY + DAY), key=lambda task: task.occurrence_count)
    merge_tasks(database, 1, first, [second], by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("c", 1, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)
    (task,) = tasks(database, MONDAY + 2 * DAY)
    assert (task.task_id, task.merged) == (first.task_id, (second.task_id,))
    assert (task.occurrence_count, task.user_count) == (10, 9)


def test_little_impact_founds_an_ignored_task_where_that_is_asked_for_and_surfaces_when_it_hurts(
    database: Database,
) -> None:
    write_segments(database, similar_segments("a", 0, text="Browses the shop"))
    a_pass(database, MONDAY + DAY, least_impact=0.1)
    assert [task.status for task in tasks(database, MONDAY + DAY)] == ["ignored"]
    write_segments(database, similar_segments("b", 0, start=MONDAY + DAY, text="The shop shows an error"))
    a_pass(database, MONDAY + 2 * DAY, least_impact=0.1)
    assert [task.status for task in tasks(database, MONDAY + 2 * DAY)] == ["new"]


def test_nothing_of_another_team_with_equal_ids_is_seen_by_any_statement(database: Database) -> None:
    def quiet(session: str, team_id: int) -> list[tuple[Segment, list[float]]]:
        return [(segment(session, "The button does nothing", team_id=team_id), axis_vector(7))]

    write_segments(database, [*similar_segments("a", 0, team_id=2), *quiet("first", 2)])
    write_segments(database, similar_segments("a", 0, team_id=2), model="other/model")
    write_segments(database, [(segment("bad", team_id=2), [1.0])])
    with ChatServer(always=Status(500)) as server:
        policy = RetryPolicy(attempts=1, deadline_s=1.0, attempt_timeout_s=0.5, first_delay_s=0.01)
        a_pass(database, MONDAY + DAY, team_id=2, chat=OpenAIChat("test-model", base_url=server.url, policy=policy))
    (other,) = tasks(database, MONDAY + DAY, team_id=2)
    assert other.label_error.startswith("undone")
    close_task(database, 2, other, by="anna", now=MONDAY + DAY)

    write_segments(database, [*similar_segments("a", 0), *quiet("second", 1)])
    with ChatServer() as server:
        clustered, updated = a_pass(database, MONDAY + DAY, chat=OpenAIChat("test-model", base_url=server.url))
        assert len(server.calls()) == 1
    assert (clustered.segments, clustered.refused, clustered.recalled, clustered.held) == (4, 0, 0, 1)
    assert (updated.batches, updated.created, updated.labelled, updated.regressed) == (1, 1, 1, 0)
    (own,) = tasks(database, MONDAY + DAY)
    assert (own.status, own.occurrence_count, own.label_error) == ("new", 3, "")
    assert [row["changed_by"] for row in task_history(database, 1, own)] == ["pipeline"] * 2
    assert task_history(database, 1, other) == []
    assert (refused_segments(database, 1), len(refused_segments(database, 2))) == ([], 1)
    assert (other_spaces(database, 1, MODEL), other_spaces(database, 2, MODEL)) == ({}, {"other/model": 3})
    assert segment_counts(database, 1) == {"processed": 4, "refused": 0, "in_tasks": 3}
    assert segment_counts(database, 2) == {"processed": 4, "refused": 1, "in_tasks": 3}
    assert a_pass(database, MONDAY + DAY, team_id=2)[1].labelled == 1
