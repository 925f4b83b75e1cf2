"""Norms: the usual cost, latency, tokens and number of events of a team's items.

What counts as unusual belongs in `performance`.
"""

import math
from dataclasses import dataclass, field

from llma_assets.clickhouse import Database
from llma_assets.summaries.queries import NORMS
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

NORM_DAYS = 7
"""Days that norms are computed from by default, the present one included."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of one number over the items for which it is above 0.

    Attributes:
        items: how many those are; if 0, the other fields are 0, too.
    """

    items: int = 0
    median: float = 0.0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Norms:
    """The distributions of one level of a team; empty where nothing is known."""

    cost_usd: Spread = field(default_factory=Spread)
    latency_s: Spread = field(default_factory=Spread)
    tokens: Spread = field(default_factory=Spread)
    event_count: Spread = field(default_factory=Spread)


def read_norms(database: Database, team_day: TeamDay, level: Level, lookback_days: int = NORM_DAYS) -> Norms:
    """The norms of a team's randomly sampled items of `level`, over the days that end with `team_day`."""
    row = database.rows(
        NORMS,
        team_id=team_day.team_id,
        level=level,
        **{"from": team_day.window(lookback_days)[0].day, "until": team_day.day},
    )[0]
    return Norms(**{name: _spread(row, name) for name in ("cost_usd", "latency_s", "tokens", "event_count")})


def _spread(row: dict[str, object], name: str) -> Spread:
    items, median, p95 = (float(str(row[f"{name}_{part}"])) for part in ("items", "median", "p95"))
    return Spread(int(items), median, p95) if items and math.isfinite(median) else Spread()
