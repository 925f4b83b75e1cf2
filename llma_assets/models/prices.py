"""What a model costs: by the installation's own file, else by public prices.

A model that neither knows has tokens and no cost: nothing is guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from llma_assets.models.price_file import configured_prices
from llma_assets.models.public_prices import newest_price_day, public_price, source_name
from llma_assets.models.rates import Price

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_OFFLINE = "offline/"


@dataclass(frozen=True, slots=True)
class PriceList:
    """Where prices come from.

    Attributes:
        source: the package with the public prices, and its version.
        as_of: the day of its newest price, ISO; all of its prices are at least as new.
        configured: names of the models that the installation's own file gives a price.
    """

    source: str
    as_of: str
    configured: tuple[str, ...]


def price_list() -> PriceList:
    """Where prices come from.

    Raises:
        ModelConfigurationError: the file that `LLMA_PRICES_FILE` names cannot be read, or is not a price table.
    """
    configured = tuple(configured_prices())
    return PriceList(source_name(), newest_price_day(datetime.now(UTC).date()).isoformat(), configured)


def price_of(model: str) -> Price | None:
    """The price of a model, None where it is unknown. A dated snapshot costs what its model costs.

    The file that `LLMA_PRICES_FILE` names comes first, then public prices (see `public_price`).

    >>> price_of("gpt-4o-mini-2024-07-18") == price_of("openai/gpt-4o-mini") == price_of("gpt-4o-mini")
    True
    >>> price_of("some-local-model") is None
    True

    Raises:
        ModelConfigurationError: as for `price_list`.
    """
    configured = configured_prices()
    names = list(_names(model))
    for name in names:
        if name in configured:
            return configured[name]
    if not model or model.startswith(_OFFLINE):
        return None
    today = datetime.now(UTC).date()
    return next((price for name in names[:2] if (price := public_price(name, today))), None)


def _names(model: str) -> Iterator[str]:
    """A model's name, and the same without the date of a snapshot; then both without a provider in front."""
    undated = _SNAPSHOT.sub("", model)
    yield model
    yield undated
    yield model.rpartition("/")[2]
    yield undated.rpartition("/")[2]
