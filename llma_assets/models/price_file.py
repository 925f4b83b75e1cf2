"""Prices that an installation sets itself: the file that `LLMA_PRICES_FILE` names."""

import os
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from llma_assets.models.errors import ModelConfigurationError
from llma_assets.models.rates import Price, Rates

PRICES_FILE_VARIABLE = "LLMA_PRICES_FILE"


class _LongContext(BaseModel):
    model_config = ConfigDict(extra="forbid")

    over_tokens: NonNegativeInt
    input_factor: float = Field(ge=1)
    output_factor: float = Field(ge=1)


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

    def price(self, long_context: _LongContext | None) -> Price:
        standard = Rates(
            input=self.input,
            cached_input=self.input if self.cached_input is None else self.cached_input,
            cache_write=self.cache_write or self.input,
            output=self.output,
        )
        batch: tuple[Rates, ...] = ()
        if self.batch_input is not None or self.batch_output is not None:
            input_factor = 1.0 if self.batch_input is None or not self.input else self.batch_input / self.input
            output = self.output if self.batch_output is None or not self.output else self.batch_output
            batch = (_scaled(standard, input_factor, output),)
        if long_context and self.long_context:
            return Price(
                (standard, _longer(standard, long_context)),
                tuple(each for rates in batch for each in (rates, _longer(rates, long_context))),
                self.most_output_tokens,
                self.shutdown,
            )
        return Price((standard,), batch, self.most_output_tokens, self.shutdown)


class _Table(BaseModel):
    """The file. Only `models`, and `input` in each of its rows, are needed; the texts are for people."""

    model_config = ConfigDict(extra="forbid")

    source: str = ""
    read_from: str = ""
    as_of: str = ""
    unit: str = ""
    shutdown_source: str = ""
    long_context: _LongContext | None = None
    models: dict[str, _Row]


def configured_prices() -> Mapping[str, Price]:
    """The prices in the file that `LLMA_PRICES_FILE` names, by model; none where it names no file.

    Raises:
        ModelConfigurationError: the file cannot be read, or is not a price table.
    """
    path = os.environ.get(PRICES_FILE_VARIABLE, "").strip()
    return _read(path) if path else {}


@lru_cache(maxsize=4)
def _read(path: str) -> Mapping[str, Price]:
    try:
        table = _Table.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        why = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    else:
        return {name: row.price(table.long_context) for name, row in table.models.items()}
    raise ModelConfigurationError(
        f"{PRICES_FILE_VARIABLE} names {path}, which is not a price table: {why}", kind="prices"
    )


def _scaled(rates: Rates, input_factor: float, output: float, over_tokens: int = 0) -> Rates:
    return Rates(
        input=rates.input * input_factor,
        cached_input=rates.cached_input * input_factor,
        cache_write=rates.cache_write * input_factor,
        output=output,
        over_tokens=over_tokens,
    )


def _longer(rates: Rates, long_context: _LongContext) -> Rates:
    """What calls with a long prompt cost."""
    output = rates.output * long_context.output_factor
    return _scaled(rates, long_context.input_factor, output, long_context.over_tokens)
