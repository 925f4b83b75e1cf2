"""Numbers of a cluster, as the reference defines them."""

import pytest

from llma_assets.events import ItemNumbers, aggregate


def numbers(cost: float = 0.0, latency: float = 0.0, tokens: int = 0, errors: int = 0) -> ItemNumbers:
    return ItemNumbers(cost_usd=cost, latency_s=latency, tokens=tokens, error_count=errors)


def test_averages_are_over_items_above_zero() -> None:
    metrics = aggregate([numbers(cost=1.0, latency=2.0), numbers(cost=3.0), numbers(tokens=10)])
    assert (metrics.avg_cost, metrics.avg_latency, metrics.avg_tokens) == (2.0, 2.0, 10.0)
    assert metrics.total_cost == 4.0
    assert metrics.item_count == 3


def test_an_average_without_values_is_null() -> None:
    metrics = aggregate([numbers(), numbers()])
    assert (metrics.avg_cost, metrics.avg_latency, metrics.avg_tokens) == (None, None, None)
    assert metrics.total_cost == 0.0


def test_errors_are_counted_by_item_not_by_error() -> None:
    metrics = aggregate([numbers(errors=5), numbers(errors=1), numbers(), numbers()])
    assert metrics.error_count == 2
    assert metrics.error_rate == pytest.approx(0.5)


def test_no_items_have_no_rate() -> None:
    metrics = aggregate([])
    assert metrics.error_rate is None
    assert metrics.item_count == 0
