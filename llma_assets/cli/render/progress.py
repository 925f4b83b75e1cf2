"""How far the stages of a run are, on stderr: a bar on a terminal, now and then a plain line elsewhere.

The stages call it through the Dagster resource `progress`; what they do is none of its business. How long they still
take is told in `pace.py`.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llma_assets.cli.render.console import say
from llma_assets.cli.render.pace import Pace, in_words

if TYPE_CHECKING:
    from rich.progress import TaskID

    from llma_assets.team_day import TeamDay

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_COSTS = 2.0


class Outlook:
    """What stands beside the numbers: the time that is left, and the cost so far."""

    def __init__(self, pace: Pace | None = None, spent: Callable[[], float] | None = None) -> None:
        """
        Args:
            pace: how fast the stages are.
            spent: asks what the run has cost so far, in USD.
        """
        self._pace = pace or Pace()
        self._spent = spent
        self._spent_usd, self._asked_at = 0.0, -SECONDS_BETWEEN_COSTS

    def told(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        self._pace.told(stage, team_day, done, total)

    def of(self, stage: str, team_id: int) -> str:
        """In words, "" where there is nothing to say."""
        left_s, parts = self._pace.left_s(stage, team_id), []
        if left_s is not None:
            parts.append(f"{in_words(left_s)} left")
        if self._spent is not None and time.monotonic() - self._asked_at >= SECONDS_BETWEEN_COSTS:
            self._asked_at, self._spent_usd = time.monotonic(), self._spent()
        if self._spent_usd:
            parts.append(f"{self._spent_usd:.4f} USD so far")
        return ", ".join(parts)


class PlainProgress:
    """A line when a team's stage begins to finish things, one every few seconds while it lasts, and one at its end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, outlook: Outlook | None = None) -> None:
        self._clock = clock
        self._outlook = outlook or Outlook(Pace(clock))
        self._last = clock()
        self._shown: dict[tuple[str, int], bool] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        with self._lock:
            now, key = self._clock(), (stage, team_day.team_id)
            self._outlook.told(stage, team_day, done, total)
            # Whoever was told that something began is told that it has ended.
            is_end = done >= total and self._shown.get(key) is False
            if key in self._shown and not is_end and now - self._last < SECONDS_BETWEEN_LINES:
                return
            self._last = now
            self._shown[key] = done >= total
            outlook = self._outlook.of(*key) if done < total else ""
        say(f"{stage}  {team_day}  {done:,}/{total:,}{f'  {outlook}' if outlook else ''}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class BarProgress:
    """A bar for each stage of a team, which shows the day that it is at."""

    def __init__(self, outlook: Outlook | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[outlook]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._outlook = outlook or Outlook()
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        with self._lock:
            key = (stage, team_day.team_id)
            self._outlook.told(stage, team_day, done, total)
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task(stage, total=total, outlook="")
            self._bars.update(
                self._tasks[key],
                description=f"{stage}  {team_day}",
                completed=done,
                total=max(total, 1),
                outlook=self._outlook.of(*key) if done < total else "",
            )

    def __enter__(self) -> Self:
        # A terminal that cannot be drawn on is no reason to stop.
        with suppress(Exception):
            self._bars.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._bars.stop()


def shown_progress(*, lines: bool = False, outlook: Outlook | None = None) -> "BarProgress | PlainProgress":
    """Bars where stderr is a terminal and not `lines`, because log lines come between; lines elsewhere."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return BarProgress(outlook) if is_terminal and not lines else PlainProgress(outlook=outlook)
