"""Money that is set aside: what a process knows of its own, and freeing what stands in the database."""

import math
import uuid
from dataclasses import dataclass
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.team_day import TeamDay


@dataclass(slots=True)
class Reservation:
    """What this process has set aside on one calendar day."""

    hold_id: uuid.UUID
    spent_on: date
    held: float = 0.0  # as it stands in the database
    at_risk: float = 0.0  # the part of it that may be paid for, as it stands in the database
    written_at: float = -math.inf
    under_way: float = 0.0  # for calls that have no answer yet
    unstored: float = 0.0  # what calls cost that model_usage does not show yet
    version: int = 0

    @property
    def used(self) -> float:
        """What is set aside and may not be given back."""
        return self.under_way + self.unstored


def release_hold(database: Database, team_day: TeamDay, hold_id: uuid.UUID) -> None:
    """Free what is set aside under an id, after what it was for is stored as spent, or known to cost nothing."""
    for row in database.rows(queries.HOLD, team_id=team_day.team_id, day=team_day.day, hold_id=hold_id):
        database.insert_rows("budget_holds", [{**row, "held_usd": 0.0, "version": row["version"] + 1}])
