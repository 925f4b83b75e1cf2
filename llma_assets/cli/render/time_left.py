"""Estimates how long a stage still takes from its speed so far. Drawing belongs in `progress.py`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llma_assets.team_day import TeamDay

MIN_ELAPSED_S = 1.0
"""A stage must run this long before its speed is used."""

MINUTE_S, HOUR_S = 60, 3_600


@dataclass(slots=True)
class _Stage:
    """Progress of a stage of a team.

    Attributes:
        begun_at: when it first reported.
        at: its last report: the day, items done, and items of the day.
        gained: items done since `begun_at`, also on earlier days.
        expected: items on all days of the run, 0 if unknown; None until it is asked for.
    """

    begun_at: float
    at: "tuple[TeamDay, int, int]"
    expected: int | None = None
    gained: int = 0


class TimeLeft:
    """Collects progress of stages, and estimates how long each still takes."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        expected: "Callable[[str, int], int]" = lambda _stage, _team_id: 0,
    ) -> None:
        """
        Args:
            expected: gives the items that a stage and team have still to do on all days of the run, 0 if unknown.
        """
        self._clock = clock
        self._expected = expected
        self._stages: dict[tuple[str, int], _Stage] = {}

    def update(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Record how many items of a day are done; the themes of a day report one after another."""
        key = (stage, team_day.team_id)
        if key not in self._stages:
            self._stages[key] = _Stage(self._clock(), (team_day, done, total))
            return
        of = self._stages[key]
        day, before, _ = of.at
        if day == team_day and done >= before:
            of.gained += done - before
        of.at = (team_day, done, total)

    def seconds_left(self, stage: str, team_id: int) -> float | None:
        """Estimated seconds left; None while unknown."""
        of = self._stages.get((stage, team_id))
        if of is None or not of.gained:
            return None
        took_s = self._clock() - of.begun_at
        _, done, total = of.at
        if took_s < MIN_ELAPSED_S:
            return None
        if of.expected is None:  # asked about stages that take long alone
            of.expected = of.gained + self._expected(stage, team_id)
        return took_s / of.gained * max(total - done, of.expected - of.gained)


def rough_duration(seconds: float) -> str:
    """A duration in rounded words: `less than a minute`, `about 12 min`, `about 3.5 h`."""
    if seconds < MINUTE_S:
        return "less than a minute"
    return f"about {seconds / MINUTE_S:.0f} min" if seconds < HOUR_S else f"about {seconds / HOUR_S:.1f} h"
