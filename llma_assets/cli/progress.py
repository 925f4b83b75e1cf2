"""How far the stages of a run are, on stderr: a bar on a terminal, now and then a plain line elsewhere.

The stages call it through the Dagster resource `progress`; what they do is none of its business.
"""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llma_assets.cli.console import say

if TYPE_CHECKING:
    from rich.progress import TaskID

    from llma_assets.team_day import TeamDay

SECONDS_BETWEEN_LINES = 5.0


class PlainProgress:
    """A line when a team's stage begins to finish things, and one every few seconds while it lasts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._seen: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        with self._lock:
            now, key = self._clock(), (stage, team_day.team_id)
            if key in self._seen and now - self._last < SECONDS_BETWEEN_LINES:
                return
            self._last = now
            self._seen.add(key)
        say(f"{stage}  {team_day}  {done:,}/{total:,}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class BarProgress:
    """A bar for each stage of a team, which shows the day that it is at."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        with self._lock:
            key = (stage, team_day.team_id)
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task(stage, total=total)
            self._bars.update(self._tasks[key], description=f"{stage}  {team_day}", completed=done, total=max(total, 1))

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


def shown_progress(*, lines: bool = False) -> "BarProgress | PlainProgress":
    """Bars where stderr is a terminal and not `lines`, because log lines come between; lines elsewhere."""
    return BarProgress() if sys.stderr.isatty() and not lines else PlainProgress()
