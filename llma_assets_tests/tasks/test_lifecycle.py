"""What becomes of tasks over time, and what people decide about them: every change is a row, and holds later."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.tasks import (
    EditError,
    Task,
    UnknownTaskError,
    close_task,
    find_task,
    ignore_task,
    merge_tasks,
    rename_task,
    reopen_task,
    task_history,
    task_segments,
    unmerge_task,
)
from llma_assets.tasks.history import lifecycles
from llma_assets.testing import axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets_tests.tasks.passing import DAY, a_pass, tasks


def only(database: Database, now: datetime) -> Task:
    (task,) = tasks(database, now)
    return task


def told(database: Database, task: Task) -> list[tuple[str, str]]:
    return [(row["change"], row["status"]) for row in task_history(database, 1, task)]


def test_a_task_goes_from_new_to_ongoing_to_resolved_to_regressed_and_each_step_is_a_row(database: Database) -> None:
    for day in (0, 1, 30):
        write_segments(database, similar_segments(f"d{day}x", 0, start=MONDAY + day * DAY))
        a_pass(database, MONDAY + (day + 1) * DAY)
    task = only(database, MONDAY + 31 * DAY)
    assert task.status == "regressed"
    assert [each for each in told(database, task) if each[0] not in ("grown", "labelled")] == [
        ("created", "new"),
        ("continued", "ongoing"),
        ("resolved", "resolved"),
        ("regressed", "regressed"),
    ]


def test_time_resolves_a_task_once_as_of_when_it_fell_quiet(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    for late in (20, 25):
        a_pass(database, MONDAY + late * DAY)
    rows = [row for row in task_history(database, 1, only(database, MONDAY + 25 * DAY)) if row["status"] == "resolved"]
    assert [row["changed_at"] for row in rows] == [MONDAY + timedelta(days=14, seconds=10)]


def test_what_arrives_long_after_it_happened_is_open_for_the_quiet_time_from_then_on(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 0, team_id=2))
    _, updated = a_pass(database, MONDAY + 60 * DAY)
    assert (updated.created, updated.resolved) == (1, 0)
    assert [only(database, MONDAY + day * DAY).status for day in (60, 73, 75)] == ["new", "new", "resolved"]
    assert a_pass(database, MONDAY + 75 * DAY)[1].resolved == 1
    resolved = [row for row in task_history(database, 1, only(database, MONDAY + 75 * DAY)) if row["status"]][-1]
    assert (resolved["change"], resolved["changed_at"]) == ("resolved", MONDAY + 74 * DAY)
    assert tasks(database, MONDAY + 75 * DAY, 2) == []


def test_old_segments_are_resolved_at_once_where_the_team_wants_it(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    _, updated = a_pass(database, MONDAY + 60 * DAY, resolve_old=True)
    assert (updated.created, updated.resolved) == (1, 1)
    assert only(database, MONDAY + 60 * DAY).status == "resolved"


def test_an_old_task_that_is_met_again_is_no_regression(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + 60 * DAY)
    write_segments(database, similar_segments("b", 0, start=MONDAY + 60 * DAY))
    a_pass(database, MONDAY + 61 * DAY)
    assert only(database, MONDAY + 61 * DAY).status == "ongoing"


def test_what_recurs_without_any_problem_is_kept_out_of_sight_until_it_hurts(database: Database) -> None:
    write_segments(database, similar_segments("a", 0, text="The user opens the cart without any problem"))
    write_segments(database, similar_segments("b", 0, text="The user opens the cart without any problem", team_id=2))
    a_pass(database, MONDAY + DAY)
    assert only(database, MONDAY + DAY).status == "ignored"
    write_segments(
        database, similar_segments("c", 0, text="The user opens the cart and it is empty", start=MONDAY + DAY)
    )
    a_pass(database, MONDAY + 2 * DAY)
    assert only(database, MONDAY + 2 * DAY).status == "new"
    assert ("surfaced", "new") in told(database, only(database, MONDAY + 2 * DAY))
    a_pass(database, MONDAY + DAY, team_id=2, least_trouble=0.0)
    assert [task.status for task in tasks(database, MONDAY + DAY, 2)] == ["new"]


def test_segments_without_any_problem_that_are_alone_become_no_task(database: Database) -> None:
    texts = (
        "User browses the catalogue and adds a product to the cart without any problem.",
        "User opens the invoice page; no error is shown and the download starts at once.",
        "User changes the language, nothing fails, and continues.",
    )
    write_segments(database, [(segment(f"org:n{n}", text), axis_vector(n)) for n, text in enumerate(texts)])
    write_segments(database, [(segment("org:s", "User pays and an error toast appears."), axis_vector(7))])
    clustered, _ = a_pass(database, MONDAY + DAY)
    assert (clustered.held, clustered.singles) == (3, 1)
    assert [task.title for task in tasks(database, MONDAY + DAY)] == ["User pays and an error toast appears"]


def test_a_task_that_a_person_takes_up_again_stays_open_for_the_quiet_time(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    reopen_task(database, 1, only(database, MONDAY + 20 * DAY), by="anna", now=MONDAY + 20 * DAY)
    a_pass(database, MONDAY + 30 * DAY)
    assert only(database, MONDAY + 30 * DAY).status == "ongoing"
    assert only(database, MONDAY + 40 * DAY).status == "resolved"


def test_a_closed_task_stays_closed_over_later_passes(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 1))
    a_pass(database, MONDAY + DAY)
    first, second = tasks(database, MONDAY + DAY)
    close_task(database, 1, first, by="anna", now=MONDAY + DAY, note="fixed in  4.2\n")
    write_segments(database, similar_segments("c", 5, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)
    states = {task.task_id: task.status for task in tasks(database, MONDAY + 2 * DAY)}
    assert (states[first.task_id], states[second.task_id]) == ("resolved", "new")
    closed = task_history(database, 1, first)[-1]
    assert (closed["change"], closed["changed_by"], closed["detail"]) == ("closed", "anna", "fixed in 4.2")


def test_edits_that_make_no_sense_are_refused(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    task = only(database, MONDAY + DAY)
    with pytest.raises(EditError, match="only a resolved or ignored one can be reopened"):
        reopen_task(database, 1, task, by="anna", now=MONDAY)
    with pytest.raises(EditError, match="into itself"):
        merge_tasks(database, 1, task, [task], by="anna", now=MONDAY)
    with pytest.raises(EditError, match="at least one"):
        merge_tasks(database, 1, task, [], by="anna", now=MONDAY)
    with pytest.raises(EditError, match="at most 200"):
        rename_task(database, 1, task, "x" * 201, by="anna", now=MONDAY)
    ignore_task(database, 1, task, by="anna", now=MONDAY + DAY)
    with pytest.raises(EditError, match="is ignored already"):
        ignore_task(database, 1, only(database, MONDAY + DAY), by="anna", now=MONDAY + DAY)


def test_a_persons_title_outlives_labels_and_can_be_given_back(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    task = only(database, MONDAY + DAY)
    rename_task(database, 1, task, " Saving  breaks ", by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("b", 0, count=6, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)
    assert only(database, MONDAY + 2 * DAY).title == "Saving breaks"
    rename_task(database, 1, task, "", by="anna", now=MONDAY + 2 * DAY)
    assert only(database, MONDAY + 2 * DAY).title == task.title


def test_a_merge_can_be_undone_and_a_chain_of_merges_ends_at_its_last(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 3) + similar_segments("c", 6))
    a_pass(database, MONDAY + DAY)
    first, second, third = tasks(database, MONDAY + DAY)
    merge_tasks(database, 1, second, [third], by="anna", now=MONDAY + DAY)
    merge_tasks(
        database, 1, first, [find_task(tasks(database, MONDAY + DAY), second.task_id)], by="b", now=MONDAY + DAY
    )
    whole = only(database, MONDAY + DAY)
    assert (whole.task_id, whole.occurrence_count, len(whole.merged)) == (first.task_id, 9, 2)
    assert find_task([whole], third.task_id) == whole
    assert len(task_segments(database, 1, whole)) == 9
    assert unmerge_task(database, 1, whole, second.task_id[:8], by="anna", now=MONDAY + 2 * DAY) == second.task_id
    counts = {task.task_id: task.occurrence_count for task in tasks(database, MONDAY + 2 * DAY)}
    assert counts == {first.task_id: 3, second.task_id: 6}
    with pytest.raises(UnknownTaskError, match="no parts"):
        unmerge_task(database, 1, first, "ffffffff-none", by="anna", now=MONDAY)


def test_a_part_keeps_its_whole_awake(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 3))
    a_pass(database, MONDAY + DAY)
    first, second = tasks(database, MONDAY + DAY)
    merge_tasks(database, 1, first, [second], by="anna", now=MONDAY + DAY)
    where = 0 if task_segments(database, 1, second)[0]["session_id"].startswith("a") else 3
    for day in (10, 20):
        write_segments(database, similar_segments(f"d{day}x", where, start=MONDAY + day * DAY))
        _, updated = a_pass(database, MONDAY + (day + 1) * DAY)
        assert (updated.created, updated.resolved) == (0, 0)
    assert only(database, MONDAY + 21 * DAY).status == "ongoing"


def grow_together(database: Database) -> None:
    """Two tasks that are apart at first, and then move towards each other."""
    write_segments(database, similar_segments("a", 0, count=4) + similar_segments("b", 0, count=3, shift=1.2))
    a_pass(database, MONDAY + DAY)
    assert len(tasks(database, MONDAY + DAY)) == 2
    write_segments(database, similar_segments("c", 0, count=6, shift=0.62, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)


def test_tasks_that_grow_towards_each_other_become_one_with_a_row_that_says_so(database: Database) -> None:
    grow_together(database)
    task = only(database, MONDAY + 2 * DAY)
    assert (task.occurrence_count, len(task.merged)) == (13, 1)
    (row,) = [row for row in task_history(database, 1, task) if row["change"] == "merged"]
    assert (row["target"], row["changed_by"]) == (task.task_id, "pipeline")


def test_what_a_person_took_apart_stays_apart(database: Database) -> None:
    grow_together(database)
    task = only(database, MONDAY + 2 * DAY)
    unmerge_task(database, 1, task, task.merged[0], by="anna", now=MONDAY + 2 * DAY)
    write_segments(database, similar_segments("e", 0, count=6, shift=0.6, start=MONDAY + 2 * DAY))
    a_pass(database, MONDAY + 3 * DAY)
    assert len(tasks(database, MONDAY + 3 * DAY)) == 2


def test_tasks_whose_state_people_decided_are_not_joined(database: Database) -> None:
    write_segments(database, similar_segments("a", 0, count=4) + similar_segments("b", 0, count=3, shift=1.2))
    a_pass(database, MONDAY + DAY)
    ignored = tasks(database, MONDAY + DAY)[1]
    ignore_task(database, 1, ignored, by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("c", 0, count=6, shift=0.62, start=MONDAY + DAY))
    a_pass(database, MONDAY + 2 * DAY)
    assert len(tasks(database, MONDAY + 2 * DAY)) == 2


def test_priority_is_as_of_when_the_list_is_read(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + DAY)
    now, later = only(database, MONDAY + DAY), only(database, MONDAY + 8 * DAY)
    assert later.priority < now.priority
    assert (later.task_id, later.occurrence_count) == (now.task_id, now.occurrence_count)


def test_an_id_may_be_cut_as_long_as_it_names_one_task(database: Database) -> None:
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 3))
    a_pass(database, MONDAY + DAY)
    found = tasks(database, MONDAY + DAY)
    assert find_task(found, found[0].task_id[:12].upper()) == found[0]
    for wrong in ("", "zz", "  "):
        with pytest.raises(UnknownTaskError):
            find_task(found, wrong)


def change(name: str, at: int, **more: Any) -> dict[str, Any]:
    return {
        "task_id": "t",
        "change": name,
        "status": "",
        "detail": "",
        "target": "",
        "changed_by": "anna",
        "changed_at": MONDAY + at * DAY,
        **more,
    }


def test_a_ring_of_merges_ends() -> None:
    lives = lifecycles([change("merged", 0, target="u"), change("merged", 1, task_id="u", target="t")])
    assert {lives["t"].merged_into, lives["u"].merged_into} == {"u", "t"}
