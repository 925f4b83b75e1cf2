"""What tokens cost, from the data file `prices.json` and from one of the installation's own.

A model that is in neither has no cost, only tokens: nobody guesses here.
"""

import os
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from llma_assets.models.errors import ModelConfigurationError

PRICES_FILE_VARIABLE = "LLMA_PRICES_FILE"
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_OWN, _NO_PATH = "prices.json", ""


@dataclass(frozen=True, slots=True)
class LongContext:
    """What a longer prompt does to the price of the whole call."""

    over_tokens: int
    input_factor: float
    output_factor: float


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of one model, in USD for a million tokens.

    Attributes:
        cached_input: of a prompt token that the server had in its cache.
        cache_write: of one that it put there, None where that costs nothing more.
        batch_input, batch_output: through the Batch API, None where that is no cheaper.
        long_context: from where on long prompts cost more, None where they do not.
        most_output_tokens: the model's own limit of an answer, None where it is not known.
        shutdown: the day on which its maker shuts it down, None where none is announced.
    """

    input: float
    cached_input: float
    output: float
    cache_write: float | None = None
    batch_input: float | None = None
    batch_output: float | None = None
    long_context: LongContext | None = None
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
        """Cost of one call; `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`."""
        cached = min(max(cached_tokens, 0), input_tokens)
        written = min(max(cache_write_tokens, 0), input_tokens - cached)
        plain = input_tokens - cached - written
        usd_in = plain * self.input + cached * self.cached_input + written * (self.cache_write or self.input)
        return self._scaled(usd_in, output_tokens * self.output, input_tokens, batch)

    def most_usd(self, *, input_tokens: int, output_tokens: int, batch: bool = False) -> float:
        """What a call with at most so many tokens can cost, whatever the server's cache does."""
        dearest = max(self.input, self.cached_input, self.cache_write or 0.0)
        return self._scaled(input_tokens * dearest, output_tokens * self.output, input_tokens, batch)

    def _scaled(self, usd_in: float, usd_out: float, input_tokens: int, batch: bool) -> float:
        if self.long_context and input_tokens > self.long_context.over_tokens:
            usd_in, usd_out = usd_in * self.long_context.input_factor, usd_out * self.long_context.output_factor
        if batch and self.batch_input is not None and self.input:
            usd_in *= self.batch_input / self.input
        if batch and self.batch_output is not None and self.output:
            usd_out *= self.batch_output / self.output
        return (usd_in + usd_out) / 1_000_000


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: NonNegativeFloat
    cached_input: NonNegativeFloat | None = None
    cache_write: NonNegativeFloat | None = None
    output: NonNegativeFloat = 0.0
    batch_input: NonNegativeFloat | None = None
    batch_output: NonNegativeFloat | None = None
    long_context: bool = False
    most_output_tokens: NonNegativeInt | None = None
    shutdown: date | None = None


class _Long(BaseModel):
    model_config = ConfigDict(extra="forbid")

    over_tokens: NonNegativeInt
    input_factor: float = Field(ge=1)
    output_factor: float = Field(ge=1)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str = ""
    read_from: str = ""
    as_of: str = ""
    unit: str = ""
    shutdown_source: str = ""
    long_context: _Long | None = None
    models: dict[str, _Row]

    def price(self, name: str) -> Price:
        row = self.models[name]
        own = self.long_context if row.long_context else None
        return Price(
            input=row.input,
            cached_input=row.input if row.cached_input is None else row.cached_input,
            output=row.output,
            cache_write=row.cache_write,
            batch_input=row.batch_input,
            batch_output=row.batch_output,
            long_context=LongContext(own.over_tokens, own.input_factor, own.output_factor) if own else None,
            most_output_tokens=row.most_output_tokens,
            shutdown=row.shutdown,
        )


@dataclass(frozen=True, slots=True)
class PriceList:
    """All prices that are known.

    Attributes:
        as_of: the day on which the shipped prices were read, ISO.
        source: the page that they are from.
        models: prices by model.
    """

    as_of: str
    source: str
    models: dict[str, Price]


def price_list() -> PriceList:
    """The shipped prices, with those of the file that `LLMA_PRICES_FILE` names in their place or beside them.

    That file looks like the shipped one; only `models` and in it `input` are needed.

    Raises:
        ModelConfigurationError: the file cannot be read, or is no price table.
    """
    return _loaded(os.environ.get(PRICES_FILE_VARIABLE, _NO_PATH).strip())


def price_of(model: str) -> Price | None:
    """The price of a model, None if nobody knows it. A dated snapshot costs what its model costs.

    >>> price_of("gpt-4o-mini-2024-07-18") == price_of("gpt-4o-mini")
    True
    >>> price_of("some-local-model") is None
    True

    Raises:
        ModelConfigurationError: as for `price_list`.
    """
    models = price_list().models
    return models.get(model) or models.get(_SNAPSHOT.sub("", model))


@lru_cache(maxsize=4)
def _loaded(path: str) -> PriceList:
    shipped = _Table.model_validate_json(resources.files("llma_assets.models").joinpath(_OWN).read_bytes())
    tables = [shipped]
    if path:
        tables.append(_own_table(path))
    models = {name: table.price(name) for table in tables for name in table.models}
    return PriceList(shipped.as_of, shipped.source, models)


def _own_table(path: str) -> _Table:
    try:
        return _Table.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        why = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    raise ModelConfigurationError(f"{PRICES_FILE_VARIABLE} names {path}, which is no price table: {why}", kind="prices")
