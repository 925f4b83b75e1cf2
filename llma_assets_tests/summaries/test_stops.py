"""What was answered is stored whatever stops a run: the second run asks only for the rest. And one item that breaks the
code that works on it costs itself alone.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.models import ModelConfigurationError, OpenAIChat, RetryPolicy
from llma_assets.settings import Settings
from llma_assets.summaries.batches import Via
from llma_assets.summaries.dead_letters import dead_letters
from llma_assets.summaries.result_writer import LONGEST_WAIT_S
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import BatchServer, ChatServer, Fault, Request, Status, numbered_texts, write_texts
from llma_assets.themes import TRACES
from llma_assets_tests import copies
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
TEAM, OTHER = TeamDay(1, DAY), TeamDay(2, DAY)
ITEMS = 40
POLICY = RetryPolicy(attempts=2, deadline_s=30.0, first_delay_s=0.01, longest_delay_s=0.01, cool_down_s=0.05)
STORED = "SELECT count() FROM trace_summaries FINAL WHERE team_id = 1 AND status = 'generated'"


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def run(
    database: Database, server: ChatServer, *, progress: Callable[[int, int], None] = unseen, run_id: str = "run"
) -> "Counter[str]":
    chat = OpenAIChat("test-model", base_url=server.url, policy=POLICY)
    return store_theme(database, TEAM, TRACES, chat, limits=RunLimits(run_id), progress=progress)


def asked_once(servers: Sequence[ChatServer]) -> bool:
    """Whether no question that was answered was asked again."""
    seen = Counter(request.prompt for server in servers for request in server.calls())
    return max(seen.values()) == 1


def texts_of_two_teams(database: Database) -> None:
    """Texts of a team's day, and of another's with the same ids."""
    write_texts(database, TEAM, numbered_texts(ITEMS))
    write_texts(database, OTHER, numbered_texts(ITEMS))


@pytest.fixture
def stored(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(texts_of_two_teams)
    return database


class After:
    """A fault for every request after the first few."""

    def __init__(self, good: int, fault: Fault) -> None:
        self._left, self._fault = good, fault
        self._lock = threading.Lock()

    def __call__(self, _: Request) -> Fault:
        with self._lock:
            self._left -= 1
            return self._fault if self._left < 0 else None


@pytest.mark.parametrize(
    "refusal",
    [Status(401), Status(402), Status(403), Status(429, "no money", code="insufficient_quota"), Status(404)],
    ids=lambda refusal: str(refusal.status),
)
def test_what_was_answered_before_a_key_or_an_account_is_refused_is_not_asked_again(
    stored: Database, refusal: Status
) -> None:
    with ChatServer(judge=After(23, refusal)) as first, pytest.raises(ModelConfigurationError):
        run(stored, first)
    assert stored.value(STORED) == 23
    with ChatServer() as second:
        assert run(stored, second)["stored"] == ITEMS
    assert len(second.calls()) == ITEMS - 23
    assert stored.value("SELECT count() FROM trace_summaries WHERE team_id = 2") == 0


def test_what_was_answered_before_an_interrupt_is_not_asked_again(stored: Database) -> None:
    """Also the answers of calls that are under way then."""

    def interrupted(done: int, total: int) -> None:
        if done >= 12:
            raise KeyboardInterrupt

    with ChatServer(latency_s=0.02) as first, pytest.raises(KeyboardInterrupt):
        run(stored, first, progress=interrupted)
    asked = len(first.calls())
    assert 12 <= asked < ITEMS
    assert stored.value(STORED) == asked
    with ChatServer() as second:
        assert run(stored, second)["stored"] == ITEMS
    assert asked_once([first, second])


def test_what_was_answered_before_the_time_was_up_is_not_asked_again(stored: Database) -> None:
    left = iter(range(9))
    limits = RunLimits("run", time_is_up=lambda: next(left, None) is None)
    with ChatServer() as first:
        chat = OpenAIChat("test-model", base_url=first.url, policy=POLICY)
        counts = store_theme(stored, TEAM, TRACES, chat, limits=limits, progress=unseen)
    assert (counts["generated"], stored.value(STORED)) == (9, 9)
    with ChatServer() as second:
        assert run(stored, second)["stored"] == ITEMS
    assert asked_once([first, second])


@pytest.mark.parametrize("table", ["trace_summaries", "summary_failures", "model_usage"])
def test_what_was_answered_before_the_database_failed_is_not_asked_again(
    stored: Database, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    insert, failed = Database.insert_rows, []

    def insert_or_fail_once(self: Database, name: str, rows: Sequence[Any]) -> None:
        if name == table and not failed:
            failed.append(name)
            raise DatabaseError("the disk is full for a moment")
        insert(self, name, rows)

    monkeypatch.setattr(Database, "insert_rows", insert_or_fail_once)
    with ChatServer(latency_s=0.02) as first:
        try:
            run(stored, first)
        except DatabaseError:
            assert stored.value(STORED) == len(first.calls())
        assert failed
    with ChatServer() as second:
        assert run(stored, second)["stored"] == ITEMS
    assert asked_once([first, second])


STOPPED = """
import signal, sys
from llma_assets.clickhouse import connect
from llma_assets.settings import Settings
from llma_assets_tests.summaries.test_stops import TEAM, unseen
from llma_assets.models import OpenAIChat
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.themes import TRACES
from dagster._utils.interrupts import capture_interrupts, raise_interrupts_as
from dagster._core.errors import DagsterExecutionInterruptedError

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
database = connect(Settings.from_env())
chat = OpenAIChat("test-model", base_url=sys.argv[1])
with capture_interrupts(), raise_interrupts_as(DagsterExecutionInterruptedError):
    store_theme(database, TEAM, TRACES, chat, limits=RunLimits("stopped"), progress=unseen)
"""
"""A stage as Dagster runs it: SIGTERM and SIGINT become its own exception."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "most_lost"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, 10)], ids=str
)
def test_a_run_that_is_told_to_stop_keeps_its_answers_and_one_that_is_killed_loses_a_handful(
    settings: Settings, database: Database, number: signal.Signals, most_lost: int
) -> None:
    # An answer takes longer than it may wait to be stored: no more are lost than twice the calls under way.
    items = 60
    write_texts(database, TEAM, numbered_texts(items))
    enough = threading.Event()
    seen: list[str] = []

    def judge(request: Request) -> None:
        seen.append("")
        if len(seen) == 23:
            enough.set()

    environment = {**os.environ, "CLICKHOUSE_URL": str(settings.clickhouse_url)}
    with ChatServer(judge=judge, latency_s=LONGEST_WAIT_S + 0.05) as first:
        program = copies.Program(STOPPED, first.url, environment=environment)
        assert enough.wait(60)
        program.send_signal(number)
        program.wait()
    with ChatServer() as second:
        assert run(database, second)["stored"] == items
    asked = Counter(request.prompt for server in (first, second) for request in server.calls())
    assert sum(times - 1 for times in asked.values()) <= most_lost
    assert len(first.calls()) < items


def test_what_a_batch_brought_is_stored_before_a_call_finds_the_key_refused(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(12))
    refused: list[str] = []

    def judge(request: Request) -> Fault:
        return Status(401) if refused and "messages" in (request.body or {}) else None

    def go(server: BatchServer, via: Via) -> "Counter[str]":
        chat = OpenAIChat("gpt-4.1-nano", base_url=server.url, policy=POLICY)
        return store_theme(database, TEAM, TRACES, chat, limits=RunLimits("run", via=via), progress=unseen)

    with BatchServer(judge=judge) as server:
        assert go(server, "batch")["waiting"] == 11
        write_texts(database, TEAM, {"late": "L1: one that came later"})
        refused.append("")
        with pytest.raises(ModelConfigurationError):
            go(server, "calls")
        assert database.value(STORED) == 12
        refused.clear()
        assert go(server, "calls")["stored"] == 13
    answered = "SELECT uniqExact(call_id) FROM model_usage FINAL WHERE team_id = 1 AND error = ''"
    assert database.value(answered) == 13  # what was read twice counts once


def test_an_item_that_breaks_the_code_costs_itself_alone_and_is_named(stored: Database) -> None:
    """More digits than Python reads as a number, where a line number stands."""
    write_texts(stored, TEAM, {"item-3": f"L{'9' * 5_000}: a line of its own making"})
    with ChatServer() as server:
        counts = run(stored, server)
    assert (counts["generated"], counts["failed"], counts["undone"]) == (ITEMS - 1, 1, 0)
    (row,) = stored.rows("SELECT item_id, error FROM trace_summaries FINAL WHERE status = 'failed'")
    assert row["item_id"] == "item-3"
    assert row["error"].startswith("broken: ValueError in of (summaries/line_refs.py:")
    assert dead_letters(stored, 1) == []  # not before it has broken three runs


def test_an_answer_that_breaks_the_code_costs_its_item_alone(stored: Database) -> None:
    """Half a surrogate pair, which no UTF-8 can hold, in an answer that is JSON."""

    def answer(request: Request) -> str:
        title = r"\ud83d plane" if "number 7 " in request.prompt else "A plane"
        return f'{{"title": "{title}", "bullets": [{{"text": "Asked {title}.", "line_refs": "L3"}}]}}'

    with ChatServer(answer) as server:
        counts = run(stored, server)
    assert counts["generated"] >= ITEMS - 1
    assert counts["failed"] == ITEMS - counts["generated"]
