"""What a call of a model can cost at most, and asking for that money before it is made.

Who has how much, and what was spent by whom, is the ledger's to know; prices are in `prices`, and what a call did cost
in `metering`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel

from llma_assets.models.errors import CallNotMade, ModelConfigurationError
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import ChatMessage
from llma_assets.models.structured import strict_schema
from llma_assets.tokens import count_each, most_tokens

ANSWER_TOKENS = 4_096
"""An answer is never longer: the longest that a room asks for stays below it, and no call can run away."""

REASONING_TOKENS = 16_384
"""The same for models that think before they answer, at the price of an answer."""

BUDGET = "budget"
"""The kind of `BudgetExhausted`, and the reason of what it defers."""

_MESSAGE_TOKENS = 8
_REQUEST_TOKENS = 64
NO_EFFORT = "none"

_THINKING = ("o1", "o3", "o4", "gpt-5", "gpt-6", "gemini-2.5", "gemini-3", "gemini-4")
"""Names of models that think before they answer unless they are told not to."""


class BudgetExhausted(CallNotMade):
    """The next call could cost more than is left of a budget: it is not made, and no item is to blame."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=BUDGET)


class PriceUnknown(ModelConfigurationError):
    """A budget in money cannot be kept, because the model has no known price."""

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
    """A budget that pays for calls. Safe to use from several threads."""

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
    """The same model, each of whose calls `allowance` pays for; None is no limit, and offline models cost nothing."""
    payable = cast(_Payable, model)
    if allowance is None or payable.name.startswith("offline/"):
        return model
    return cast(M, payable.within(allowance))


def default_effort(model: str) -> str:
    """The reasoning effort that is sent where none was chosen: `none` to models that would think, paid, without it.

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


def chat_tokens(model: str, messages: Sequence[ChatMessage], schema: type[BaseModel]) -> int:
    """Tokens of a request for an object of `schema`, as a server counts them; see `tokens.count_tokens`."""
    form = json.dumps(strict_schema(schema))
    texts = [form, *(message.text for message in messages)]
    return sum(count_each(texts, model)) + _MESSAGE_TOKENS // 2 * len(texts)
