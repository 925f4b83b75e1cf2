"""What a run would do, as `llma run --dry-run` reports it. Nothing is read here."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from llma_assets.serialization import Day, TeamId


@dataclass(frozen=True, slots=True)
class PlannedTeam:
    """A team of a run that is planned.

    Attributes:
        eligible, reason, detail: what discovery decides about it now.
        first_day: of the window that would be run.
        traces, events: of the window.
        themes: ids of those that would be run.
    """

    team_id: TeamId
    eligible: bool
    reason: str
    detail: str
    first_day: date
    traces: int
    events: int
    themes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run of a day would do."""

    day: Day
    dry_run: Literal[True]
    teams: tuple[PlannedTeam, ...]
