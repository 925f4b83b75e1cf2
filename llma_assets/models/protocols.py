"""What every chat model and every embedder looks like to the rest of the project, and nothing of how they work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call of a model cost. Offline calls have zero tokens and zero cost.

    Attributes:
        model: the model that answered, as the server names it (`offline/...` for the offline ones).
        input_tokens: tokens of the prompt or of the embedded texts.
        output_tokens: tokens of the answer, 0 for embeddings.
        cost_usd: by the price table; None where the model has no known price, or where it is unknown what was done
            for the call: it broke off, or its answer did not say.
        duration_s: wall time of the call.
        error: short class of the failure, "" for success; never a secret, never the provider's raw text.
        cached_tokens: the part of `input_tokens` that the server had in its cache.
        at_most_usd: where `cost_usd` is None, what the call can have cost at most; None without a price.
        asked_model: the name that was asked for, "" where it is `model`.
        at: when the call was allowed by a budget, UTC; None where none was asked.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    duration_s: float
    error: str = ""
    cached_tokens: int = 0
    at_most_usd: float | None = None
    at: datetime | None = None
    asked_model: str = ""

    @property
    def charged_usd(self) -> float:
        """What the call counts with in a budget: its cost, else the most that it can have cost."""
        return self.cost_usd if self.cost_usd is not None else self.at_most_usd or 0.0


def ignore_usage(usage: Usage) -> None:
    """A `record` that keeps nothing."""


Record = Callable[[Usage], None]
"""Called once for each call of a model, whether it succeeded or not. Must be safe to call from several threads."""


@dataclass(frozen=True, slots=True)
class Completion(Generic[T]):
    """A validated answer and who gave it."""

    value: T
    model: str


class ChatModel(Protocol):
    """A model that answers a prompt with an object of a given schema."""

    @property
    def name(self) -> str:
        """The model's name as results carry it, `offline/...` for the offline one."""

    def complete(
        self,
        messages: Sequence[ChatMessage],
        schema: type[T],
        *,
        offline: Callable[[], T],
        record: Record = ignore_usage,
    ) -> Completion[T]:
        """Answer with an object of `schema`. Safe to call from several threads.

        Args:
            messages: the prompt; text of traces in it is fenced data.
            schema: a pydantic model; its JSON schema is sent where the server takes one.
            offline: the deterministic answer to the same question, computed from the data alone; only the
                offline model calls it. The room that asks knows it best.
            record: gets the usage of each call that was made.

        Raises:
            ModelError: a subclass that says whether to stop, to retry later, or to give up on this item.
        """


class Embedder(Protocol):
    """A model that turns texts into vectors of one length."""

    @property
    def name(self) -> str:
        """The model's name as stored with each vector, `offline/...` for the offline one."""

    @property
    def dimension(self) -> int | None:
        """Length of the vectors, None while it is not yet known."""

    def embed(self, texts: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:
        """Embed `texts`.

        Returns:
            float32 array (n, d), rows in the order of the texts.

        Raises:
            ModelError: as for `ChatModel.complete`; the message says which texts.
        """
