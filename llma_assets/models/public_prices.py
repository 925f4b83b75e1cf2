"""Public prices of many providers, from the data that the package `genai-prices` ships. Nothing is downloaded.

Which provider a name belongs to, and what a name must look like to have a public price, is decided here. What the
package lacks (the day of a model's shutdown, the longest answer) stands in `model_limits.json` beside this module.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib import metadata, resources
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt

from llma_assets.models.rates import Price, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

_PACKAGE = "genai-prices"
_LIMITS = "model_limits.json"

_ALIASES = {
    "azure_ai": "azure",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "models": "google",  # Gemini lists its models with this prefix
    "together_ai": "together",
    "vertex_ai": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
}
"""Prefixes of LiteLLM, and the package's names for the same providers."""

_MAKERS = {"", "cohere", "databricks", "deepseek", "google", "meta", "mistral", "moonshotai", "openai"}
"""Prefixes that name who made a model, not who serves it: open weights with such a name may be served by anyone."""

_OPEN_WEIGHTS = re.compile(r"^(?!ft:).*:|(?<![a-z])\d+(\.\d+)?b(?![a-z0-9])", re.IGNORECASE)
"""A tag (`deepseek-r1:7b`) or a number of parameters (`gpt-oss-20b`): how local servers name open weights."""

_SERVED_BY_OPENAI = {"openai", "azure"}
_OTHER_CHARGES = {"requests_kcount", "output_reasoning_mtok"}
"""Charges beside those of tokens: with one of them, tokens alone do not tell the cost."""


class _Limit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    batch_input: NonNegativeFloat | None = None
    most_output_tokens: NonNegativeInt | None = None
    shutdown: date | None = None


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str
    as_of: date
    unit: str
    models: dict[str, _Limit]


@dataclass(frozen=True, slots=True)
class _Found:
    provider: "Provider"
    model: "ModelInfo"

    @property
    def is_own(self) -> bool:
        """Whether the provider lists the model itself; else its price is that of the model's maker."""
        return any(self.model is each for each in self.provider.models)


@lru_cache(maxsize=256)
def public_price(model: str, day: date) -> Price | None:
    """The public price of a model, None where there is none.

    A name is looked up with the provider in front of it (`azure/gpt-4.1`), or else at the maker that uses such names.
    A dated snapshot costs what its model costs. Open weights under their maker's name have no public price: anyone
    may serve them, for nothing, too. `groq/llama-3.3-70b-versatile` names who serves it, and has one.

    Args:
        model: as it is asked for.
        day: when it is asked, UTC. Of a price that changes by the hour the highest is taken.
    """
    found = _find(model)
    if found is None:
        return None
    standard = _highest(found.model, day)
    if standard is None:
        return None
    batch = _highest(found.model, day, {"processing": "batch"}) if found.is_own else standard
    limit = _limits().get(found.model.id) if found.provider.id in _SERVED_BY_OPENAI else None
    batch_rates = () if batch is None or batch == standard else _rates(batch)
    if limit and limit.batch_input is not None:
        batch_rates = (Rates(limit.batch_input, limit.batch_input, limit.batch_input, 0.0),)
    return Price(
        rates=_rates(standard),
        batch_rates=batch_rates,
        most_output_tokens=limit.most_output_tokens if limit else None,
        shutdown=limit.shutdown if limit else None,
    )


def source_name() -> str:
    """The package that public prices are from, with its version."""
    return f"{_PACKAGE} {metadata.version(_PACKAGE)}"


@lru_cache(maxsize=1)
def newest_price_day(today: date) -> date:
    """The day from which the newest public price holds, of those that hold today: all prices are at least as new."""
    from genai_prices.types import StartDateConstraint

    days = (
        each.constraint.start_date
        for provider in _providers()
        for model in provider.models
        for each in [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
        if isinstance(each.constraint, StartDateConstraint)
    )
    return max((day for day in days if day <= today), default=today)


def _providers() -> "list[Provider]":
    # The package's `calc_price` prices one call, in half a millisecond; a batch has 50,000, and needs no decimals.
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot().providers


def _find(model: str) -> _Found | None:
    prefix, name = model.split("/", 1) if "/" in model else ("", model)
    prefix = prefix.lower()
    if prefix in _MAKERS and _OPEN_WEIGHTS.search(name):
        return None
    providers = {provider.id: provider for provider in _providers()}
    if prefix:
        provider = providers.get(_ALIASES.get(prefix, prefix))
    else:
        makers = (each for each in providers.values() if each.model_match and each.model_match.is_match(name.lower()))
        provider = next(makers, providers["openai"])
    found = provider.find_model(name, all_providers=_providers()) if provider and name else None
    return _Found(provider, found) if provider and found else None


def _highest(model: "ModelInfo", day: date, context: Mapping[str, str] | None = None) -> "ModelPrice | None":
    """The highest price of the day; None for a model that is not paid by tokens alone."""
    from genai_prices.types import TimeOfDateConstraint

    hours = {time(12)}
    for each in model.prices if isinstance(model.prices, list) else ():
        if isinstance(each.constraint, TimeOfDateConstraint):
            hours |= {each.constraint.start_time.replace(tzinfo=None), each.constraint.end_time.replace(tzinfo=None)}
    prices = [model.get_prices(datetime.combine(day, hour, UTC), context) for hour in sorted(hours)]
    if any(price.__dict__.get("input_mtok") is None or _OTHER_CHARGES & price.__dict__.keys() for price in prices):
        return None
    return max(prices, key=lambda price: [rates.input for rates in _rates(price)])


def _rates(price: "ModelPrice") -> tuple[Rates, ...]:
    starts = {0, *(tier.start for value in price.__dict__.values() for tier in getattr(value, "tiers", ()))}
    return tuple(_rates_from(price, start) for start in sorted(starts))


def _rates_from(price: "ModelPrice", start: int) -> Rates:
    """The rates of a prompt with more than `start` tokens."""
    known = dict(_amounts(price, start))
    of_input = known["input_mtok"]
    return Rates(
        input=of_input,
        cached_input=known.get("cache_read_mtok", of_input),
        cache_write=known.get("cache_write_mtok", of_input),
        output=known.get("output_mtok", 0.0),
        over_tokens=start,
    )


def _amounts(price: "ModelPrice", start: int) -> Iterator[tuple[str, float]]:
    for kind, value in price.__dict__.items():
        if value is not None:
            tiers = [tier.price for tier in getattr(value, "tiers", ()) if tier.start <= start]
            yield kind, float(tiers[-1] if tiers else getattr(value, "base", value))


@lru_cache(maxsize=1)
def _limits() -> Mapping[str, _Limit]:
    return _Limits.model_validate_json(resources.files(__package__).joinpath(_LIMITS).read_bytes()).models
