"""The rows of `summary_batches`: which question is in which batch, and which batches are open.

What is asked, and what an answer becomes, belongs in `batches`.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.summaries.queries import DAYS_WITH_OPEN_BATCHES, OPEN_BATCHES, THEMES_WITH_OPEN_BATCHES
from llma_assets.team_day import TeamDay

STAGE = "trace_summaries"
"""The stage that batches belong to."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row of `summary_batches`: a batch, and the hashes of its questions."""

    batch_key: uuid.UUID
    group_id: uuid.UUID
    batch_id: str
    model: str
    questions: Sequence[str]
    intended_at: datetime


class BatchRows:
    """The stored batches of one theme of a partition at one server."""

    def __init__(self, database: Database, team_day: TeamDay, theme_id: str, server: str) -> None:
        self._database = database
        self._team_day = team_day
        self._theme_id = theme_id
        self._server = server

    def open(self) -> list[BatchRow]:
        """The batches that are not closed yet, oldest first."""
        rows = self._database.rows(
            OPEN_BATCHES,
            team_id=self._team_day.team_id,
            day=self._team_day.day,
            theme_id=self._theme_id,
            server=self._server,
        )
        return [BatchRow(**row) for row in rows]

    def write(self, row: BatchRow, state: Literal["intended", "submitted", "closed"], reason: str) -> None:
        """Store the state of a batch; it replaces the state that was stored before.

        Args:
            reason: why the batch has this state; "" where nothing is to be said.
        """
        self._database.insert_rows(
            "summary_batches",
            [
                {
                    "team_id": self._team_day.team_id,
                    "day": self._team_day.day,
                    "theme_id": self._theme_id,
                    "batch_key": row.batch_key,
                    "group_id": row.group_id,
                    "state": state,
                    "reason": reason,
                    "server": self._server,
                    "batch_id": row.batch_id,
                    "model": row.model,
                    "questions": list(row.questions),
                    "intended_at": row.intended_at,
                }
            ],
        )


def days_with_open_batches(
    database: Database, team_id: int, first: date, last: date, theme_ids: Collection[str]
) -> list[date]:
    """Days of a team with open batches of these themes, at any server."""
    key = {"team_id": team_id, "from": first, "until": last, "theme_ids": list(theme_ids)}
    return [row["day"] for row in database.rows(DAYS_WITH_OPEN_BATCHES, **key)]


def themes_with_open_batches(database: Database) -> list[tuple[TeamDay, str]]:
    """The partitions of all teams with open batches, each with its theme."""
    rows = database.rows(THEMES_WITH_OPEN_BATCHES)
    return [(TeamDay(row["team_id"], row["day"]), row["theme_id"]) for row in rows]
