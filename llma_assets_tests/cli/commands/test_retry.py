"""`llma retry`: dead letters as a person sees and requeues them."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from llma_assets.clickhouse import Database
from llma_assets.summaries.dead_letters import MAX_FAILURES, dead_letters
from llma_assets.team_day import TeamDay
from llma_assets.testing import REFUSAL, ChatServer, day_of_traces, numbered_texts, write_events, write_texts
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.pipeline.runs import Pipeline
from llma_assets_tests.pipeline.test_faults import ServedChat
from llma_assets_tests.summaries.test_dead_letters import fail_so_often

DAY = date(2026, 11, 7)


def kill_one(database: Database, team_id: int = 1, day: date = DAY) -> None:
    """Make `item-1` of a team's day a dead letter."""
    write_texts(database, TeamDay(team_id, day), numbered_texts(3))
    fail_so_often(database, MAX_FAILURES, TeamDay(team_id, day))


def test_the_list_shows_each_with_its_reason_and_changes_nothing(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    planted_once(kill_one)
    for _ in range(2):
        answer = llma_json("retry", "--team", "1", "--list")
        (letter,) = answer.document["dead_letters"]
        assert datetime.fromisoformat(letter.pop("last_failed_at")).tzinfo == UTC
        assert letter == {
            "date": "2026-11-07",
            "theme": "traces",
            "item": "item-1",
            "reason": "refusal: the model refused to answer",
            "failures": MAX_FAILURES,
        }
        assert (answer.document["action"], answer.code) == ("listed", 0)


def test_a_dry_run_changes_nothing(database: Database, llma: Llma, planted_once: PlantedOnce) -> None:
    planted_once(kill_one)
    shown = llma("retry", "--team", "1", "--dry-run")
    assert "would be requeued" in shown.stderr
    assert len(dead_letters(database, 1)) == 1


def test_what_is_brought_back_is_said_with_the_command_that_tries_it(
    database: Database, llma: Llma, planted_once: PlantedOnce
) -> None:
    planted_once(kill_one)
    kill_one(database, day=date(2026, 11, 8))
    shown = llma("retry", "--team", "1")
    assert shown.exit_code == 0
    assert shown.stderr.splitlines() == [
        "2 items requeued. The next run of their day tries them again:",
        "  llma run --team 1 --date 2026-11-07",
        "  llma run --team 1 --date 2026-11-08",
    ]
    assert dead_letters(database, 1) == []
    assert "No dead letters" in llma("retry", "--team", "1").stderr


def test_only_what_was_named_is_brought_back(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    planted_once(kill_one)
    kill_one(database, day=date(2026, 11, 8))
    kill_one(database, team_id=2)
    answer = llma_json("retry", "--team", "1", "--date", "2026-11-08", "--theme", "traces", "--item", "item-1")
    assert [letter["date"] for letter in answer.document["dead_letters"]] == ["2026-11-08"]
    assert [letter.day for letter in dead_letters(database, 1)] == [DAY]
    assert len(dead_letters(database, 2)) == 1


def test_an_item_that_is_no_dead_letter_is_named(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    planted_once(kill_one)
    answer = llma_json("retry", "--team", "1", "--item", "item-2", "--item", "item-1")
    assert (answer.document["unknown_items"], answer.code) == (["item-2"], 1)
    assert [letter["item"] for letter in answer.document["dead_letters"]] == ["item-1"]


def test_a_team_without_any_is_told_so(llma_json: Callable[..., Answer]) -> None:
    answer = llma_json("retry", "--team", "7")
    assert (answer.document["dead_letters"], answer.code) == ([], 0)


def test_run_and_dry_run_contradict_each_other(llma: Llma) -> None:
    assert llma("retry", "--team", "1", "--run", "--dry-run").exit_code == 2


@pytest.mark.slow
def test_run_tries_them_at_once_in_the_dagster_instance(
    database: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(database, day_of_traces(1, DAY, 2))
    with ChatServer(judge=lambda request: REFUSAL if "(case 1)" in str(request.body) else None) as server:
        for _ in range(MAX_FAILURES):
            Pipeline(database, chat=ServedChat(url=server.url)).texts(
                1, DAY, DAY, stages=("trace_texts", "trace_summaries")
            )
    assert [letter.theme_id for letter in dead_letters(database, 1)] == ["generations", "traces"]
    monkeypatch.setenv("LLMA_CHAT_MODEL", "test-model")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "offline")
    with ChatServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        answer = llma_json("retry", "--team", "1", "--run")
        assert len(server.calls()) == 2
    assert [(row["date"], row["error"]) for row in answer.document["runs"]] == [("2026-11-07", "")]
    left = "SELECT count() FROM trace_summaries FINAL WHERE team_id = 1 AND status != 'generated'"
    assert database.value(left) == 0
