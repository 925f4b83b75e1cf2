"""Programs for tests to kill. Each runs in a copy of a process that has imported what they need, so that it starts in a
moment: a new Python would import for 3 to 6 s of a core.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from llma_assets.cli.run.run_groups import IMPORTED

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload([*IMPORTED, "llma_assets.testing", "llma_assets.trackers", "httpx2"])


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code, negative for a signal, and what it wrote on stderr."""

    returncode: int
    stderr: str


class Program:
    """A program under way: `code` as `python -c` runs it, with these arguments and the environment of now."""

    def __init__(self, code: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        handle, name = tempfile.mkstemp()
        os.close(handle)
        self._stderr = Path(name)
        given = (code, arguments, dict(environment or os.environ), name)
        self._process: ForkServerProcess = CONTEXT.Process(target=_run, args=given, daemon=True)
        self._process.start()

    def send_signal(self, number: int) -> None:
        """Send the program a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait(self) -> Finished:
        """Wait for its end; the test's own time limit is the longest wait."""
        self._process.join()
        code = self._process.exitcode
        assert code is not None
        stderr = self._stderr.read_text(errors="replace")
        self._stderr.unlink()
        return Finished(code, stderr)


def run(code: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end."""
    return Program(code, *arguments, environment=environment).wait()


def _run(code: str, arguments: tuple[str, ...], environment: Mapping[str, str], stderr: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_APPEND), 2)
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
