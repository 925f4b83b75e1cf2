"""What tokens cost, from the data file `prices.json`. A model that is not in it has no cost, only tokens."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of one model, in USD for a million tokens."""

    input: float
    cached_input: float
    output: float

    def cost_usd(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Cost of one call; `cached_tokens` are part of `input_tokens`."""
        cached = min(max(cached_tokens, 0), input_tokens)
        usd = (input_tokens - cached) * self.input + cached * self.cached_input + output_tokens * self.output
        return usd / 1_000_000


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: NonNegativeFloat
    cached_input: NonNegativeFloat
    output: NonNegativeFloat


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str
    looked_up: str
    unit: str
    models: dict[str, _Row]


@cache
def _table() -> dict[str, Price]:
    raw = resources.files("llma_assets.models").joinpath("prices.json").read_bytes()
    rows = _Table.model_validate_json(raw).models
    return {name: Price(row.input, row.cached_input, row.output) for name, row in rows.items()}


def price_of(model: str) -> Price | None:
    """The price of a model, None if it is not in the table. A dated snapshot costs what its model costs.

    >>> price_of("gpt-4.1-nano-2025-04-14") == price_of("gpt-4.1-nano")
    True
    >>> price_of("some-local-model") is None
    True
    """
    return _table().get(model) or _table().get(_SNAPSHOT.sub("", model))
