"""A team's day, the unit in which everything is done, retried and reported; and the days that lie behind it.

How Dagster names it belongs in `partitions.py`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class TeamDay:
    """One team and one day (UTC)."""

    team_id: int
    day: date

    @property
    def start(self) -> datetime:
        """The midnight at which the day begins."""
        return midnight(self.day)

    @property
    def end(self) -> datetime:
        """The midnight at which the day ends; not part of it."""
        return midnight(self.day + timedelta(days=1))

    def back(self, days: int) -> "TeamDay":
        """The same team, so many days earlier."""
        return TeamDay(self.team_id, self.day - timedelta(days=days))

    def window(self, lookback_days: int) -> "list[TeamDay]":
        """The team's last days, oldest first, this one included: for 7, [day - 6, day]."""
        return [self.back(days) for days in reversed(range(lookback_days))]

    def __str__(self) -> str:
        return f"team {self.team_id}, {self.day.isoformat()}"


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
