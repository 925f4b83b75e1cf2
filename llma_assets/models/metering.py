"""What HTTP calls did cost: the usage of each, allowed before it is sent and settled when its answer is there.

One question may take several HTTP calls (retries, repairs, batches); each of them is paid by itself. What a call can
cost at most is `budget`'s.
"""

from collections.abc import Callable
from dataclasses import replace

from llma_assets.models.budget import Allowance, Hold
from llma_assets.models.completion import Tokens
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import Record, Usage

_POSSIBLY_PAID = {"timeout", "connection", "garbage"}
"""Failures after which the model may have done its work all the same. What a server refuses costs nothing."""
_LONGEST_NAME = 200


def failed_usage(model: str, kind: str, duration_s: float) -> Usage:
    """The usage of an HTTP call without a usable reply: free where the server refused it, else of unknown cost."""
    free = price_of(model) is not None and kind not in _POSSIBLY_PAID
    return Usage(model, 0, 0, 0.0 if free else None, duration_s, kind)


def answered_usage(
    asked_model: str, answered_model: str, tokens: Tokens, duration_s: float, error: str, *, batch: bool = False
) -> Usage:
    """The usage of an HTTP call with a reply.

    Args:
        asked_model: its price counts, as in the bound of the call.
        answered_model: "" where the reply does not say; its price counts where the other has none.
        tokens: as the server counted them; without the count of the prompt or of the answer the cost is unknown.
        error: what is wrong with the reply, "" for nothing.
        batch: whether the reply came in a batch, at its price.
    """
    model = (answered_model or asked_model)[:_LONGEST_NAME]
    price = price_of(asked_model) or price_of(model)
    cost = None
    if price and tokens.prompt is not None and tokens.completion is not None:
        cost = price.cost_usd(
            input_tokens=tokens.prompt,
            output_tokens=tokens.completion,
            cached_tokens=tokens.cached,
            cache_write_tokens=tokens.cache_write,
            batch=batch,
        )
    return Usage(model, tokens.prompt or 0, tokens.completion or 0, cost, duration_s, error, tokens.cached)


class CallMeter:
    """Meters the HTTP calls of one question: each is allowed before it is sent, and recorded after. For one thread."""

    def __init__(
        self, model: str, most_usd: Callable[[], float | None], allowance: Allowance | None, record: Record
    ) -> None:
        """
        Args:
            model: the model that is asked.
            most_usd: what a call can cost at most, asked for only where it matters.
            allowance: who pays, None where there is no limit.
            record: gets the usage of each call.
        """
        self._model = model
        self._most_usd = most_usd
        self._allowance = allowance
        self._record = record
        self._hold: Hold | None = None

    def start(self) -> None:
        """To be called before each HTTP call.

        Raises:
            BudgetExhausted, PriceUnknown: the call must not be made.
        """
        if self._allowance is not None:
            self._hold = self._allowance.hold(self._model, self._most_usd())

    def fail(self, kind: str, duration_s: float) -> None:
        """To be called after an HTTP call without a reply."""
        self.finish(failed_usage(self._model, kind, duration_s))

    def finish(self, usage: Usage) -> None:
        """To be called after an HTTP call with a reply. A call of unknown cost counts with the most that it can be."""
        usage = replace(usage, asked_model=self._model)
        if usage.cost_usd is None:
            usage = replace(usage, at_most_usd=self._most_usd())
        hold, self._hold = self._hold, None
        if hold is not None:
            usage = replace(usage, at=hold.at)
            hold.settle(usage.charged_usd)
        self._record(usage)
