"""Which lanes a team's day has, and runs them: one after another here, or several at once, each in its own process.

Dagster and the models of one machine keep a core busy, so that threads of one process would wait for each other, and
a process can be interrupted. What one lane does belongs in `runner.py`.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from llma_assets.cli.errors import INTERRUPTED
from llma_assets.cli.run.runner import runner_of
from llma_assets.defs.runner import Lane, LaneRun, Runner

if TYPE_CHECKING:
    from llma_assets.stage import Progress
    from llma_assets.team_day import TeamDay

BATCH_POLL_S = 60.0
"""How often a command that waits for batches looks at them."""

BETWEEN_MESSAGES_S = 0.2
"""A process tells how far it is no more often than that."""

PR_SET_PDEATHSIG = 1
"""Linux's `prctl`: send this process a signal when its parent ends."""

GRACE_S = 30.0
"""How long an interrupted process may take to note down that it was."""

RunAll = Callable[[Sequence[Lane]], dict[str, LaneRun]]


def run_lanes(lanes: Sequence[Lane], run_all: RunAll, *, batch_wait_s: float = 0.0) -> dict[str, LaneRun]:
    """Run the lanes of a team; those that wait for batches are looked at again until the time is up.

    Args:
        lanes: each after the one that it depends on.
        run_all: `one_by_one`, or the `run_all` of `Processes`.
        batch_wait_s: how long to wait for what the Batch API brings.
    """
    until = time.monotonic() + batch_wait_s
    results = run_all(lanes)
    while (waiting := [lane for lane in lanes if results[lane.name].status == "waiting" and lane.by_batch]) and (
        left_s := until - time.monotonic()
    ) > 0:
        time.sleep(min(BATCH_POLL_S, left_s))
        for name, again in run_all(waiting).items():
            results[name] = replace(again, job_runs=(*results[name].job_runs, *again.job_runs))
    return results


def one_by_one(runner: Runner, label: Callable[[str], None]) -> RunAll:
    """Runs lanes one after another in this process; `label` is told which one is at work."""

    def run_all(lanes: Sequence[Lane]) -> dict[str, LaneRun]:
        results: dict[str, LaneRun] = {}
        for lane in lanes:
            label(lane.name)
            results[lane.name] = held_up(lane, results) or runner.run_lane(lane)
        return results

    return run_all


def held_up(lane: Lane, results: Mapping[str, LaneRun]) -> LaneRun | None:
    """What becomes of a lane whose parent ran and is not done; None where it may run."""
    parent = results.get(lane.after) if lane.after else None
    if parent is None or parent.status == "done":
        return None
    return LaneRun("waiting", "after", f"runs after {lane.after}, which is {parent.status}")


class LabelledProgress:
    """Says before the stage which lane is at work, unless it is the general one."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._prefix = ""

    def label(self, lane: str, *, general: str = "general") -> None:
        """What follows is of this lane."""
        self._prefix = "" if lane == general else f"{lane}: "

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        self._progress(f"{self._prefix}{stage}", team_day, done, total)


class Processes:
    """Up to so many processes, each of which runs one lane at a time."""

    def __init__(self, at_once: int, progress: "Progress", *, verbose: bool) -> None:
        self._progress = progress
        self._verbose = verbose
        self._idle: list[_Process] = [_Process(verbose) for _ in range(at_once)]
        self._running: dict[Connection, tuple[_Process, Lane]] = {}

    def run_all(self, lanes: Sequence[Lane]) -> dict[str, LaneRun]:
        """Run lanes, each after the one that it depends on; one whose process dies leaves the others standing."""
        left, results = list(lanes), dict[str, LaneRun]()
        while left or self._running:
            for lane in list(left):
                under_way = {each.name for each in left} | {each.name for _, each in self._running.values()}
                if lane.after in under_way:
                    continue
                if (held := held_up(lane, results)) is not None:
                    results[lane.name] = held
                elif self._idle:
                    process = self._idle.pop()
                    process.send(lane)
                    self._running[process.pipe] = (process, lane)
                else:
                    break
                left.remove(lane)
            for pipe in wait(list(self._running)):
                assert isinstance(pipe, Connection)
                self._hear(pipe, results)
        return results

    def _hear(self, pipe: Connection, results: dict[str, LaneRun]) -> None:
        """Take one message of a process: its progress, its result, or that it died."""
        process, lane = self._running[pipe]
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            process.end()
            message, process = process.obituary(), _Process(self._verbose)
        if isinstance(message, LaneRun):
            results[lane.name] = message
            self._idle.append(process)
            del self._running[pipe]
        else:
            self._progress(*message)

    def close(self) -> None:
        """End the processes; those at work first note down that they were interrupted."""
        at_work = [process for process, _ in self._running.values()]
        # A terminal has told them already, other senders have not.
        for seconds in (2.0, GRACE_S):
            for process in [each for each in at_work if not each.has_ended(within_s=seconds)]:
                process.interrupt()
        for process in (*self._idle, *at_work):
            process.end()


@contextmanager
def processes(at_once: int, progress: "Progress", *, verbose: bool) -> Iterator[Processes | None]:
    """`Processes` that are ended however the block is left; None where one at a time is enough."""
    if at_once == 1:
        yield None
        return
    made = Processes(at_once, progress, verbose=verbose)
    try:
        yield made
    finally:
        made.close()


class _Process:
    """A process that waits for lanes, and the pipe to it."""

    def __init__(self, verbose: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, verbose), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, lane: Lane) -> None:
        """Give it a lane; that it has died already is seen when its answer is read."""
        with suppress(OSError):
            self.pipe.send(lane)

    def obituary(self) -> LaneRun:
        """What is said of the lane that it was at when it died."""
        return LaneRun("failed", "failed", f"its process ended by itself (exit code {self._process.exitcode})")

    def has_ended(self, *, within_s: float) -> bool:
        """Wait so long for its end."""
        self._process.join(within_s)
        return not self._process.is_alive()

    def interrupt(self) -> None:
        """Let it note down that it was interrupted."""
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGINT)

    def end(self) -> None:
        """End it, by force if it does not by itself."""
        self.pipe.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _work(pipe: Connection, verbose: bool) -> None:
    """Run the lanes that come through the pipe; answers each with its `LaneRun`, with lines of progress before it."""
    from llma_assets.cli.options import opened_database
    from llma_assets.defs.instance import opened_instance
    from llma_assets.settings import Settings

    end_with_parent()
    try:
        with opened_database() as database, opened_instance(Settings.from_env()) as instance:
            progress = LabelledProgress(_Telling(pipe))
            runner = runner_of(instance, database, progress=progress, verbose=verbose)
            while True:
                lane = pipe.recv()
                progress.label(lane.name)
                pipe.send(_result(runner, lane))
    except EOFError:
        return
    except KeyboardInterrupt:
        # What was interrupted is noted down. Python would wait for calls of models that are still under way.
        os._exit(INTERRUPTED)


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, in whatever way: nobody hears what it makes.

    The thread that started it must live as long as its process.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(INTERRUPTED)

    # Elsewhere, and where the parent had ended before the kernel was told.
    threading.Thread(target=watch, daemon=True, name="watches-parent").start()


def _result(runner: Runner, lane: Lane) -> LaneRun:
    from llma_assets.cli.errors import explained

    try:
        return runner.run_lane(lane)
    # Whatever went wrong concerns this lane; the answer says so, and the command's exit code does.
    except Exception as error:
        return LaneRun("failed", "failed", explained(error).message)


class _Telling:
    """Progress that goes through a pipe, not too often."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._last: dict[str, float] = {}

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._last.get(stage, -BETWEEN_MESSAGES_S) >= BETWEEN_MESSAGES_S:
            self._last[stage] = now
            self._pipe.send((stage, team_day, done, total))
