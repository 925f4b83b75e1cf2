"""What a call costs, given the rates of its model. Knows no provider and no file; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Rates:
    """USD for a million tokens of each kind.

    Attributes:
        input: a token of the prompt.
        cached_input: one that the server had in its cache.
        cache_write: one that the server put into its cache.
        output: a token of the answer, thoughts included.
        over_tokens: the rates are those of calls with a longer prompt than this; all tokens of such a call cost so.
    """

    input: float
    cached_input: float
    cache_write: float
    output: float
    over_tokens: int = 0

    @property
    def highest_input(self) -> float:
        """What a prompt token costs at most, whatever the server's cache does."""
        return max(self.input, self.cached_input, self.cache_write)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one model.

    Attributes:
        rates: at least one; the first has `over_tokens` 0, the others follow by `over_tokens`.
        batch_rates: the same through the Batch API; empty where a batch is no cheaper.
        most_output_tokens: the model's own limit of an answer, None where it is not known.
        shutdown: the day on which its maker shuts it down, None where none is announced.
    """

    rates: tuple[Rates, ...]
    batch_rates: tuple[Rates, ...] = ()
    most_output_tokens: int | None = None
    shutdown: date | None = None

    def cost_usd(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
        batch: bool = False,
    ) -> float:
        """Cost of one call; `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`.

        >>> Price((Rates(2.0, 0.5, 2.0, 8.0),)).cost_usd(input_tokens=1_000_000, output_tokens=500_000)
        6.0
        """
        rates = _rates_for(input_tokens, (batch and self.batch_rates) or self.rates)
        cached = min(max(cached_tokens, 0), input_tokens)
        written = min(max(cache_write_tokens, 0), input_tokens - cached)
        uncached = input_tokens - cached - written
        input_usd = uncached * rates.input + cached * rates.cached_input + written * rates.cache_write
        return (input_usd + output_tokens * rates.output) / 1_000_000

    def most_usd(self, *, input_tokens: int, output_tokens: int, batch: bool = False) -> float:
        """What a call with at most so many tokens can cost, whatever the server's cache does."""
        rates = _rates_for(input_tokens, (batch and self.batch_rates) or self.rates)
        return (input_tokens * rates.highest_input + output_tokens * rates.output) / 1_000_000


def _rates_for(input_tokens: int, rates: Sequence[Rates]) -> Rates:
    longer_than = [each for each in rates if input_tokens > each.over_tokens]
    return longer_than[-1] if longer_than else rates[0]
