"""The price table and what it says of a call."""

import json
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from llma_assets.models import ModelConfigurationError
from llma_assets.models.prices import LongContext, Price, price_list, price_of
from llma_assets.settings import DEFAULT_CHAT_MODEL, DEFAULT_EMBEDDING_MODEL


def test_every_price_in_the_data_file_can_be_read_and_says_from_where_and_when() -> None:
    table = json.loads(resources.files("llma_assets.models").joinpath("prices.json").read_bytes())
    assert table["source"].startswith("https://")
    assert price_list().as_of == table["as_of"] == "2026-11-21"
    assert all(price_of(name) is not None for name in table["models"])


@pytest.mark.parametrize("model", [DEFAULT_CHAT_MODEL, DEFAULT_EMBEDDING_MODEL])
def test_the_default_models_have_a_price_and_live_for_thirty_days_more(model: str) -> None:
    """Fails a month before a default dies, so that somebody chooses another; dates are in `prices.json`."""
    price = price_of(model)
    assert price is not None
    assert price.shutdown is None or price.shutdown > datetime.now(UTC).date() + timedelta(days=30)


@pytest.mark.parametrize(
    ("model", "shutdown"),
    [
        ("gpt-4.1-nano", date(2026, 10, 23)),
        ("gpt-4.1-mini-2025-04-14", date(2027, 1, 14)),
        ("gpt-5-mini", date(2026, 12, 11)),
        ("gpt-6-luna", None),
    ],
)
def test_a_price_tells_when_its_model_goes(model: str, shutdown: date | None) -> None:
    price = price_of(model)
    assert price is not None
    assert price.shutdown == shutdown


def test_a_batch_costs_half_wherever_it_is_listed() -> None:
    priced = [price for price in price_list().models.values() if price.batch_input is not None]
    assert len(priced) > 20
    assert all(price.batch_input == pytest.approx(price.input / 2) for price in priced)
    assert all(price.batch_output == pytest.approx(price.output / 2) for price in priced)


def test_a_dated_snapshot_costs_what_its_model_costs() -> None:
    assert price_of("gpt-4o-mini-2024-07-18") == price_of("gpt-4o-mini")


@pytest.mark.parametrize("name", ["", "my-model", "gpt-6-luna-turbo", "2024-07-18"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price_of(name) is None


def test_cached_tokens_cost_less_and_are_never_more_than_the_prompt() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=500_000) == 6.0
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=400_000) == pytest.approx(1.4)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=9_000_000) == 0.5


def test_tokens_put_into_the_cache_cost_more_where_they_do() -> None:
    price = Price(input=2.0, cached_input=0.2, output=8.0, cache_write=2.5)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=500_000) == pytest.approx(2.25)
    free = Price(input=2.0, cached_input=0.2, output=8.0)
    assert free.cost_usd(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=500_000) == 2.0


def test_a_batch_is_cheaper_and_without_a_price_of_its_own_is_not() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0, batch_input=1.0, batch_output=4.0)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, batch=True) == 5.0
    plain = Price(input=2.0, cached_input=0.5, output=8.0)
    assert plain.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, batch=True) == 10.0


def test_a_long_prompt_raises_the_price_of_the_whole_call() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0, long_context=LongContext(1_000, 2.0, 1.5))
    assert price.cost_usd(input_tokens=1_000, output_tokens=1_000) == pytest.approx(0.010)
    assert price.cost_usd(input_tokens=1_001, output_tokens=1_000) == pytest.approx(0.004004 + 0.012)


def test_no_mix_of_cached_and_written_tokens_costs_more_than_the_bound() -> None:
    for price in price_list().models.values():
        for cached in (0, 100, 1_000):
            for written in (0, 100, 1_000):
                cost = price.cost_usd(
                    input_tokens=1_000, output_tokens=500, cached_tokens=cached, cache_write_tokens=written
                )
                assert cost <= price.most_usd(input_tokens=1_000, output_tokens=500) + 1e-12


def test_an_installations_own_file_adds_prices_and_changes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"models": {"my-model": {"input": 1.0}, "gpt-4o": {"input": 9.0, "output": 9.0}}}')
    monkeypatch.setenv("LLMA_PRICES_FILE", str(path))
    mine, changed = price_of("my-model"), price_of("gpt-4o-2024-11-20")
    assert mine is not None
    assert mine.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, cached_tokens=500_000) == 1.0
    assert changed is not None
    assert changed.input == 9.0
    assert price_of("gpt-4o-mini") is not None


@pytest.mark.parametrize("text", ["", "[]", '{"models": {"m": {"input": -1}}}', '{"models": {"m": {"input": "x"}}}'])
def test_a_file_that_is_no_price_table_is_an_error_that_names_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    monkeypatch.setenv("LLMA_PRICES_FILE", str(path))
    with pytest.raises(ModelConfigurationError, match=r"LLMA_PRICES_FILE names .*prices\.json"):
        price_of("gpt-4o")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_PRICES_FILE", str(tmp_path / "none.json"))
    with pytest.raises(ModelConfigurationError, match="No such file"):
        price_of("gpt-4o")
