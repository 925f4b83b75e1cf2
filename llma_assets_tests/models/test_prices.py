"""The price table and what it says of a call."""

import json
from importlib import resources

import pytest

from llma_assets.models.prices import Price, price_of


def test_every_price_in_the_data_file_can_be_read() -> None:
    table = json.loads(resources.files("llma_assets.models").joinpath("prices.json").read_bytes())
    assert table["source"]
    assert table["looked_up"]
    assert all(price_of(name) is not None for name in table["models"])


def test_a_dated_snapshot_costs_what_its_model_costs() -> None:
    assert price_of("gpt-4o-mini-2024-07-18") == price_of("gpt-4o-mini")


@pytest.mark.parametrize("name", ["", "my-model", "gpt-4.1-nano-turbo", "2024-07-18"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price_of(name) is None


def test_cached_tokens_cost_less_and_are_never_more_than_the_prompt() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=500_000) == 6.0
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=400_000) == pytest.approx(1.4)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=9_000_000) == 0.5
