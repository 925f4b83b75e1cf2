"""Stores one row in `model_usage` for each model call, in batches and at the latest when a stage ends."""

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.ledger import queries
from llma_assets.ledger.budget import DailyBudget
from llma_assets.ledger.forecasts import Actual, Forecast, ForecastRecord
from llma_assets.models import Allowance, Usage
from llma_assets.serialization import Seconds, ThemeId
from llma_assets.team_day import TeamDay

BATCH_ROWS = 50
"""Maximum number of calls that a killed process leaves unrecorded. Their money stays reserved all the same."""


SHORT_RUN_S = 5.0
"""A run that takes longer has its forecast stored while it is at work, with its calls; a shorter one at its end."""


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What a stage spent for a team and a day. `cost_usd` leaves out `calls_without_price`."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    calls_without_price: int
    failed_calls: int


@dataclass(frozen=True, slots=True)
class StageUsage:
    """Usage of a model by a stage for a theme.

    Attributes:
        stage, theme_id, model: the stage, the theme, and the model as the server names it.
        calls: number of calls; `failed_calls` of them failed.
        input_tokens, output_tokens, cached_tokens: of all of them.
        cost_usd: of the calls whose cost is known.
        unknown_cost_at_most_usd: the maximum cost of the others, as far as there is a price.
        calls_without_price: successful calls of models without a price.
        duration_s: wall time of all of them.
    """

    stage: str
    theme_id: ThemeId
    model: str
    calls: int
    failed_calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float
    unknown_cost_at_most_usd: float
    calls_without_price: int
    duration_s: Seconds


class UsageLedger:
    """Collects usage of one stage and partition from several threads, and stores it.

    Use it as a context manager: what is still in memory is stored on leaving, also after an error; a call that ends
    after that is stored at once. Offline calls cost nothing and leave no row.
    """

    def __init__(
        self,
        database: Database,
        team_day: TeamDay,
        *,
        stage: str,
        theme_id: str,
        limit_usd: float | None = None,
        theme_limit_usd: float | None = None,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        """
        Args:
            stage, theme_id: which stage asks, and for which theme.
            limit_usd: the team's budget for a day, None for no limit.
            theme_limit_usd: the theme's own, within it. With either, the models that are asked have to be
                `paid_by(model, ledger.allowance)`.
        """
        self._budget = None
        if limit_usd is not None or theme_limit_usd is not None:
            self._budget = DailyBudget(
                database,
                team_day,
                stage=stage,
                limit_usd=limit_usd,
                theme_id=theme_id,
                theme_limit_usd=theme_limit_usd,
            )
        self._closed = False
        self._database = database.sequential()  # budgets are judged by what is stored here
        self._key = {"team_id": team_day.team_id, "day": team_day.day, "stage": stage, "theme_id": theme_id}
        self._new_id = new_id
        self._rows: list[dict[str, Any]] = []
        self._seen: list[dict[str, Any]] = []
        self._forecasts: list[tuple[str, ForecastRecord]] = []
        self._expected_at = 0.0
        self._is_long = False
        self._team_day = team_day
        self._lock = threading.Lock()

    @property
    def allowance(self) -> Allowance | None:
        """The budget of the calls that this ledger records; None without a limit."""
        return self._budget

    @property
    def refusal(self) -> str:
        """Why a call was refused, "" if none was."""
        return self._budget.refusal if self._budget else ""

    def expect(self, forecast: Forecast) -> None:
        """Keep what the calls of this run are expected to take; what they took is stored beside it on leaving.

        Where no call is expected there is nothing to keep. Of a run that is killed within `SHORT_RUN_S` no forecast is
        left.
        """
        if forecast.calls:
            self._expected_at = time.monotonic()
            self._forecasts.append((forecast.model, ForecastRecord(self._database, self._team_day, forecast)))

    def record(self, item_id: str, usage: Usage, *, call_id: uuid.UUID | None = None) -> None:
        """Keep one call; stores a batch when enough have come together.

        Args:
            call_id: which call it was, for what may be read twice and must count once; None for a new one.
        """
        if usage.model.startswith("offline/") and not usage.error:
            return
        row = {
            **self._key,
            "model": usage.model,
            "call_id": call_id or self._new_id(),
            "asked_model": usage.asked_model or usage.model,
            "item_id": item_id,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost_usd": usage.cost_usd,
            "at_most_usd": usage.at_most_usd,
            "duration_s": usage.duration_s,
            "error": usage.error,
            "timestamp": usage.at or datetime.now(UTC),
        }
        with self._lock:
            self._rows.append(row)
            if self._forecasts:
                self._seen.append(row)
            is_full = self._closed or len(self._rows) >= BATCH_ROWS
        if is_full:
            # The rows stay for the next flush, which raises; an error here would lose the answer of the call.
            with suppress(DatabaseError):
                self.flush()

    def flush(self) -> None:
        """Store what is still in memory."""
        with self._lock:
            rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            self._database.insert_rows("model_usage", rows)
        except BaseException:
            with self._lock:
                self._rows = rows + self._rows
            raise
        is_long = bool(self._forecasts) and time.monotonic() - self._expected_at > SHORT_RUN_S
        if is_long and not (self._is_long or self._closed):
            self._is_long = True
            for _, forecast in self._forecasts:
                forecast.begin()
        if self._budget is not None:
            charged: defaultdict[date, float] = defaultdict(float)
            for row in rows:
                charged[row["timestamp"].date()] += _charged_usd(row) or 0.0
            self._budget.stored(charged)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        try:
            self.flush()
            for model, forecast in self._forecasts:
                forecast.end(_actual([row for row in self._seen if row["asked_model"] == model]))
        finally:
            if self._budget is not None:
                self._budget.close()


def _actual(rows: Sequence[Mapping[str, Any]]) -> Actual:
    costs = [_charged_usd(row) for row in rows]
    return Actual(
        calls=len(rows),
        failed_calls=sum(row["error"] != "" for row in rows),
        items=len({row["item_id"] for row in rows} - {""}),
        input_tokens=sum(row["input_tokens"] for row in rows),
        output_tokens=sum(row["output_tokens"] for row in rows),
        cost_usd=sum(cost or 0.0 for cost in costs) if any(cost is not None for cost in costs) else None,
    )


def _charged_usd(row: Mapping[str, Any]) -> float | None:
    """What a call counts in a budget; None for a model without a price."""
    cost: float | None = row["at_most_usd"] if row["cost_usd"] is None else row["cost_usd"]
    return cost


def usage_totals(database: Database, team_day: TeamDay, *, stage: str) -> UsageTotals:
    """What was spent by a stage for a team and a day, all runs together."""
    (row,) = database.rows(queries.USAGE_TOTALS, team_id=team_day.team_id, day=team_day.day, stage=stage)
    return UsageTotals(**{**row, "cost_usd": row["cost_usd"] or 0.0})


def usage_of_day(database: Database, team_day: TeamDay) -> list[StageUsage]:
    """What was spent for a team and a day, by stage, theme and model, all runs together."""
    rows = database.rows(queries.USAGE_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    return [StageUsage(**row) for row in rows]


def spent_since(database: Database, team_ids: Collection[int], since: datetime) -> float:
    """What the calls of teams have cost since a moment, in USD; calls of unknown cost count with their maximum."""
    return float(database.value(queries.SPENT_SINCE, team_ids=list(team_ids), since=since) or 0.0)
