"""`llma segments` and `llma tasks`: from a file to prioritised tasks, and what people decide about them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce

FIELDS = (
    "task_id",
    "title",
    "description",
    "status",
    "priority",
    "user_count",
    "occurrence_count",
    "mean_impact",
    "first_seen",
    "last_seen",
)
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
Asks = Callable[..., Answer]


def line(session: str, description: str, *, team_id: int = 1, user: str = "", **more: Any) -> str:
    record = {
        "team_id": team_id,
        "session_id": session,
        "start": YESTERDAY.isoformat(),
        "end": (YESTERDAY + timedelta(seconds=20)).isoformat(),
        "distinct_id": user or session,
        "description": description,
    }
    return json.dumps(record | more) + "\n"


COUPON = "The coupon code was refused at checkout with an error"
MAP = "The map of shops stayed blank after a timeout"


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    file = tmp_path / "segments.jsonl"
    file.write_text(
        "".join(line(f"c{n}", COUPON, user=f"u{n % 2}") for n in range(4))
        + "".join(line(f"m{n}", MAP) for n in range(3))
        + line("c0", COUPON, team_id=2)
        + line("bad:id", COUPON)
        + "no json\n"
    )
    return file


@pytest.fixture
def tasks(segments: Path, llma: Llma, llma_json: Asks, planted_once: PlantedOnce) -> list[dict[str, Any]]:
    """Two tasks of team 1, through Dagster."""

    def run(_: Database) -> list[dict[str, Any]]:
        assert llma("segments", "ingest", str(segments)).exit_code == 0
        answer = llma_json("segments", "run", "--team", "1")
        assert answer.code == 0, answer.document
        found: list[dict[str, Any]] = answer.document["tasks"]
        assert len(found) == 2
        return found

    return planted_once(run)


def listed(llma_json: Asks, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = llma_json("tasks", "list", "--team", "1", *options).document["tasks"]
    return found


def test_ingest_reports_what_was_stored_and_what_was_refused(segments: Path, llma_json: Asks) -> None:
    answer = llma_json("segments", "ingest", str(segments))
    (report,) = answer.document["files"]
    assert (answer.code, report["lines"], report["stored"], report["known"]) == (0, 10, 9, 0)
    assert report["reasons"] == {"broken_json": 1}
    assert len(Path(report["rejects_file"]).read_text().splitlines()) == 1
    assert report["teams"] == [{"team": 1, "stored": 8}, {"team": 2, "stored": 1}]
    (again,) = llma_json("segments", "ingest", str(segments)).document["files"]
    assert (again["stored"], again["known"]) == (0, 9)


def test_stdin_is_read_where_the_file_is_a_dash(llma: Llma) -> None:
    result = llma("segments", "ingest", "-", input=line("a", COUPON).encode())
    assert result.exit_code == 0
    assert "1 new segments" in result.stdout


def test_the_list_has_the_documented_fields_most_urgent_first(tasks: list[dict[str, Any]], llma_json: Asks) -> None:
    found = listed(llma_json)
    assert all(set(FIELDS) <= set(task) for task in found)
    assert [task["priority"] for task in found] == sorted((task["priority"] for task in found), reverse=True)
    counts = {task["occurrence_count"]: task["user_count"] for task in found}
    assert counts == {5: 3, 3: 3}
    assert {task["status"] for task in found} == {"new"}


@pytest.mark.slow
def test_a_second_pass_changes_nothing(tasks: list[dict[str, Any]], llma_json: Asks) -> None:
    again = llma_json("segments", "run", "--team", "1").document
    assert [task["task_id"] for task in again["tasks"]] == [task["task_id"] for task in tasks]
    assert again["segments"] == {"processed": 8, "refused": 0, "in_tasks": 8}


def test_a_task_is_shown_with_its_segments_and_history(
    tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks
) -> None:
    wanted = tasks[0]
    document = llma_json("tasks", "show", wanted["task_id"][:8], "--team", "1").document
    assert document["title"] == wanted["title"]
    assert len(document["segments"]) == wanted["occurrence_count"]
    assert sorted(row["change"] for row in document["history"]) == ["created", "labelled"]
    text = llma("tasks", "show", wanted["task_id"], "--team", "1").stdout
    assert wanted["title"] in text
    assert "created" in text


def test_closing_reopening_ignoring_and_renaming_hold_and_are_told(
    tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks
) -> None:
    task_id = tasks[0]["task_id"]
    for command, status, flags in (
        ("close", "resolved", ()),
        ("reopen", "ongoing", ()),
        ("ignore", "ignored", ("--all",)),
    ):
        result = llma("tasks", command, task_id[:8], "--team", "1", "--by", "anna", "--note", "because")
        assert result.exit_code == 0, result.output
        assert {task["task_id"]: task["status"] for task in listed(llma_json, *flags)}[task_id] == status
    assert task_id not in {task["task_id"] for task in listed(llma_json)}
    assert llma("tasks", "rename", task_id, "Coupons do not work", "--team", "1").exit_code == 0
    document = llma_json("tasks", "show", task_id, "--team", "1").document
    assert document["title"] == "Coupons do not work"
    said = [
        (row["change"], row["changed_by"], row["detail"]) for row in document["history"] if row["changed_by"] == "anna"
    ]
    assert said == [("closed", "anna", "because"), ("reopened", "anna", "because"), ("ignored", "anna", "because")]


@pytest.mark.slow
def test_open_leaves_out_what_is_resolved(tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks) -> None:
    llma("tasks", "close", tasks[0]["task_id"], "--team", "1")
    assert [task["task_id"] for task in listed(llma_json, "--open")] == [tasks[1]["task_id"]]
    assert [task["task_id"] for task in listed(llma_json, "--status", "resolved")] == [tasks[0]["task_id"]]
    assert len(listed(llma_json, "--limit", "1")) == 1


@pytest.mark.slow
def test_merged_tasks_are_one_until_they_are_unmerged(tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks) -> None:
    first, second = (task["task_id"] for task in tasks)
    assert llma("tasks", "merge", first, second, "--team", "1").exit_code == 0
    (whole,) = listed(llma_json)
    assert (whole["occurrence_count"], whole["merged"]) == (8, [second])
    assert llma("tasks", "unmerge", first, second, "--team", "1").exit_code == 0
    assert len(listed(llma_json)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tasks", "show", "ffff", "--team", "1"), "no task 'ffff'"),
        (("tasks", "close", "ffff", "--team", "2"), "no task 'ffff'"),
        (("tasks", "merge", "ffff", "eeee", "--team", "1"), "no task 'ffff'"),
        (("tasks", "list"), "--team"),
        (("tasks", "list", "--team", "1", "--open", "--all"), "cannot be used together"),
        (("segments", "ingest", "missing.jsonl"), "missing.jsonl"),
    ],
)
def test_wrong_use_is_said_and_ends_with_2(llma: Llma, arguments: tuple[str, ...], said: str) -> None:
    result = llma(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.slow
def test_a_task_cannot_be_reopened_while_it_is_open(tasks: list[dict[str, Any]], llma: Llma) -> None:
    result = llma("tasks", "reopen", tasks[0]["task_id"], "--team", "1")
    assert result.exit_code == 2
    assert "only a resolved or ignored one" in result.stderr


def test_a_team_without_tasks_is_told_how_to_get_some(llma: Llma, llma_json: Asks) -> None:
    assert "llma segments ingest" in llma("tasks", "list", "--team", "9").stderr
    assert llma_json("tasks", "list", "--team", "9").document == {"team": 9, "tasks": [], "hidden": 0}
    assert llma_json("segments", "refused", "--team", "9").document == {"team": 9, "refused": []}


def test_people_put_tasks_first_and_take_it_back(tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks) -> None:
    first, last = (each["task_id"] for each in tasks)
    done = llma_json("tasks", "prioritise", last[:8], "--to", "first", "--team", "1", "--by", "Ana").document
    assert (done["team"], done["action"], done["unchanged"]) == (1, "raise", [])
    assert [(each["task_id"], each["given_priority"]) for each in done["changed"]] == [(last, "high")]
    assert [each["task_id"] for each in listed(llma_json)] == [last, first]
    shown = llma_json("tasks", "show", last, "--team", "1").document
    assert (shown["history"][-1]["change"], shown["history"][-1]["changed_by"]) == ("prioritised", "Ana")
    assert "comes where its figures put it now" in llma("tasks", "take-back", last, "--team", "1").output
    assert [each["task_id"] for each in listed(llma_json)] == [first, last]
    assert llma("tasks", "prioritise", first, last, "--to", "last", "--team", "1").output.count("comes last now") == 2
    assert llma("tasks", "prioritise", first, "--to", "first", "--team", "2").exit_code == 2


def test_of_several_tasks_each_is_changed_by_itself(tasks: list[dict[str, Any]], llma: Llma, llma_json: Asks) -> None:
    first, last = (each["task_id"] for each in tasks)
    unknown = llma("tasks", "close", first, "ffffffff", "--team", "1")
    assert unknown.exit_code == 2
    assert {each["status"] for each in listed(llma_json)} == {"new"}, "nothing is changed where one is unknown"
    assert llma("tasks", "close", first, "--team", "1").exit_code == 0
    both = llma_json("tasks", "close", first, last, "--team", "1", "--note", "fixed")
    assert both.code == 2
    assert [each["task_id"] for each in both.document["changed"]] == [last]
    assert [(each["task_id"], each["reason"]) for each in both.document["unchanged"]] == [(first, "not_possible")]
    back = llma_json("tasks", "take-back", first, last, "--team", "1")
    assert (back.code, {each["status"] for each in back.document["changed"]}) == (0, {"new"})


def test_changes_of_one_task_are_documents_too(tasks: list[dict[str, Any]], llma_json: Asks) -> None:
    first, last = (each["task_id"] for each in tasks)
    named = llma_json("tasks", "rename", first, "Coupons", "--team", "1").document
    assert (named["title"], named["segments"]) == ("Coupons", [])
    whole = llma_json("tasks", "merge", first, last, "--team", "1").document
    assert (whole["task_id"], whole["merged"]) == (first, [last])
    freed = llma_json("tasks", "unmerge", first, last, "--team", "1").document
    assert freed["task_id"] == last
