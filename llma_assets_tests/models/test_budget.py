"""Each HTTP call is paid by itself: allowed by the most that it can cost, settled by what it cost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from llma_assets.models import (
    BudgetExhausted,
    ChatMessage,
    InvalidAnswer,
    ModelUnavailable,
    OfflineChat,
    OpenAIChat,
    OpenAIEmbedder,
    RetryPolicy,
    Usage,
    paid_by,
    price_of,
)
from llma_assets.testing import (
    INVALID_JSON,
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
    real_bill,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "gpt-6-luna"
PROMPT = (ChatMessage("user", "Say something about the weather in Oslo."),)
POLICY = RetryPolicy(attempts=3, deadline_s=5.0, attempt_timeout_s=0.2, first_delay_s=0.01, longest_delay_s=0.02)


class Answer(BaseModel):
    """What is asked for."""

    text: str


@dataclass
class CountingAllowance:
    """An allowance of so many calls, which remembers what they were held and settled for."""

    calls: int = 1_000
    at: datetime = NOW
    held: list[float | None] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)

    def hold(self, model: str, most_usd: float | None) -> "CountingAllowance":
        """One call fewer."""
        assert model in {MODEL, "text-embedding-3-small", "my-model"}
        if len(self.held) == self.calls:
            raise BudgetExhausted("nothing left")
        self.held.append(most_usd)
        return self

    def settle(self, charged_usd: float) -> None:
        """Remember."""
        self.settled.append(charged_usd)


def ask(server: ChatServer, allowance: CountingAllowance, model: str = MODEL) -> list[Usage]:
    """One question; its usage."""
    usage: list[Usage] = []
    chat = paid_by(OpenAIChat(model, base_url=server.url, policy=POLICY), allowance)
    chat.complete(PROMPT, Answer, offline=lambda: Answer(text=""), record=usage.append)
    return usage


def test_a_call_is_held_for_the_most_and_settled_for_what_it_cost() -> None:
    allowance = CountingAllowance()
    with ChatServer(bill=real_bill) as server:
        (usage,) = ask(server, allowance)
        ((_, spoken, said),) = server.billed
    price = price_of(MODEL)
    assert price is not None
    assert allowance.settled == [usage.cost_usd] == [price.cost_usd(input_tokens=spoken, output_tokens=said)]
    assert allowance.held[0] is not None
    assert allowance.settled[0] < price.cost_usd(input_tokens=spoken, output_tokens=4_096) <= allowance.held[0]
    assert (usage.at, usage.asked_model) == (NOW, MODEL)


@pytest.mark.parametrize("fault", [RateLimited(), Status(503), Garbage(), INVALID_JSON, Reset()])
def test_a_retry_and_a_repair_have_to_be_allowed_too(fault: Fault) -> None:
    allowance = CountingAllowance(calls=1)
    with ChatServer(faults=[fault]) as server:
        with pytest.raises(BudgetExhausted):
            ask(server, allowance)
        assert len(server.calls()) == 1
    assert len(allowance.settled) == 1


@pytest.mark.parametrize("fault", [Garbage(), Reset(), Hang(), Content('{"text": "x"}', usage=False)])
def test_a_call_of_unknown_cost_counts_with_the_most(fault: Fault) -> None:
    allowance = CountingAllowance()
    with ChatServer(faults=[fault]) as server:
        first = ask(server, allowance)[0]
    assert (first.cost_usd, first.at_most_usd) == (None, allowance.held[0])
    assert allowance.settled[0] == allowance.held[0]


@pytest.mark.parametrize("fault", [RateLimited(), Status(500)])
def test_what_a_server_refuses_costs_nothing(fault: Fault) -> None:
    allowance = CountingAllowance()
    with ChatServer(faults=[fault]) as server:
        first = ask(server, allowance)[0]
    assert (first.cost_usd, allowance.settled[0]) == (0.0, 0.0)


def test_a_server_that_cannot_be_reached_costs_nothing() -> None:
    allowance = CountingAllowance()
    with ChatServer() as server:
        pass
    with pytest.raises(ModelUnavailable):
        ask(server, allowance)
    assert allowance.settled == [0.0] * len(allowance.held)


def test_a_useless_answer_is_paid_all_the_same() -> None:
    allowance = CountingAllowance()
    with ChatServer(bill=real_bill, faults=[TRUNCATED]) as server, pytest.raises(InvalidAnswer):
        ask(server, allowance)
    assert allowance.settled[0] > 0


def refuses(*names: str) -> "object":
    """A judge that knows none of these parameters."""

    def judge(request: Request) -> Fault:
        found = next((name for name in names if name in request.body), None)
        return Status(400, f"Unrecognized request argument supplied: {found}") if found else None

    return judge


@pytest.mark.parametrize(
    ("names", "limit"),
    [((), ("max_completion_tokens", 4_096)), (("max_completion_tokens",), ("max_tokens", 4_096))],
)
def test_answers_are_bounded_by_the_parameter_that_the_server_knows(
    names: tuple[str, ...], limit: tuple[str, int]
) -> None:
    with ChatServer(judge=refuses(*names)) as server:  # type: ignore[arg-type]
        ask(server, CountingAllowance())
        body = server.calls()[-1].body
    assert body[limit[0]] == limit[1]


def test_where_answers_cannot_be_bounded_the_models_own_limit_is_held() -> None:
    allowance = CountingAllowance()
    with ChatServer(judge=refuses("max_completion_tokens", "max_tokens")) as server:  # type: ignore[arg-type]
        ask(server, allowance)
    price = price_of(MODEL)
    assert price is not None
    assert allowance.held[-1] is not None
    assert allowance.held[-1] > price.cost_usd(input_tokens=0, output_tokens=128_000)


def test_a_small_context_that_has_no_room_for_the_bound_is_asked_without() -> None:
    def judge(request: Request) -> Fault:
        words = (
            "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 2048"
        )
        return Status(400, words) if {"max_tokens", "max_completion_tokens"} & request.body.keys() else None

    with ChatServer(judge=judge) as server:
        assert [usage.error for usage in ask(server, CountingAllowance(), "my-model")] == ["too_long", "too_long", ""]


def test_what_one_stage_learned_of_a_server_the_next_one_knows() -> None:
    with ChatServer(judge=refuses("max_completion_tokens")) as server:  # type: ignore[arg-type]
        chat = OpenAIChat("my-model", base_url=server.url, policy=POLICY)
        for _ in range(2):
            paid_by(chat, CountingAllowance()).complete(PROMPT, Answer, offline=lambda: Answer(text=""))
        assert len(server.calls()) == 3


def test_embeddings_are_paid_by_their_tokens() -> None:
    allowance = CountingAllowance()
    with ChatServer(bill=real_bill) as server:
        embedder = paid_by(OpenAIEmbedder("text-embedding-3-small", base_url=server.url, policy=POLICY), allowance)
        embedder.embed(["a flight to Oslo", "a refund"])
        ((_, spoken, _),) = server.billed
    assert allowance.settled == [pytest.approx(spoken * 0.02 / 1e6)]
    assert allowance.held[0] is not None
    assert allowance.settled[0] <= allowance.held[0]


def test_the_offline_model_and_no_limit_change_nothing() -> None:
    offline = OfflineChat()
    assert paid_by(offline, CountingAllowance()) is offline
    with ChatServer() as server:
        chat = OpenAIChat(MODEL, base_url=server.url)
        assert paid_by(chat, None) is chat
