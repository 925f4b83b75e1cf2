"""One row in `model_usage` for each call of a model, written in batches and at the latest when a stage ends."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.models import Usage
from llma_assets.team_day import TeamDay

BATCH_ROWS = 200


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What a stage spent for a team and a day. `cost_usd` leaves out `calls_without_price`."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    calls_without_price: int
    failed_calls: int


class UsageLedger:
    """Collects usage of one stage and partition from several threads, and stores it.

    Use it as a context manager: what is still in memory is stored on leaving, also after an error.
    Offline calls cost nothing and leave no row.
    """

    def __init__(
        self,
        database: Database,
        team_day: TeamDay,
        *,
        stage: str,
        theme_id: str,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self._database = database
        self._key = {"team_id": team_day.team_id, "day": team_day.day, "stage": stage, "theme_id": theme_id}
        self._new_id = new_id
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def record(self, item_id: str, usage: Usage) -> None:
        """Keep one call; stores a batch when enough have come together."""
        if usage.model.startswith("offline/") and not usage.error:
            return
        row = {
            **self._key,
            "model": usage.model,
            "call_id": self._new_id(),
            "item_id": item_id,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": usage.cost_usd,
            "duration_s": usage.duration_s,
            "error": usage.error,
        }
        with self._lock:
            self._rows.append(row)
            full = self._rows if len(self._rows) >= BATCH_ROWS else []
            if full:
                self._rows = []
        self._database.insert_rows("model_usage", full)

    def flush(self) -> None:
        """Store what is still in memory."""
        with self._lock:
            rows, self._rows = self._rows, []
        self._database.insert_rows("model_usage", rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.flush()


def usage_totals(database: Database, team_day: TeamDay, *, stage: str) -> UsageTotals:
    """What was spent by a stage for a team and a day, all runs together."""
    (row,) = database.rows(queries.USAGE_TOTALS, team_id=team_day.team_id, day=team_day.day, stage=stage)
    return UsageTotals(**{**row, "cost_usd": row["cost_usd"] or 0.0})
