"""A team's day, the unit in which everything is done, retried and reported; and the window that looks back from it.

How Dagster names it belongs in `partitions.py`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

LOOKBACK_DAYS = 7
"""Discovery and clustering look back over the same days; there is no second setting for either."""


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

    @property
    def window_start(self) -> datetime:
        """The midnight at which the look-back window of the day begins; the window ends with the day."""
        return midnight(self.day - timedelta(days=LOOKBACK_DAYS - 1))

    @property
    def window(self) -> "list[TeamDay]":
        """The team's days in the look-back window, oldest first: [day - 6, day]."""
        return [
            TeamDay(self.team_id, self.day - timedelta(days=back)) for back in reversed(range(LOOKBACK_DAYS))
        ]

    def __str__(self) -> str:
        return f"team {self.team_id}, {self.day.isoformat()}"


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
