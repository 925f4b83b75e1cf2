"""Forecasts of calls before a run, and the comparison with actual usage after it.

The rooms that call models count calls and tokens. Averages of earlier calls, prices and storage belong here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.models import price_of
from llma_assets.serialization import ThemeId
from llma_assets.team_day import TeamDay

PAST_CALLS = 1_000
"""Averages are over so many of the last calls."""


@dataclass(frozen=True, slots=True)
class PastCalls:
    """The last calls of a team for a stage, a theme and a model that were answered.

    Attributes:
        calls: how many, at most `PAST_CALLS`.
        items: different items they were for, 0 where calls are not for one item.
        input_tokens, output_tokens: of all of them.
        days: different days they were for.
    """

    calls: int
    items: int
    input_tokens: int
    output_tokens: int
    days: int


def past_calls(database: Database, team_id: int, *, stage: str, theme_id: str, model: str) -> PastCalls | None:
    """Usage of earlier calls, None if there were none.

    Args:
        model: the requested model name.
    """
    (row,) = database.rows(
        queries.PAST_CALLS, team_id=team_id, stage=stage, theme_id=theme_id, model=model, most=PAST_CALLS
    )
    return PastCalls(**row) if row["calls"] else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the calls of a stage for a theme of a team's day will take.

    Attributes:
        stage, theme_id, model: which stage asks which model for what; the model as it is asked for.
        items: items that will be asked about.
        done: items that cost nothing more.
        calls, input_tokens, output_tokens: what they will take.
        basis: a sentence about what the figures are based on.
        has_batches: whether the stage can ask through the Batch API.
    """

    stage: str
    theme_id: str
    model: str
    items: int
    done: int
    calls: int
    input_tokens: int
    output_tokens: int
    basis: str
    has_batches: bool = False

    @property
    def cost_usd(self) -> float | None:
        """By the price table, None without a price; the offline models are free."""
        return self._cost(batch=False)

    @property
    def batch_cost_usd(self) -> float | None:
        """The same through the Batch API, where the stage has it."""
        return self._cost(batch=self.has_batches)

    def _cost(self, *, batch: bool) -> float | None:
        if self.calls == 0 or self.model.startswith("offline/"):
            return 0.0
        price = price_of(self.model)
        if price is None:
            return None
        # A call at a time: long prompts have another price than many short ones.
        average = price.cost_usd(
            input_tokens=round(self.input_tokens / self.calls),
            output_tokens=round(self.output_tokens / self.calls),
            batch=batch,
        )
        return average * self.calls


@dataclass(frozen=True, slots=True)
class Actual:
    """What the calls of one run took. `cost_usd` is what counts against a budget, None without a price."""

    calls: int
    failed_calls: int
    items: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class ForecastRecord:
    """One run's forecast in the database: stored while a long run is at work, and at the end with what it took."""

    def __init__(self, database: Database, team_day: TeamDay, forecast: Forecast) -> None:
        self._database = database
        self._row: dict[str, Any] = {
            "team_id": team_day.team_id,
            "day": team_day.day,
            "stage": forecast.stage,
            "theme_id": forecast.theme_id,
            "model": forecast.model,
            "forecast_id": uuid.uuid4(),
            "made_at": datetime.now(UTC),
            "items": forecast.items,
            "calls": forecast.calls,
            "input_tokens": forecast.input_tokens,
            "output_tokens": forecast.output_tokens,
            "cost_usd": forecast.cost_usd,
            "basis": forecast.basis,
        }

    def begin(self) -> None:
        """Store what is expected."""
        self._database.insert_rows("usage_forecasts", [self._with({}, version=1)])

    def end(self, actual: Actual) -> None:
        """Store what came of it."""
        ended = self._with(
            {
                "actual_calls": actual.calls,
                "actual_failed_calls": actual.failed_calls,
                "actual_items": actual.items,
                "actual_input_tokens": actual.input_tokens,
                "actual_output_tokens": actual.output_tokens,
                "actual_cost_usd": actual.cost_usd,
                "ended_at": datetime.now(UTC),
            },
            version=2,
        )
        self._database.insert_later("usage_forecasts", [ended])

    def _with(self, actual: dict[str, Any], *, version: int) -> dict[str, Any]:
        return {**self._row, **actual, "version": version}


@dataclass(frozen=True, slots=True)
class ForecastComparison:
    """Forecast and actual of the runs of a day that ended, by stage, theme and model.

    Attributes:
        runs: runs that ended; `unfinished` were killed or are at work, and are in none of the other numbers.
        items, calls, input_tokens, output_tokens, cost_usd: predicted; costs None without a price.
        actual_*: what it was. A run that a budget stopped took less than its forecast.
    """

    stage: str
    theme_id: ThemeId
    model: str
    runs: int
    unfinished: int
    items: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    actual_items: int
    actual_calls: int
    actual_input_tokens: int
    actual_output_tokens: int
    actual_cost_usd: float | None


def predicted_and_actual(database: Database, team_day: TeamDay, *, stage: str = "") -> Sequence[ForecastComparison]:
    """Forecasts of a team's day beside what came of them; of one stage, or of all."""
    rows = database.rows(queries.COMPARED, team_id=team_day.team_id, day=team_day.day, stage=stage)
    return [ForecastComparison(**row) for row in rows]
