"""Reservations of money: those of this process in memory, and releasing stored ones."""

import math
import uuid
from dataclasses import dataclass
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.team_day import TeamDay


@dataclass(slots=True)
class Reservation:
    """The reservation of this process on one calendar day."""

    hold_id: uuid.UUID
    spent_on: date
    held: float = 0.0  # as stored in the database
    at_risk: float = 0.0  # the part that calls may have cost already, as stored in the database
    written_at: float = -math.inf
    under_way: float = 0.0  # for calls that have no answer yet
    unstored: float = 0.0  # what calls cost that model_usage does not show yet
    version: int = 0

    @property
    def used(self) -> float:
        """The part that may not be released."""
        return self.under_way + self.unstored


def release_hold(database: Database, team_day: TeamDay, hold_id: uuid.UUID) -> None:
    """Release a reservation, after its calls are stored as spent, or are known to cost nothing."""
    for row in database.rows(queries.HOLD, team_id=team_day.team_id, day=team_day.day, hold_id=hold_id):
        database.insert_rows("budget_holds", [{**row, "held_usd": 0.0, "version": row["version"] + 1}])
