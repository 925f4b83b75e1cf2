"""What all callers of a server share: pauses, how many calls it takes, that it is down. Over real HTTP."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pydantic import BaseModel

from llma_assets.models import CallNotMade, ChatMessage, ModelError, ModelUnavailable, OpenAIChat, RetryPolicy
from llma_assets.testing import ChatServer, Content, Hang, Quota, RateLimited, Reset, Status
from llma_assets_tests.models.test_openai_chat import Waits

PROMPT = (ChatMessage("user", "Is it ready?"),)
GOOD = Content('{"ready": true}')
POLICY = RetryPolicy(attempts=4, deadline_s=20.0, attempt_timeout_s=5.0, first_delay_s=0.01, cool_down_s=0.2)


class Ready(BaseModel):
    ready: bool


def never() -> Ready:
    raise AssertionError("a network model never computes the offline answer")


def outcome(chat: OpenAIChat) -> str:
    """`ok`, or the kind of failure."""
    try:
        chat.complete(PROMPT, Ready, offline=never)
    except ModelError as error:
        return f"not made: {error.kind}" if isinstance(error, CallNotMade) else error.kind
    return "ok"


def all_at_once(chat: OpenAIChat, count: int, threads: int = 8) -> "Counter[str]":
    with ThreadPoolExecutor(threads) as pool:
        return Counter(pool.map(lambda _: outcome(chat), range(count)))


class Arrivals:
    """When requests came, and what is answered to them."""

    def __init__(self, answer: Callable[[int], Status | None]) -> None:
        self.at: list[float] = []
        self._answer = answer
        self._lock = threading.Lock()

    def judge(self, _: object) -> Status | None:
        with self._lock:
            self.at.append(time.monotonic())
            return self._answer(len(self.at))


def test_retry_after_stops_all_callers_and_one_goes_first_then() -> None:
    arrivals = Arrivals(lambda number: RateLimited("2") if number == 5 else None)
    with ChatServer(judge=arrivals.judge, latency_s=0.1) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=POLICY)
        assert all_at_once(chat, 14, threads=4) == {"ok": 14}
    refused_at = arrivals.at[4]
    # What was on its way at the refusal has come long before the pause is over.
    after = [at for at in arrivals.at[5:] if at - refused_at > 1.0]
    assert after[0] - refused_at > 1.9
    assert after[1] - after[0] > 0.09  # the second waits for the answer to the first


def test_a_quota_is_kept_to_with_few_refusals() -> None:
    quota = Quota(20, 1.0)
    with ChatServer(quota=quota, latency_s=0.05) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=replace(POLICY, attempts=8))
        assert all_at_once(chat, 60) == {"ok": 60}
    assert quota.refused <= 20  # callers that learn nothing from each other are refused more often than answered


def test_an_unannounced_quota_is_found_by_its_refusals() -> None:
    quota = Quota(20, 1.0, tells=False)
    with ChatServer(quota=quota, latency_s=0.05) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=replace(POLICY, attempts=8))
        assert all_at_once(chat, 60) == {"ok": 60}
    assert quota.refused <= 30


def test_headers_that_say_that_little_is_left_pause_the_next_call() -> None:
    low = {
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "10s",
    }
    slept: list[float] = []
    policy = RetryPolicy(sleep=slept.append, clock=lambda: sum(slept))
    with ChatServer(always=replace(GOOD, headers=low)) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=policy)
        assert [outcome(chat), outcome(chat)] == ["ok", "ok"]
    assert slept == [pytest.approx(0.5)]


def test_a_pause_longer_than_a_call_may_wait_fails_further_calls_at_once() -> None:
    with ChatServer(always=RateLimited("3600")) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=POLICY)
        assert [outcome(chat) for _ in range(5)] == ["rate_limited"] + ["not made: rate_limited"] * 4
        assert len(server.calls()) == 1


def test_a_server_that_refuses_everything_without_a_word_is_soon_left_alone() -> None:
    waits = Waits()
    with ChatServer(always=RateLimited()) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=waits.policy(attempts=4, deadline_s=120.0))
        kinds = Counter(outcome(chat) for _ in range(200))
        assert len(server.calls()) <= 12
    assert kinds["not made: rate_limited"] >= 190
    assert sum(waits.slept) < 300


@pytest.mark.parametrize("fault", [Status(500), Reset(), Hang()], ids=repr)
def test_a_server_that_is_down_is_not_asked_after_a_few_calls(fault: Status | Reset | Hang) -> None:
    policy = replace(POLICY, attempt_timeout_s=0.1, cool_down_s=60.0)
    with ChatServer(always=fault) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=policy)
        kinds = all_at_once(chat, 100, threads=4)
        assert len(server.calls()) <= policy.most_failures + 3
    assert kinds["not made: circuit_open"] >= 90
    assert kinds["ok"] == 0


def test_after_the_cool_down_one_call_finds_out_whether_the_server_is_back() -> None:
    now = [0.0]
    down, release = threading.Event(), threading.Event()
    down.set()

    def judge(_: object) -> Status | None:
        if down.is_set():
            return Status(503)
        release.wait(30)
        return None

    policy = replace(POLICY, attempts=1, most_failures=2, clock=lambda: now[0])
    with ChatServer(judge=judge) as server, ThreadPoolExecutor(1) as pool:
        chat = OpenAIChat("m", base_url=server.url, policy=policy)
        assert [outcome(chat) for _ in range(3)] == ["server_error", "server_error", "not made: circuit_open"]
        now[0] += policy.cool_down_s
        assert [outcome(chat), outcome(chat)] == ["server_error", "not made: circuit_open"]
        down.clear()
        now[0] += policy.cool_down_s
        probe = pool.submit(outcome, chat)
        while len(server.calls()) < 4:
            time.sleep(0.01)
        assert [outcome(chat) for _ in range(4)] == ["not made: circuit_open"] * 4
        release.set()
        assert probe.result() == "ok"
        assert [outcome(chat) for _ in range(4)] == ["ok"] * 4
        assert len(server.calls()) == 8


def test_refusals_and_bad_answers_do_not_open_the_circuit() -> None:
    faults = [Status(400), Content("no json"), RateLimited("0"), Status(400)] * 10
    with ChatServer(faults=faults) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=replace(POLICY, most_failures=2))
        kinds = Counter(outcome(chat) for _ in range(15))
    assert not any(kind.startswith("not made") for kind in kinds)


def test_a_server_that_was_given_little_time_is_not_taken_for_dead() -> None:
    policy = replace(POLICY, attempts=2, deadline_s=1.2, attempt_timeout_s=1.0, most_failures=1, cool_down_s=60.0)
    with ChatServer(faults=[RateLimited("0.8"), Hang()], always=GOOD) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=policy)
        assert [outcome(chat), outcome(chat)] == ["timeout", "ok"]


def test_a_call_that_was_made_says_what_became_of_it_though_the_circuit_opened_meanwhile() -> None:
    with ChatServer(always=Status(500)) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=replace(POLICY, most_failures=2, cool_down_s=60.0))
        with pytest.raises(ModelUnavailable) as caught:
            chat.complete(PROMPT, Ready, offline=never)
        assert len(server.calls()) == 2
    assert (type(caught.value), caught.value.kind) == (ModelUnavailable, "server_error")
