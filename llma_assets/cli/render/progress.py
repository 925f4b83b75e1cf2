"""Shows the progress of stages on stderr: bars on a terminal, plain lines elsewhere.

The stages report through the Dagster resource `progress`. The estimate of the time left belongs in `time_left.py`.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llma_assets.cli.render.console import say
from llma_assets.cli.render.time_left import TimeLeft, rough_duration

if TYPE_CHECKING:
    from rich.progress import TaskID

    from llma_assets.team_day import TeamDay

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_COSTS = 5.0


class ProgressNote:
    """The text beside the numbers: time left and cost so far."""

    def __init__(self, time_left: TimeLeft | None = None, spent: Callable[[], float] | None = None) -> None:
        """
        Args:
            time_left: the estimate.
            spent: returns the cost of the run so far, in USD.
        """
        self._time_left = time_left or TimeLeft()
        self._spent = spent
        self._spent_usd, self._asked_at = 0.0, -SECONDS_BETWEEN_COSTS

    def update(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Record how many items of a stage are done."""
        self._time_left.update(stage, team_day, done, total)

    def text(self, stage: str, team_id: int) -> str:
        """The note of a stage; "" if nothing is known."""
        left_s, parts = self._time_left.seconds_left(stage, team_id), []
        if left_s is not None:
            parts.append(f"{rough_duration(left_s)} left")
        if self._spent is not None and time.monotonic() - self._asked_at >= SECONDS_BETWEEN_COSTS:
            self._asked_at, self._spent_usd = time.monotonic(), self._spent()
        if self._spent_usd:
            parts.append(f"{self._spent_usd:.4f} USD so far")
        return ", ".join(parts)


class PlainProgress:
    """Prints a line at the first finished items of a stage, one every few seconds after that, and one at its end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, note: ProgressNote | None = None) -> None:
        self._clock = clock
        self._note = note or ProgressNote(TimeLeft(clock))
        self._last = clock()
        self._shown: dict[tuple[str, int], bool] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Record how many items of a stage are done."""
        with self._lock:
            now, key = self._clock(), (stage, team_day.team_id)
            self._note.update(stage, team_day, done, total)
            # A stage whose beginning was printed gets a last line.
            is_end = done >= total and self._shown.get(key) is False
            if key in self._shown and not is_end and now - self._last < SECONDS_BETWEEN_LINES:
                return
            self._last = now
            self._shown[key] = done >= total
            note = self._note.text(*key) if done < total else ""
        say(f"{stage}  {team_day}  {done:,}/{total:,}{f'  {note}' if note else ''}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class BarProgress:
    """Shows a bar for each stage of a team, with the day that it works on."""

    def __init__(self, note: ProgressNote | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._note = note or ProgressNote()
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Record how many items of a stage are done."""
        with self._lock:
            key = (stage, team_day.team_id)
            self._note.update(stage, team_day, done, total)
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task(stage, total=total, note="")
            self._bars.update(
                self._tasks[key],
                description=f"{stage}  {team_day}",
                completed=done,
                total=max(total, 1),
                note=self._note.text(*key) if done < total else "",
            )

    def __enter__(self) -> Self:
        # The run goes on if the terminal cannot be drawn on.
        with suppress(Exception):
            self._bars.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._bars.stop()


def shown_progress(*, lines: bool = False, note: ProgressNote | None = None) -> "BarProgress | PlainProgress":
    """Bars if stderr is a terminal; plain lines elsewhere, and with `lines`, because log lines would break the bars."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return BarProgress(note) if is_terminal and not lines else PlainProgress(note=note)
