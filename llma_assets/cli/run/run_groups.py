"""Runs the run groups of a partition: one after another in this process, or several at once in worker processes.

Processes and not threads: Dagster and local models keep a core busy, and a process can be interrupted. What happens in
one group belongs in `runner.py`.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from llma_assets.cli.errors import INTERRUPTED
from llma_assets.cli.run.runner import runner_of
from llma_assets.defs.run_group import RunGroup, RunGroupResult
from llma_assets.defs.runner import Runner

if TYPE_CHECKING:
    from llma_assets.stage import Progress
    from llma_assets.team_day import TeamDay

BATCH_POLL_S = 60.0
"""How often a command that waits for batches looks at them."""

MESSAGE_INTERVAL_S = 0.2
"""A worker reports progress at most this often."""

IMPORTED = ("llma_assets.cli.run.runner", "openai", "pyarrow", "sklearn.decomposition")
"""What each worker needs. A server process imports it once, and workers are copies of that process: to import it
takes 4 to 6 s of a core, to copy the process a few ms."""

CONTEXT = multiprocessing.get_context("forkserver") if sys.platform == "linux" else multiprocessing.get_context("spawn")
"""System libraries of macOS do not bear copies of a process that has loaded them."""

GRACE_S = 30.0
"""How long an interrupted worker may take to record the interruption."""

RunAll = Callable[[Sequence[RunGroup]], dict[str, RunGroupResult]]


def run_groups(groups: Sequence[RunGroup], run_all: RunAll, *, batch_wait_s: float = 0.0) -> dict[str, RunGroupResult]:
    """Run the groups of a partition; repeat those that wait for batches until the time is up.

    Args:
        groups: in an order in which each comes after the group that it depends on.
        run_all: `run_sequentially`, or `WorkerProcesses.run_all`.
        batch_wait_s: how long to wait for answers of the Batch API.
    """
    until = time.monotonic() + batch_wait_s
    results = run_all(groups)
    while (waiting := [group for group in groups if results[group.name].status == "waiting" and group.by_batch]) and (
        left_s := until - time.monotonic()
    ) > 0:
        time.sleep(min(BATCH_POLL_S, left_s))
        for name, again in run_all(waiting).items():
            results[name] = replace(again, job_runs=(*results[name].job_runs, *again.job_runs))
    return results


def run_sequentially(runner: Runner, label: Callable[[str], None]) -> RunAll:
    """A function that runs groups one after another in this process; it calls `label` with the name of each first."""

    def run_all(groups: Sequence[RunGroup]) -> dict[str, RunGroupResult]:
        results: dict[str, RunGroupResult] = {}
        for group in groups:
            label(group.name)
            results[group.name] = blocked_by_parent(group, results) or runner.run_group(group)
        return results

    return run_all


def blocked_by_parent(group: RunGroup, results: Mapping[str, RunGroupResult]) -> RunGroupResult | None:
    """The result of a group whose parent ran and is not done; None if the group may run."""
    parent = results.get(group.after) if group.after else None
    if parent is None or parent.status == "done":
        return None
    return RunGroupResult("waiting", "after", f"runs after {group.after}, which is {parent.status}")


class LabelledProgress:
    """Puts the name of the run group before the stage, except for the general group."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._prefix = ""

    def label(self, group: str, *, general: str = "general") -> None:
        """Set the group that the following progress belongs to."""
        self._prefix = "" if group == general else f"{group}: "

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        """Told by a stage how many of its items are done."""
        self._progress(f"{self._prefix}{stage}", team_day, done, total)


class WorkerProcesses:
    """A pool of processes, each of which runs one group at a time."""

    def __init__(self, at_once: int, progress: "Progress", *, verbose: bool) -> None:
        """Workers start when they are needed first; what they import is imported from now on, beside the caller."""
        if CONTEXT.get_start_method() == "forkserver":
            CONTEXT.set_forkserver_preload(list(IMPORTED))
            forkserver.ensure_running()
        self._progress = progress
        self._at_once = at_once
        self._verbose = verbose
        self._idle: list[_Worker] = []
        self._running: dict[Connection, tuple[_Worker, RunGroup]] = {}

    def run_all(self, groups: Sequence[RunGroup]) -> dict[str, RunGroupResult]:
        """Run groups, each after the one that it depends on; if a process dies, only its group fails."""
        left, results = list(groups), dict[str, RunGroupResult]()
        while left or self._running:
            for group in list(left):
                under_way = {each.name for each in left} | {each.name for _, each in self._running.values()}
                if group.after in under_way:
                    continue
                if (held := blocked_by_parent(group, results)) is not None:
                    results[group.name] = held
                elif len(self._running) < self._at_once:
                    process = self._idle.pop() if self._idle else _Worker(self._verbose)
                    process.send(group)
                    self._running[process.pipe] = (process, group)
                else:
                    break
                left.remove(group)
            for pipe in wait(list(self._running)):
                assert isinstance(pipe, Connection)
                self._receive(pipe, results)
        return results

    def _receive(self, pipe: Connection, results: dict[str, RunGroupResult]) -> None:
        """Handle one message of a worker: progress, a result, or the end of its process."""
        process, group = self._running[pipe]
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            process.end()
            results[group.name] = process.crash_result()
            del self._running[pipe]
            return
        if isinstance(message, RunGroupResult):
            results[group.name] = message
            self._idle.append(process)
            del self._running[pipe]
        else:
            self._progress(*message)

    def close(self) -> None:
        """End the processes; those at work record the interruption first."""
        at_work = [process for process, _ in self._running.values()]
        for process in at_work:
            process.interrupt()
        for process in at_work:
            process.has_ended(within_s=GRACE_S)
        for process in (*self._idle, *at_work):
            process.end()


@contextmanager
def worker_processes(at_once: int, progress: "Progress", *, verbose: bool) -> Iterator[WorkerProcesses | None]:
    """`WorkerProcesses` that end with the block; None if one group at a time is enough."""
    if at_once == 1:
        yield None
        return
    made = WorkerProcesses(at_once, progress, verbose=verbose)
    try:
        yield made
    finally:
        made.close()


class _Worker:
    """A process that waits for run groups, and the pipe to it."""

    def __init__(self, verbose: bool) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        arguments = (theirs, dict(os.environ), verbose)
        self._process: BaseProcess = CONTEXT.Process(target=_worker_main, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def send(self, group: RunGroup) -> None:
        """Send a group; if the process has died, reading the answer shows it."""
        with suppress(OSError):
            self.pipe.send(group)

    def crash_result(self) -> RunGroupResult:
        """The result of the group that was running when the process died."""
        return RunGroupResult(
            "failed", "failed", f"the process of this run group died (exit code {self._process.exitcode})"
        )

    def has_ended(self, *, within_s: float) -> bool:
        """Wait at most so long for the end of the process."""
        self._process.join(within_s)
        return not self._process.is_alive()

    def interrupt(self) -> None:
        """Send SIGINT, so that the process records the interruption."""
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGINT)

    def end(self) -> None:
        """End the process, by force if it does not end by itself."""
        self.pipe.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _worker_main(pipe: Connection, environ: Mapping[str, str], verbose: bool) -> None:
    """Run the groups that come through the pipe; send progress, then the `RunGroupResult` of each.

    Args:
        environ: the variables of the command: a copied process has those of the server that it is copied from.
    """
    # A terminal's Ctrl-C reaches the command alone, which passes it on: a second one would break off the recording of
    # the first. A shell may have started the command with SIGINT ignored.
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environ)
    from llma_assets.cli.options import opened_database
    from llma_assets.defs.instance import opened_instance
    from llma_assets.settings import Settings

    end_with_parent()
    try:
        with opened_database() as database, opened_instance(Settings.from_env()) as instance:
            progress = LabelledProgress(_PipeProgress(pipe))
            runner = runner_of(instance, database, progress=progress, verbose=verbose)
            while True:
                group = pipe.recv()
                progress.label(group.name)
                pipe.send(_result(runner, group))
    except EOFError:
        return
    except KeyboardInterrupt:
        # The interruption is recorded. A normal exit would wait for model calls that are still under way.
        os._exit(INTERRUPTED)


def end_with_parent() -> None:
    """End this process as soon as the process that started it ends, in whatever way: nobody would read its results."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(INTERRUPTED)

    threading.Thread(target=watch, daemon=True, name="watches-parent").start()


def _result(runner: Runner, group: RunGroup) -> RunGroupResult:
    from llma_assets.cli.errors import explained

    try:
        return runner.run_group(group)
    # A failure concerns this group only; its result and the exit code of the command report it.
    except Exception as error:
        return RunGroupResult("failed", "failed", explained(error).message)


class _PipeProgress:
    """Sends progress through a pipe, at most every `MESSAGE_INTERVAL_S` of a stage."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._last: dict[str, float] = {}

    def __call__(self, stage: str, team_day: "TeamDay", done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._last.get(stage, -MESSAGE_INTERVAL_S) >= MESSAGE_INTERVAL_S:
            self._last[stage] = now
            self._pipe.send((stage, team_day, done, total))
