"""Where the time of the tests goes: `pytest -p llma_assets_tests.timings --timings FILE ...`.

Each phase of a test and each fixture's set-up is noted, with its wall time, the CPU time of the test process and that
of the embedded server; all workers append to one file, and the first process prints the sums.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

SHOWN = 25
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Timing:
    """One phase of a test (setup, call, teardown), or the set-up of one fixture."""

    kind: str
    name: str
    module: str
    wall: float
    own: float
    served: float


class Stopwatch:
    """Notes how long a block took, and who worked on it."""

    server: int | None = None
    """The process of the embedded server, once there is one."""

    def __init__(self) -> None:
        self._before = self._now()

    def read(self) -> tuple[float, float, float]:
        """Seconds since the start: wall, this process with the children that it has waited for, and the server."""
        return tuple(now - before for now, before in zip(self._now(), self._before, strict=True))  # type: ignore[return-value]

    def _now(self) -> tuple[float, float, float]:
        spent = os.times()
        copies = _cpu_of(getattr(forkserver._forkserver, "_forkserver_pid", None))
        return time.perf_counter(), sum(spent[:4]) + copies, _cpu_of(self.server)


def _cpu_of(process: int | None) -> float:
    """Seconds of a process, and of those of its children that it has waited for."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


class Timings:
    """The plugin of one process."""

    def __init__(self, file: Path, shows: bool) -> None:
        self._file = file
        self._shows = shows

    def _note(self, kind: str, name: str, module: str, watch: Stopwatch) -> None:
        wall, own, served = watch.read()
        with self._file.open("a") as out:
            out.write(json.dumps(asdict(Timing(kind, name, module, wall, own, served))) + "\n")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        watch = Stopwatch()
        value = yield
        if fixturedef.argname == "server" and Stopwatch.server is None:  # not one that a module starts for itself
            Stopwatch.server = getattr(value, "pid", None)
        self._note("fixture", fixturedef.argname, request.node.nodeid.split("::")[0], watch)
        return value

    def _phase(self, kind: str, item: pytest.Item) -> Generator[None, Any, Any]:
        watch = Stopwatch()
        try:
            return (yield)
        finally:
            self._note(kind, item.nodeid, item.nodeid.split("::")[0], watch)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._phase("setup", item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._phase("call", item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._phase("teardown", item))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._shows or not self._file.exists():
            return
        timings = [Timing(**json.loads(line)) for line in self._file.read_text().splitlines()]
        phases = [timing for timing in timings if timing.kind != "fixture"]
        for title, rows in (
            ("phases", totals(phases, "kind")),
            ("fixtures", totals((timing for timing in timings if timing.kind == "fixture"), "name")),
            ("modules", totals(phases, "module")),
            ("tests", totals(phases, "name")),
        ):
            terminalreporter.section(f"timings of {title}: wall, CPU of the tests, CPU of the server, count")
            for name, (wall, own, served, count) in rows[:SHOWN]:
                terminalreporter.write_line(f"{wall:8.1f} {own:8.1f} {served:8.1f} {count:6d}  {name}")


def totals(timings: Iterable[Timing], by: str) -> list[tuple[str, tuple[float, float, float, int]]]:
    """Sums by one field, the longest first."""
    sums: dict[str, tuple[float, float, float, int]] = defaultdict(lambda: (0.0, 0.0, 0.0, 0))
    for timing in timings:
        wall, own, served, count = sums[getattr(timing, by)]
        sums[getattr(timing, by)] = (wall + timing.wall, own + timing.own, served + timing.served, count + 1)
    return sorted(sums.items(), key=lambda row: -row[1][0])


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that all processes append to."""
    parser.addoption("--timings", type=Path, help="a file that notes where the time of the tests goes")


def pytest_configure(config: pytest.Config) -> None:
    """Notes in each process, shows in the first."""
    file: Path | None = config.getoption("--timings")
    if file is None:
        return
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        file.unlink(missing_ok=True)
    config.pluginmanager.register(Timings(file.resolve(), shows=not is_worker), "llma-timings")
