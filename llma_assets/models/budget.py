"""What a call of a model can cost at most, and asking for that money before it is made.

Who has how much, and what was spent by whom, is the ledger's to know; prices are in `prices`.

One question may take several HTTP calls (retries, repairs, batches). Each of them is paid by itself: allowed before it
is sent, and settled by what it cost when its answer is there.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel

from llma_assets.models.errors import CallNotMade, ModelConfigurationError
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import ChatMessage, Record, Usage
from llma_assets.models.structured import strict_schema
from llma_assets.tokens import count_each, most_tokens

ANSWER_TOKENS = 4_096
"""An answer is never longer: the longest that a room asks for stays below it, and no call can run away."""

REASONING_TOKENS = 16_384
"""The same for models that think before they answer, at the price of an answer."""

BUDGET = "budget"
"""The kind of `BudgetExhausted`, and the reason of what it leaves undone."""

_MESSAGE_TOKENS = 8
_REQUEST_TOKENS = 64
_PERHAPS_PAID = {"timeout", "connection", "garbage"}
"""Failures after which the model may have done its work all the same. What a server refuses costs nothing."""

NO_EFFORT = "none"

_THINKING = ("o1", "o3", "o4", "gpt-5", "gpt-6", "gemini-2.5", "gemini-3", "gemini-4")
"""Names of models that think before they answer unless they are told not to."""


class BudgetExhausted(CallNotMade):
    """The next call could cost more than is left of a budget: it is not made, and no item is to blame."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=BUDGET)


class PriceUnknown(ModelConfigurationError):
    """A budget in money cannot be kept, because nobody knows what the model costs."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="price_unknown")


class Hold(Protocol):
    """Money that is set aside for one call."""

    @property
    def at(self) -> datetime:
        """When the call was allowed, UTC: the day that it is paid on."""

    def settle(self, charged_usd: float) -> None:
        """Say what the call cost; the rest is free again."""


class Allowance(Protocol):
    """Somebody's money. Safe to use from several threads."""

    def hold(self, model: str, most_usd: float | None) -> Hold:
        """Set money aside for one call.

        Args:
            model: who is asked.
            most_usd: what the call can cost at most, None where the model has no price.

        Raises:
            BudgetExhausted: there is not so much left.
            PriceUnknown: `most_usd` is None.
        """


class _Payable(Protocol):
    name: str

    def within(self, allowance: Allowance) -> Any: ...


M = TypeVar("M")


def paid_by(model: M, allowance: Allowance | None) -> M:
    """The same model, each of whose calls is paid out of `allowance`; None is no limit, and offline costs nothing."""
    payable = cast(_Payable, model)
    if allowance is None or payable.name.startswith("offline/"):
        return model
    return cast(M, payable.within(allowance))


def default_effort(model: str) -> str:
    """The reasoning effort that is sent where nobody chose one: none to models that would think at their own, paid.

    What is asked here takes no thinking. "" for models that do not think unless they are told to.
    """
    return NO_EFFORT if _thinks(model) else ""


def _thinks(model: str) -> bool:
    return model.rsplit("/", 1)[-1].removeprefix("ft:").startswith(_THINKING)


def answer_limit(model: str, effort: str = "") -> int:
    """Tokens of an answer that are asked for at most, with this reasoning effort."""
    wanted = REASONING_TOKENS if effort != NO_EFFORT and (effort or _thinks(model)) else ANSWER_TOKENS
    price = price_of(model)
    return min(wanted, price.most_output_tokens) if price and price.most_output_tokens else wanted


def most_usd_of_chat(model: str, request: Mapping[str, Any], *, batch: bool = False) -> float | None:
    """What a chat completion can cost at most, None where the model has no price.

    Args:
        request: the body; where it bounds the answer, that is its bound, else the model's own limit is.
    """
    price = price_of(model)
    if price is None:
        return None
    texts = [message["content"] for message in request["messages"]]
    tokens_in = sum(most_tokens(text, model) for text in texts) + _MESSAGE_TOKENS * len(texts) + _REQUEST_TOKENS
    if form := request.get("response_format"):
        tokens_in += most_tokens(json.dumps(form), model)
    asked = request.get("max_completion_tokens") or request.get("max_tokens")
    return price.most_usd(
        input_tokens=tokens_in,
        output_tokens=asked or price.most_output_tokens or 8 * REASONING_TOKENS,
        batch=batch,
    )


def most_usd_of_embeddings(model: str, texts: Iterable[str]) -> float | None:
    """What embedding `texts` can cost at most, None where the model has no price."""
    price = price_of(model)
    if price is None:
        return None
    tokens = sum(most_tokens(text, model) + _MESSAGE_TOKENS for text in texts) + _REQUEST_TOKENS
    return price.most_usd(input_tokens=tokens, output_tokens=0)


def failed_usage(model: str, kind: str, duration_s: float) -> Usage:
    """The usage of an HTTP call without a usable reply: free where the server refused it, else nobody knows."""
    free = price_of(model) is not None and kind not in _PERHAPS_PAID
    return Usage(model, 0, 0, 0.0 if free else None, duration_s, kind)


def chat_tokens(model: str, messages: Sequence[ChatMessage], schema: type[BaseModel]) -> int:
    """Tokens of a request for an object of `schema`, as a server counts them; see `tokens.count_tokens`."""
    form = json.dumps(strict_schema(schema))
    texts = [form, *(message.text for message in messages)]
    return sum(count_each(texts, model)) + _MESSAGE_TOKENS // 2 * len(texts)


class Tab:
    """The HTTP calls of one question: each is allowed before it is sent, and written down after. For one thread."""

    def __init__(
        self, model: str, most_usd: Callable[[], float | None], allowance: Allowance | None, record: Record
    ) -> None:
        """
        Args:
            model: who is asked.
            most_usd: what a call can cost at most, asked for only where it matters.
            allowance: who pays, None for nobody who minds.
            record: gets the usage of each call.
        """
        self._model = model
        self._most_usd = most_usd
        self._allowance = allowance
        self._record = record
        self._hold: Hold | None = None

    def open(self) -> None:
        """To be called before each HTTP call.

        Raises:
            BudgetExhausted, PriceUnknown: the call must not be made.
        """
        if self._allowance is not None:
            self._hold = self._allowance.hold(self._model, self._most_usd())

    def failed(self, kind: str, duration_s: float) -> None:
        """To be called after an HTTP call that gave no reply."""
        self.close(failed_usage(self._model, kind, duration_s))

    def close(self, usage: Usage) -> None:
        """To be called after each other HTTP call. What it cost is not always known: then it counts with the most."""
        usage = replace(usage, asked_model=self._model)
        if usage.cost_usd is None:
            usage = replace(usage, at_most_usd=self._most_usd())
        hold, self._hold = self._hold, None
        if hold is not None:
            usage = replace(usage, at=hold.at)
            hold.settle(usage.charged_usd)
        self._record(usage)
