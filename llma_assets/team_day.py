"""A partition: a team and a date, the unit of work, retries and reports.

The names of Dagster's partitions belong in `defs.partitions`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class TeamDay:
    """A partition: one team and one day (UTC)."""

    team_id: int
    day: date

    @property
    def start(self) -> datetime:
        """The start of the day, inclusive."""
        return midnight(self.day)

    @property
    def end(self) -> datetime:
        """The end of the day, exclusive."""
        return midnight(self.day + timedelta(days=1))

    def back(self, days: int) -> "TeamDay":
        """The partition of the same team `days` days earlier."""
        return TeamDay(self.team_id, self.day - timedelta(days=days))

    def window(self, lookback_days: int) -> "list[TeamDay]":
        """The partitions of the window that ends with this day, oldest first: for 7, [day - 6, day]."""
        return [self.back(days) for days in reversed(range(lookback_days))]

    def __str__(self) -> str:
        return f"team {self.team_id}, {self.day.isoformat()}"


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
