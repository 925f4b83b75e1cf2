"""Items that fail run after run: when they are no longer tried, and how they come back."""

import signal
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import usage_totals
from llma_assets.models import OpenAIChat, RetryPolicy
from llma_assets.settings import Settings
from llma_assets.summaries.dead_letters import MAX_FAILURES, dead_letters, requeue
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import (
    REFUSAL,
    ChatServer,
    Content,
    Fault,
    Hang,
    RateLimited,
    Request,
    Reset,
    Status,
    numbered_texts,
    write_texts,
)
from llma_assets.themes import BUILT_IN
from llma_assets_tests import copies
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
TRACES = next(theme for theme in BUILT_IN if theme.level == "trace")
POLICY = RetryPolicy(attempts=2, deadline_s=30.0, first_delay_s=0.01, longest_delay_s=0.01, cool_down_s=0.05)
IMPATIENT = replace(POLICY, deadline_s=1.0, attempt_timeout_s=0.2)


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def run(
    database: Database, server: ChatServer, run_id: str, team_day: TeamDay = TEAM, policy: RetryPolicy = POLICY
) -> "Counter[str]":
    """One run of the traces theme."""
    chat = OpenAIChat("test-model", base_url=server.url, policy=policy)
    return store_theme(database, team_day, TRACES, chat, limits=RunLimits(run_id), progress=unseen)


def cursed(fault: Fault, word: str = "number 1 ") -> ChatServer:
    """A server that fails the prompts that hold a word."""
    return ChatServer(judge=lambda request: fault if word in request.prompt else None)


def fail_so_often(database: Database, runs: int, team_day: TeamDay = TEAM) -> None:
    with cursed(REFUSAL) as server:
        for n in range(runs):
            run(database, server, f"run-{n}", team_day)


def a_dead_letter(database: Database) -> None:
    """One of three items failed in as many runs as are tried."""
    write_texts(database, TEAM, numbered_texts(3))
    fail_so_often(database, MAX_FAILURES)


def test_an_item_that_failed_in_three_runs_is_asked_about_no_more(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with cursed(REFUSAL) as server:
        for n in range(MAX_FAILURES):
            assert run(database, server, f"run-{n}")["failed"] == 1
        asked = len(server.calls())
        # Where all that is left to ask about fails, a sample shows that the model answers.
        assert asked == 2 + MAX_FAILURES + (MAX_FAILURES - 1)
        counts = run(database, server, "run-after")
        assert len(server.calls()) == asked
    assert (counts["dead_letters"], counts["failed"], counts["undone"], counts["stored"]) == (1, 0, 0, 2)


def test_a_dead_letter_tells_what_failed_why_how_often_and_when(database: Database) -> None:
    a_dead_letter(database)
    (letter,) = dead_letters(database, 1)
    assert (letter.team_id, letter.day, letter.theme_id, letter.item_id) == (1, DAY, TRACES.theme_id, "item-1")
    assert (letter.reason, letter.failures) == ("refusal: the model refused to answer", MAX_FAILURES)
    assert datetime.now(UTC) - letter.last_failed_at < timedelta(minutes=5)


def test_a_run_that_is_delivered_again_counts_once(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with cursed(REFUSAL) as server:
        for _ in range(5):
            run(database, server, "the-same-run")
    assert dead_letters(database, 1) == []


def test_an_item_that_was_brought_back_begins_at_zero(database: Database, planted_once: PlantedOnce) -> None:
    planted_once(a_dead_letter)
    requeue(database, dead_letters(database, 1))
    assert dead_letters(database, 1) == []
    with cursed(REFUSAL) as server:
        assert run(database, server, "first-after")["failed"] == 1
    assert dead_letters(database, 1) == []
    with ChatServer() as server:
        assert run(database, server, "second-after")["stored"] == 3


def test_bringing_back_twice_is_as_once(database: Database, planted_once: PlantedOnce) -> None:
    planted_once(a_dead_letter)
    letters = dead_letters(database, 1)
    requeue(database, letters)
    requeue(database, letters)
    rows = database.rows("SELECT item_id, retried FROM summary_failures FINAL WHERE team_id = 1")
    assert rows == [{"item_id": "item-1", "retried": True}] * MAX_FAILURES


def test_a_new_text_begins_at_zero(database: Database, planted_once: PlantedOnce) -> None:
    planted_once(a_dead_letter)
    write_texts(database, TEAM, {"item-1": "L1: another question number 1 of the same trace"})
    with cursed(REFUSAL) as server:
        assert run(database, server, "after")["failed"] == 1
    assert dead_letters(database, 1) == []


def test_an_item_that_got_its_summary_after_all_is_no_dead_letter(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    fail_so_often(database, MAX_FAILURES - 1)
    with ChatServer() as server:
        run(database, server, "good")
    assert dead_letters(database, 1) == []


def test_another_teams_item_of_the_same_id_is_not_concerned(database: Database) -> None:
    other = TeamDay(2, DAY)
    for team_day in (TEAM, other):
        write_texts(database, team_day, numbered_texts(3))
    fail_so_often(database, MAX_FAILURES)
    fail_so_often(database, MAX_FAILURES - 1, other)
    assert dead_letters(database, 2) == []
    fail_so_often(database, MAX_FAILURES, other)
    requeue(database, dead_letters(database, 2))
    assert [letter.team_id for letter in dead_letters(database, 1)] == [1]
    with cursed(REFUSAL) as server:
        assert run(database, server, "next")["dead_letters"] == 1


def test_dead_letters_can_be_narrowed_to_a_day_a_theme_and_items(database: Database, planted_once: PlantedOnce) -> None:
    planted_once(a_dead_letter)
    assert len(dead_letters(database, 1, day=DAY, theme_id=TRACES.theme_id, item_ids=["item-1"])) == 1
    assert dead_letters(database, 1, day=DAY + timedelta(days=1)) == []
    assert dead_letters(database, 1, theme_id="another") == []
    assert dead_letters(database, 1, item_ids=["item-2"]) == []


@pytest.mark.parametrize("fault", [Status(503), Reset(), Hang(), RateLimited("60")], ids=repr)
def test_a_server_that_is_away_is_no_fault_of_the_items(database: Database, fault: Fault) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer(always=fault) as server:
        for n in range(MAX_FAILURES):
            counts = run(database, server, f"run-{n}", policy=IMPATIENT if fault == Hang() else POLICY)
            assert (counts["undone"], counts["failed"]) == (3, 0)
    with ChatServer() as server:
        assert run(database, server, "next")["stored"] == 3


def test_a_prompt_that_breaks_the_server_alone_is_found_out(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with cursed(Status(500)) as server:
        for n in range(MAX_FAILURES):
            assert run(database, server, f"run-{n}")["failed"] == 1
    (letter,) = dead_letters(database, 1)
    assert letter.reason.startswith("server_error")


def test_a_brief_answer_to_a_brief_question_is_enough_to_blame_the_item(database: Database) -> None:
    write_texts(database, TEAM, {"item-1": numbered_texts(2)["item-1"]})
    with cursed(Status(500)) as server:
        assert run(database, server, "run")["failed"] == 1
        # The prompt, the question, both once more, and the sample.
        assert len(server.calls()) == 2 * (POLICY.attempts + 1) + 1

    def judge(request: Request) -> Fault:
        if "ready" in request.prompt:
            return Content("no json")
        return Status(500) if "number 1 " in request.prompt else None

    with ChatServer(judge=judge) as server:
        assert run(database, server, "another run")["failed"] == 1


def test_why_items_were_deferred_is_kept_until_they_are_done(database: Database) -> None:
    from llma_assets.ledger import list_skips

    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer(always=RateLimited("60")) as server:
        run(database, server, "run")
    (skip,) = list_skips(database, day=DAY, team_id=1)
    assert (skip.stage, skip.theme_id, skip.reason) == ("trace_summaries", TRACES.theme_id, "rate_limited")
    assert skip.detail == "3 of 3 items deferred; the next run takes them up"
    with ChatServer() as server:
        run(database, server, "next")
    assert list_skips(database, day=DAY, team_id=1) == []


def test_what_was_not_begun_at_the_deadline_is_deferred(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(6))
    began: list[str] = []

    def two_have_begun() -> bool:
        began.append("")
        return len(began) > 2

    with ChatServer() as server:
        chat = OpenAIChat("test-model", base_url=server.url, policy=POLICY)
        limits = RunLimits("run", 1, two_have_begun)
        counts = store_theme(database, TEAM, TRACES, chat, limits=limits, progress=unseen)
        assert (counts["generated"], counts["undone"], counts["failed"]) == (2, 4, 0)
        assert run(database, server, "next")["stored"] == 6
        assert len(server.calls()) == 6


KILLED_AT = """
import os, signal, sys
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer
from llma_assets_tests.summaries.test_dead_letters import run

insert = Database.insert_rows

def insert_or_die(self, table, rows):
    if table == sys.argv[1] and rows:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows)

class Server:
    url = sys.argv[2]

Database.insert_rows = insert_or_die
run(connect(Settings.from_env()), Server, "killed")
"""


@pytest.mark.parametrize("table", ["trace_summaries", "summary_failures"])
def test_a_run_that_is_killed_while_it_stores_is_finished_by_the_next(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    write_texts(database, TEAM, numbered_texts(4))
    with cursed(REFUSAL) as server:
        killed = copies.run(KILLED_AT, table, server.url)
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        asked = len(server.calls())
        # What was paid for is written down, whatever became of it.
        assert 1 <= usage_totals(database, TEAM, stage="trace_summaries").calls <= asked <= 4
        left = 4 - database.value("SELECT count() FROM trace_summaries FINAL WHERE status = 'generated'")
        counts = run(database, server, "next")
        assert (counts["stored"], counts["failed"]) == (3, 1)
        # Where nothing else is left to ask, a sample tells that the item is to blame.
        assert len(server.calls()) - asked in (left, left + 1)
    with ChatServer() as server:
        assert run(database, server, "last")["stored"] == 4
        assert run(database, server, "once more")["stored"] == 4
        assert len(server.calls()) == 1
