"""Aggregates cost, latency, tokens and errors of the items of a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ItemNumbers:
    """The numbers of one trace or generation."""

    cost_usd: float
    latency_s: float
    tokens: int
    error_count: int


@dataclass(frozen=True, slots=True)
class ClusterMetrics:
    """Numbers of a cluster; averages are over items with a value above 0, None if there are none."""

    avg_cost: float | None
    avg_latency: float | None
    avg_tokens: float | None
    total_cost: float
    error_rate: float | None
    error_count: int
    item_count: int


def aggregate(items: Sequence[ItemNumbers]) -> ClusterMetrics:
    """Aggregate the items of a cluster.

    `error_count` counts items with at least one error; `error_rate` is its share of all items.
    """
    errors = sum(item.error_count > 0 for item in items)
    return ClusterMetrics(
        avg_cost=_average([item.cost_usd for item in items]),
        avg_latency=_average([item.latency_s for item in items]),
        avg_tokens=_average([item.tokens for item in items]),
        total_cost=sum(item.cost_usd for item in items),
        error_rate=errors / len(items) if items else None,
        error_count=errors,
        item_count=len(items),
    )


def _average(values: Sequence[float]) -> float | None:
    positive = [value for value in values if value > 0]
    return sum(positive) / len(positive) if positive else None
