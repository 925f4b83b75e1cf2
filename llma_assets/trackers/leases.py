"""One process speaks with a tracker at a time: leases, and how the tracker answered last."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.trackers.links import NEVER
from llma_assets.trackers.queries import HEALTH, LAST_LEASE, WINNER

LEASE = timedelta(minutes=5)
SPARE = timedelta(minutes=1)
"""So long before the end of its lease a process begins nothing more: one request takes less."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a tracker answered last.

    Attributes:
        turn: the last pass that ended.
        passed_at: when it ended.
        word, problem: what was wrong, "" where nothing was.
        notice: what a person should know, such as a new name of the repository.
        failures: passes in a row that ended with a problem.
        retry_at: before this it is not asked.
        clock_offset_s: how far its clock is before ours, in seconds.
    """

    tracker: str
    turn: int = 0
    passed_at: datetime = NEVER
    word: str = ""
    problem: str = ""
    notice: str = ""
    failures: int = 0
    retry_at: datetime = NEVER
    clock_offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to speak with a tracker."""

    turn: int
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether one more request may be begun."""
        return now < self.until - SPARE


def healths_of(database: Database, team_id: int) -> dict[str, Health]:
    """How each tracker of a team answered last, by name."""
    return {row["tracker"]: Health(**row) for row in database.rows(HEALTH, team_id=team_id)}


def claim(database: Database, team_id: int, tracker: str, health: Health, now: datetime) -> Lease | None:
    """Take the lease; None where another process has it. One that was killed has it until its time is over."""
    last = next(iter(database.rows(LAST_LEASE, team_id=team_id, tracker=tracker)), None)
    if last and last["turn"] > health.turn and last["lease_until"] > now:
        return None
    mine, turn = uuid4(), max(health.turn, last["turn"] if last else 0) + 1
    key = {"team_id": team_id, "tracker": tracker, "turn": turn}
    row = {**key, "claimed_by": mine, "claimed_at": now, "lease_until": now + LEASE}
    database.insert_rows("tracker_leases", [row], once="/".join(map(str, key.values())))
    return Lease(turn, now + LEASE) if database.value(WINNER, **key) == mine else None


def release(database: Database, team_id: int, health: Health) -> None:
    """End a pass: its turn is over, and this is how the tracker answered."""
    database.insert_rows("tracker_health", [{"team_id": team_id, **asdict(health)}])
