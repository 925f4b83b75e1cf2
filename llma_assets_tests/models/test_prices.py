"""What a call costs, and where its price comes from."""

import json
import socket
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from llma_assets.models import ModelConfigurationError
from llma_assets.models.prices import price_list, price_of
from llma_assets.models.public_prices import public_price
from llma_assets.models.rates import Price, Rates
from llma_assets.settings import DEFAULT_CHAT_MODEL, DEFAULT_EMBEDDING_MODEL

LIMITS = json.loads(resources.files("llma_assets.models").joinpath("model_limits.json").read_bytes())
PLAIN = Rates(input=2.0, cached_input=0.5, cache_write=2.0, output=8.0)


def first_rates(model: str) -> Rates:
    price = price_of(model)
    assert price is not None, model
    return price.rates[0]


def test_prices_say_from_where_and_when_they_are() -> None:
    shipped = price_list()
    assert shipped.source.startswith("genai-prices ")
    assert date(2026, 11, 1) <= date.fromisoformat(shipped.as_of) <= datetime.now(UTC).date()
    assert shipped.configured == ()


def test_every_model_with_a_limit_has_a_price() -> None:
    assert LIMITS["source"].startswith("https://")
    assert len(LIMITS["models"]) > 20
    assert [name for name in LIMITS["models"] if price_of(name) is None] == []


def test_no_price_needs_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a price was looked up on the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    public_price.cache_clear()
    assert first_rates("gpt-6-luna").input == 0.1


@pytest.mark.parametrize("model", [DEFAULT_CHAT_MODEL, DEFAULT_EMBEDDING_MODEL])
def test_the_default_models_have_a_price_and_live_for_thirty_days_more(model: str) -> None:
    """Fails a month before a default dies, so that another is chosen in time; dates are in `model_limits.json`."""
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


def test_a_batch_costs_half_where_openai_sells_one() -> None:
    prices = {name: price_of(name) for name in LIMITS["models"]}
    priced = {name: price for name, price in prices.items() if price and price.batch_rates}
    assert len(priced) > 20
    for name, price in priced.items():
        for standard, batch in zip(price.rates, price.batch_rates, strict=True):
            assert batch.input == pytest.approx(standard.input / 2), name
            assert batch.output == pytest.approx(standard.output / 2), name
            assert batch.cached_input <= batch.input, name


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o-mini-2024-07-18",
        "gpt-4o-mini-20240718",
        "GPT-4o-mini",
        "openai/gpt-4o-mini",
        "openai/gpt-4o-mini-2024-07-18",
        "azure/gpt-4o-mini",
        "openrouter/openai/gpt-4o-mini",
    ],
)
def test_a_snapshot_or_a_provider_in_front_does_not_hide_a_model(name: str) -> None:
    assert first_rates(name) == first_rates("gpt-4o-mini")


@pytest.mark.parametrize(
    ("model", "input_usd", "output_usd"),
    [
        ("text-embedding-3-small", 0.02, 0.0),
        ("text-embedding-ada-002", 0.1, 0.0),
        ("claude-sonnet-4-5-20250929", 3.0, 15.0),
        ("anthropic/claude-sonnet-4-5", 3.0, 15.0),
        ("gemini/gemini-2.5-flash", 0.3, 2.5),
        ("models/gemini-2.5-flash", 0.3, 2.5),
        ("groq/llama-3.3-70b-versatile", 0.59, 0.79),
        ("ft:gpt-4o-mini-2024-07-18:org::id", 0.3, 1.2),
    ],
)
def test_models_of_many_providers_have_a_price(model: str, input_usd: float, output_usd: float) -> None:
    rates = first_rates(model)
    assert (rates.input, rates.output) == (input_usd, output_usd)


@pytest.mark.parametrize("name", ["", "my-model", "gpt-6-luna-turbo", "2024-07-18", "nobody/gpt-4o", "openai/", "/"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price_of(name) is None


@pytest.mark.parametrize("name", ["gpt-oss-20b", "openai/gpt-oss-20b", "deepseek-r1:7b", "google/gemma-3-27b-it"])
def test_open_weights_have_no_price_where_the_name_does_not_say_who_serves_them(name: str) -> None:
    assert price_of(name) is None


def test_a_model_that_is_not_paid_by_tokens_alone_has_no_price() -> None:
    assert price_of("perplexity/sonar") is None


def test_of_a_price_that_changes_by_the_hour_the_highest_counts() -> None:
    """DeepSeek's own announcement: half price from 16:30 to 00:30 UTC, 0.27 USD else."""
    assert first_rates("deepseek-chat").input == 0.27


def test_a_price_is_that_of_the_day() -> None:
    before, after = public_price("o3", date(2025, 6, 9)), public_price("o3", date(2025, 6, 11))
    assert before is not None
    assert after is not None
    assert (before.rates[0].input, after.rates[0].input) == (10.0, 2.0)


def test_cached_tokens_cost_less_and_are_never_more_than_the_prompt() -> None:
    price = Price((PLAIN,))
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=500_000) == 6.0
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=400_000) == pytest.approx(1.4)
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_tokens=9_000_000) == 0.5


def test_tokens_put_into_the_cache_cost_more_where_they_do() -> None:
    price = Price((Rates(input=2.0, cached_input=0.2, cache_write=2.5, output=8.0),))
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=500_000) == pytest.approx(2.25)
    free = Price((PLAIN,))
    assert free.cost_usd(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=500_000) == 2.0


def test_a_batch_is_cheaper_and_without_a_price_of_its_own_is_not() -> None:
    price = Price((PLAIN,), (Rates(input=1.0, cached_input=0.25, cache_write=1.0, output=4.0),))
    assert price.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, batch=True) == 5.0
    assert price.most_usd(input_tokens=1_000_000, output_tokens=1_000_000, batch=True) == 5.0
    same = Price((PLAIN,))
    assert same.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, batch=True) == 10.0


def test_a_long_prompt_raises_the_price_of_the_whole_call() -> None:
    price = Price((PLAIN, Rates(input=4.0, cached_input=1.0, cache_write=4.0, output=12.0, over_tokens=1_000)))
    assert price.cost_usd(input_tokens=1_000, output_tokens=1_000) == pytest.approx(0.010)
    assert price.cost_usd(input_tokens=1_001, output_tokens=1_000) == pytest.approx(0.004004 + 0.012)


def test_a_long_prompt_of_a_real_model_costs_more() -> None:
    price = price_of("gpt-6-luna")
    assert price is not None
    assert [rates.over_tokens for rates in price.rates] == [0, 272_000]
    short = price.cost_usd(input_tokens=272_000, output_tokens=1_000)
    long = price.cost_usd(input_tokens=272_001, output_tokens=1_000)
    assert short == pytest.approx(0.0272 + 0.0005)
    assert long == pytest.approx(0.0544 + 0.00075, rel=1e-4)


@pytest.mark.parametrize("model", [*LIMITS["models"], "claude-sonnet-4-5", "gemini-2.5-pro"])
@pytest.mark.parametrize("batch", [False, True])
def test_no_mix_of_cached_and_written_tokens_costs_more_than_the_bound(model: str, batch: bool) -> None:
    price = price_of(model)
    assert price is not None
    for spoken in (1_000, 300_000):
        most = price.most_usd(input_tokens=spoken, output_tokens=500, batch=batch)
        for cached in (0, 100, spoken):
            for written in (0, 100, spoken):
                cost = price.cost_usd(
                    input_tokens=spoken,
                    output_tokens=500,
                    cached_tokens=cached,
                    cache_write_tokens=written,
                    batch=batch,
                )
                assert 0 < cost <= most + 1e-12


def own_prices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    monkeypatch.setenv("LLMA_PRICES_FILE", str(path))


def test_an_installations_own_file_adds_prices_and_changes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '{"models": {"my-model": {"input": 1.0}, "gpt-4o": {"input": 9.0, "output": 9.0}}}'
    own_prices(monkeypatch, tmp_path, table)
    mine = price_of("my-model")
    assert mine is not None
    assert mine.cost_usd(input_tokens=1_000_000, output_tokens=1_000_000, cached_tokens=500_000) == 1.0
    assert [first_rates(name).input for name in ("gpt-4o-2024-11-20", "openai/gpt-4o")] == [9.0, 9.0]
    assert first_rates("gpt-4o-mini").input == 0.15
    assert price_list().configured == ("my-model", "gpt-4o")


def test_a_server_of_ones_own_is_free_where_the_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_prices(monkeypatch, tmp_path, '{"models": {"openai/gpt-oss-20b": {"input": 0}}}')
    price = price_of("openai/gpt-oss-20b")
    assert price is not None
    assert price.most_usd(input_tokens=1_000, output_tokens=1_000) == 0.0


def test_a_file_may_say_all_that_a_price_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = (
        '{"input": 2, "cached_input": 1, "cache_write": 3, "output": 8, "batch_input": 1, "batch_output": 4,'
        ' "long_context": true, "most_output_tokens": 99, "shutdown": "2030-01-01"}'
    )
    factors = '{"over_tokens": 10, "input_factor": 2, "output_factor": 1.5}'
    own_prices(monkeypatch, tmp_path, f'{{"as_of": "today", "long_context": {factors}, "models": {{"m": {row}}}}}')
    assert price_of("m") == Price(
        rates=(Rates(2, 1, 3, 8), Rates(4, 2, 6, 12, 10)),
        batch_rates=(Rates(1, 0.5, 1.5, 4), Rates(2, 1, 3, 6, 10)),
        most_output_tokens=99,
        shutdown=date(2030, 1, 1),
    )


@pytest.mark.parametrize("text", ["", "[]", '{"models": {"m": {"input": -1}}}', '{"models": {"m": {"input": "x"}}}'])
def test_a_file_that_is_no_price_table_is_an_error_that_names_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_prices(monkeypatch, tmp_path, text)
    with pytest.raises(ModelConfigurationError, match=r"LLMA_PRICES_FILE names .*prices\.json"):
        price_of("gpt-4o")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_PRICES_FILE", str(tmp_path / "none.json"))
    with pytest.raises(ModelConfigurationError, match="No such file"):
        price_of("gpt-4o")
