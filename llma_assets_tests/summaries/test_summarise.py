"""Summaries of many texts, against a real chat server and its faults."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from llma_assets.models import ModelConfigurationError, OfflineChat, OpenAIChat, RetryPolicy, Usage
from llma_assets.summaries import TIME_IS_UP, SummaryResult, TextItem, content_hash, summarise
from llma_assets.testing import (
    EMPTY,
    INVALID_JSON,
    REFUSAL,
    TRUNCATED,
    ChatServer,
    Content,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Request,
    Reset,
    Status,
)

PATIENT = RetryPolicy(attempts=2, deadline_s=60.0, attempt_timeout_s=30.0, first_delay_s=0.01, cool_down_s=0.05)
IMPATIENT = RetryPolicy(attempts=2, deadline_s=1.0, attempt_timeout_s=0.3, first_delay_s=0.01, cool_down_s=0.05)


def items(count: int) -> list[TextItem]:
    return [TextItem(f"item-{n}", f"L1: [1] USER\nL2: \nL3: question number {n} about flights") for n in range(count)]


class Ledger:
    """Keeps what was recorded, from any thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Usage]] = []
        self._lock = threading.Lock()

    def record(self, item_id: str, usage: Usage) -> None:
        with self._lock:
            self.calls.append((item_id, usage))


def run(
    server: ChatServer, given: list[TextItem], *, concurrency: int = 5, policy: RetryPolicy = PATIENT
) -> tuple[dict[str, SummaryResult], Ledger]:
    ledger = Ledger()
    chat = OpenAIChat("gpt-4.1-nano", base_url=server.url, policy=policy)
    results = list(summarise(given, chat, theme_id="t", prompt="p", concurrency=concurrency, record=ledger.record))
    assert len({result.item_id for result in results}) == len(results)
    return {result.item_id: result for result in results}, ledger


def fault_for(word: str, fault: Fault) -> ChatServer:
    """A server with a fault for the prompts that hold a word."""
    return ChatServer(judge=lambda request: fault if word in request.prompt else None)


def test_each_item_gets_its_own_summary_with_true_references() -> None:
    with ChatServer() as server:
        results, ledger = run(server, items(12))
    assert {result.status for result in results.values()} == {"generated"}
    first = results["item-0"]
    assert first.model == "gpt-4.1-nano"
    assert first.title
    assert first.refs_total == first.refs_valid > 0
    assert first.content_hash == content_hash(
        items(1)[0].text, theme_id="t", prompt="p", model="gpt-4.1-nano", mode="detailed"
    )
    assert sorted(item_id for item_id, _ in ledger.calls) == sorted(results)


def test_invented_references_are_dropped_and_counted() -> None:
    said = {"title": "T", "bullets": [{"text": "x", "line_refs": "L3, L99"}]}
    with ChatServer(answer=lambda _: json.dumps(said)) as server:
        results, _ = run(server, items(1))
    result = results["item-0"]
    assert (result.bullets[0].line_refs, result.refs_total, result.refs_valid) == ("L3", 2, 1)


def test_no_more_calls_are_under_way_than_allowed() -> None:
    with ChatServer(latency_s=0.05) as server:
        run(server, items(20), concurrency=4)
        assert 2 <= server.most_at_once <= 4


@pytest.mark.parametrize(
    "fault",
    [
        TRUNCATED, REFUSAL, EMPTY, INVALID_JSON, Content("no json"), Garbage(), Reset(),
        Status(400, "too long"), Status(500),
    ],
)  # fmt: skip
def test_one_failed_item_fails_alone(fault: Fault) -> None:
    with fault_for("number 3 ", fault) as server:
        results, _ = run(server, items(8))
    failed = [result for result in results.values() if result.status == "failed"]
    assert [result.item_id for result in failed] == ["item-3"]
    assert failed[0].error
    assert (failed[0].title, failed[0].bullets) == ("", ())


def test_a_busy_server_is_waited_for() -> None:
    with ChatServer(faults=[RateLimited("0"), RateLimited("0")]) as server:
        results, ledger = run(server, items(4))
    assert {result.status for result in results.values()} == {"generated"}
    assert len(ledger.calls) == 6


def test_a_server_that_is_down_is_found_out_by_a_few_calls_and_no_item_is_blamed() -> None:
    with ChatServer(always=Hang()) as server:
        results, ledger = run(server, items(200), concurrency=4, policy=IMPATIENT)
        asked = len(server.calls())
    assert asked <= IMPATIENT.most_failures + 4 + 2  # what was under way when the circuit opened, and one probe
    assert {result.status for result in results.values()} == {"undone"}
    assert len(results) <= 12  # the others were not even read
    assert len(ledger.calls) == asked


def test_an_outage_is_waited_out_and_costs_no_item_its_name() -> None:
    down = threading.Event()
    down.set()
    calls: list[Request] = []

    def judge(request: Request) -> Fault:
        calls.append(request)
        if len(calls) > 12:
            down.clear()
        return Status(503) if down.is_set() else None

    with ChatServer(judge=judge) as server:
        results, _ = run(server, items(30), policy=replace(PATIENT, most_failures=12))
    assert {result.status for result in results.values()} == {"generated"}
    assert len(results) == 30


def test_a_circuit_that_a_few_bad_prompts_opened_closes_again_for_the_others() -> None:
    def judge(request: Request) -> Fault:
        return Status(500) if re.search(r"number [0-7] ", request.prompt) else None

    with ChatServer(judge=judge) as server:
        results, _ = run(server, items(30), concurrency=2)
    by_status = Counter(result.status for result in results.values())
    assert by_status == {"generated": 22, "failed": 8}
    assert {item_id for item_id, result in results.items() if result.status == "failed"} == {
        f"item-{n}" for n in range(8)
    }


def test_a_server_that_recovers_is_asked_on() -> None:
    patient = replace(PATIENT, attempts=8)
    with ChatServer(faults=[Status(500)] * 4) as server:
        results, _ = run(server, items(10), concurrency=2, policy=patient)
    assert {result.status for result in results.values()} == {"generated"}


def test_a_wrong_key_stops_at_once() -> None:
    with ChatServer(always=Status(401)) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=PATIENT)
        with pytest.raises(ModelConfigurationError):
            list(summarise(items(50), chat, theme_id="t", prompt="p", concurrency=3, record=Ledger().record))
        assert len(server.requests) <= 3


def test_what_was_paid_for_before_a_wrong_key_is_handed_out() -> None:
    def judge(request: Request) -> Fault:
        return Status(401) if "number 5 " in request.prompt else None

    stored: list[SummaryResult] = []
    with ChatServer(judge=judge) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=PATIENT)
        results = summarise(items(50), chat, theme_id="t", prompt="p", concurrency=3, record=Ledger().record)
        with pytest.raises(ModelConfigurationError):
            stored.extend(results)
        paid = len(server.requests) - 1
    assert len(stored) == paid >= 5


def test_results_come_while_later_items_are_still_to_be_read() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[TextItem]:
        for n in range(10_000):
            drawn.append(n)
            yield TextItem(str(n), f"L1: text number {n}")

    with ChatServer() as server:
        chat = OpenAIChat("m", base_url=server.url, policy=PATIENT)
        results = summarise(endless(), chat, theme_id="t", prompt="p", concurrency=3, record=Ledger().record)
        assert next(iter(results)).status == "generated"
        results.close()  # type: ignore[attr-defined]
    assert len(drawn) <= 7


def test_an_empty_text_is_not_asked_about() -> None:
    with ChatServer() as server:
        results, _ = run(server, [TextItem("empty", " \n"), *items(1)])
        assert len(server.requests) == 1
    assert (results["empty"].status, results["empty"].error) == ("failed", "empty text")


def test_no_items_give_no_results_and_no_calls() -> None:
    with ChatServer() as server:
        results, _ = run(server, [])
        assert (results, server.requests) == ({}, [])


def test_an_error_shows_neither_the_trace_nor_the_servers_words() -> None:
    with fault_for("number 0 ", Status(400, "your text 'question number 0' is bad")) as server:
        results, _ = run(server, items(1))
    assert "question" not in results["item-0"].error


def test_the_offline_model_works_in_order_in_the_callers_thread() -> None:
    ledger = Ledger()
    threads = {threading.get_ident()}

    def record(item_id: str, usage: Usage) -> None:
        threads.add(threading.get_ident())
        ledger.record(item_id, usage)

    results = list(summarise(items(5), OfflineChat(), theme_id="t", prompt="p", record=record))
    assert [result.item_id for result in results] == [item.item_id for item in items(5)]
    assert {result.model for result in results} == {"offline/extractive-1"}
    assert len(threads) == 1
    assert len(ledger.calls) == 5


def test_a_concurrency_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="concurrency"):
        summarise([], OfflineChat(), theme_id="t", prompt="p", concurrency=0, record=Ledger().record)


def test_what_is_not_begun_when_time_is_up_is_not_asked_and_not_read() -> None:
    asked: list[int] = []
    drawn: list[int] = []

    def endless() -> Iterator[TextItem]:
        for n in range(1_000):
            drawn.append(n)
            yield items(n + 1)[n]

    def three_have_begun() -> bool:
        asked.append(1)
        return len(asked) > 3

    with ChatServer() as server:
        chat = OpenAIChat("m", base_url=server.url, policy=PATIENT)
        results = list(
            summarise(endless(), chat, theme_id="t", prompt="p", record=Ledger().record, time_is_up=three_have_begun)
        )
        assert len(server.calls()) == 3
    assert Counter(result.status for result in results) == {"generated": 3, "undone": 1}
    assert [result.error for result in results if result.status == "undone"] == [TIME_IS_UP]
    assert len(drawn) == 4


def test_a_pause_longer_than_a_calls_deadline_leaves_the_rest_for_later() -> None:
    with ChatServer(always=RateLimited("3600")) as server:
        results, _ = run(server, items(50), concurrency=3)
        assert len(server.calls()) <= 3
    assert {(result.status, result.error) for result in results.values()} == {("undone", "rate_limited")}
