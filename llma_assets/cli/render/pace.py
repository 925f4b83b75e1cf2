"""How long a stage still takes, by how fast it was so far. Knows nothing of what is drawn."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llma_assets.team_day import TeamDay

LEAST_S = 1.0
"""Before that nobody knows how fast a stage is."""

MINUTE_S, HOUR_S = 60, 3_600


@dataclass(slots=True)
class _Stage:
    """What is known of a stage of a team.

    Attributes:
        begun_at: when it told for the first time.
        at: where it is: the day, and how many of how many of its items are done.
        gained: items done since `begun_at`, of days before this one, too.
        expected: items that it has to do on all days, 0 where nobody knows.
    """

    begun_at: float
    at: "tuple[TeamDay, int, int]"
    expected: int
    gained: int = 0


class Pace:
    """Told by stages how far they are; tells how long they still take."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        expected: "Callable[[str, int], int]" = lambda _stage, _team_id: 0,
    ) -> None:
        """
        Args:
            expected: how many items a stage of a team has to do on all days of the run, 0 where nobody knows.
        """
        self._clock = clock
        self._expected = expected
        self._stages: dict[tuple[str, int], _Stage] = {}

    def told(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many items of a day are done; themes of a day come one after another."""
        key = (stage, team_day.team_id)
        if key not in self._stages:
            self._stages[key] = _Stage(self._clock(), (team_day, done, total), self._expected(*key))
            return
        of = self._stages[key]
        day, before, _ = of.at
        if day == team_day and done >= before:
            of.gained += done - before
        of.at = (team_day, done, total)

    def left_s(self, stage: str, team_id: int) -> float | None:
        """Seconds that are left; None where nobody knows yet."""
        of = self._stages.get((stage, team_id))
        if of is None or not of.gained:
            return None
        took_s = self._clock() - of.begun_at
        _, done, total = of.at
        return None if took_s < LEAST_S else took_s / of.gained * max(total - done, of.expected - of.gained)


def in_words(seconds: float) -> str:
    """A span as people say it: `less than a minute`, `about 12 min`, `about 3.5 h`."""
    if seconds < MINUTE_S:
        return "less than a minute"
    return f"about {seconds / MINUTE_S:.0f} min" if seconds < HOUR_S else f"about {seconds / HOUR_S:.1f} h"
