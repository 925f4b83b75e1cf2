"""What counts against a budget: costs of calls, reservations, and what killed runs may have spent.

Making reservations belongs in `budget`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.ledger.holders import Holder, state_of
from llma_assets.team_day import TeamDay

LEASE_S = 900
"""How long a reservation counts after it was written, if it is unknown whether its process is alive. A call takes two
minutes at most, and a process renews reservations older than `RENEWAL_S`."""


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Spending:
    """What counts against the budget of a team, or of one of its themes, in USD.

    Attributes:
        of_day: calls for the traces of the day, whenever they were made.
        on_date: calls made on the calendar day, for whatever traces.
        held_of_day, held_on_date: set aside by processes that are at work, or for open batches, and not in the others.
        lost_of_day, lost_on_date: what calls can have cost that were under way when their process was killed.
    """

    of_day: float
    on_date: float
    held_of_day: float
    held_on_date: float
    lost_of_day: float = 0.0
    lost_on_date: float = 0.0

    @property
    def most(self) -> float:
        """What is compared with the budget."""
        return max(
            self.of_day + self.held_of_day + self.lost_of_day, self.on_date + self.held_on_date + self.lost_on_date
        )


def spending(database: Database, team_day: TeamDay, spent_on: date, *, theme_id: str = "") -> Spending:
    """What counts against the budget of a team for a day, on a calendar day.

    Reservations are read first: what is stored between the two reads counts twice, but is never missed.

    Args:
        theme_id: what is spent for one theme alone; "" is all that the team spends.
    """
    key = {"team_id": team_day.team_id, "day": team_day.day, "spent_on": spent_on, "theme_id": theme_id}
    held, lost = {"is_of_day": 0.0, "is_on_date": 0.0}, {"is_of_day": 0.0, "is_on_date": 0.0}
    for row in database.rows(queries.HELD, **key, lease_s=LEASE_S):
        state = state_of(Holder(row["machine"], row["pid"], row["pid_started"]))
        counts = state == "alive" or row["is_of_open_batch"] or (state == "unknown" and row["is_fresh"])
        for axis in held:
            held[axis] += row["held_usd"] if counts and row[axis] else 0.0
            lost[axis] += row["at_risk_usd"] if not counts and row[axis] else 0.0
    (spent,) = database.rows(queries.SPENT, **key)
    return Spending(
        spent["of_day"],
        spent["on_date"],
        held["is_of_day"],
        held["is_on_date"],
        lost["is_of_day"],
        lost["is_on_date"],
    )
