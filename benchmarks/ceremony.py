"""What small teams cost: `python -m benchmarks.ceremony [--teams 4] [--callers 30] [--once]`, as Markdown on stdout.

Teams of 30 traces on the last day of a window of seven, through `llma run`'s own code, three times: with new traces,
with nothing to do, and with nothing to do again (`--once`: with new traces alone, for many teams). Models are a server
of another process that answers in 20 ms. Queries are requests to the database, Dagster's events are rows of its event
log; CPU is that of this process and of the embedded server. Imports and what a process does once are measured by a run
of another team before. Peak memory is that of these two processes.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.themes import answer
from llma_assets.cli.run.settings import team_settings
from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
from llma_assets.clickhouse import Database, connect, start, status, stop
from llma_assets.clickhouse.client import SharedClient
from llma_assets.defs.instance import opened_instance
from llma_assets.settings import Settings
from llma_assets.testing import Answer, ChatServer, day_of_traces, write_events

DAY = date(2026, 11, 7)
TICKS = os.sysconf("SC_CLK_TCK")
OURS = str(Path(__file__).resolve().parents[1] / "llma_assets")


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost, or all has cost so far: CPU and wall time in seconds."""

    queries: int
    events: int
    client_s: float
    server_s: float
    wall_s: float

    def since(self, before: "Cost") -> "Cost":
        """What it cost since then."""
        return Cost(
            self.queries - before.queries,
            self.events - before.events,
            self.client_s - before.client_s,
            self.server_s - before.server_s,
            self.wall_s - before.wall_s,
        )


class Meter:
    """Counts queries and Dagster's events, and reads the clocks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.callers: Counter[str] = Counter()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the queries of this process."""
        before = SharedClient.call

        def call(client: SharedClient, *args: Any, **options: Any) -> Any:
            self.callers[_caller()] += 1
            return before(client, *args, **options)

        with mock.patch.object(SharedClient, "call", call):
            yield

    def read(self) -> Cost:
        """What all has cost so far."""
        spent = os.times()
        state = status(self._settings.data_dir)
        fields = Path(f"/proc/{state.pid if state else 0}/stat").read_text().rsplit(")", 1)[1].split()
        return Cost(
            self.callers.total(),
            self._events(),
            spent.user + spent.system,
            (int(fields[11]) + int(fields[12])) / TICKS,
            time.perf_counter(),
        )

    def server_mb(self) -> int:
        """The peak memory of the embedded server so far, in MiB."""
        state = status(self._settings.data_dir)
        return peak_mb(str(state.pid if state else 0))

    def _events(self) -> int:
        with opened_instance(self._settings) as instance:
            runs = instance.get_run_records()
            return sum(len(instance.all_logs(record.dagster_run.run_id)) for record in runs)


def peak_mb(process: str) -> int:
    """The peak memory of a process, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) >> 10


def _caller() -> str:
    """The function of the package, outside its database client, that makes a query."""
    frame, found = sys._getframe(2), list[str]()
    while frame is not None and len(found) < 2:
        name = frame.f_code.co_filename
        if name.startswith(OURS) and f"{os.sep}clickhouse{os.sep}" not in name:
            found.append(f"{name[len(OURS) + 1 :]}:{frame.f_code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(found)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=4)
    parser.add_argument("--traces", type=int, default=30)
    parser.add_argument("--offline", action="store_true", help="models inside of the process")
    parser.add_argument("--callers", type=int, default=0, help="show who makes the most queries")
    parser.add_argument("--once", action="store_true", help="measure new traces alone")
    chosen = parser.parse_args(arguments)
    print(f"# Ceremony of {chosen.teams} teams of {chosen.traces} traces on one day\n")
    print("| run | queries a team | Dagster events a team | client s | server s | wall s a team |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder, ExitStack() as stack:
        url = "" if chosen.offline else stack.enter_context(model_server(answer))
        os.environ |= {"LLMA_DATA_DIR": folder, "DAGSTER_HOME": "", "CLICKHOUSE_URL": "", "OPENAI_BASE_URL": url}
        os.environ |= {"LLMA_CHAT_MODEL": "", "LLMA_EMBEDDING_MODEL": ""} if chosen.offline else {}
        settings = Settings.from_env()
        start(settings.data_dir)
        meter = Meter(settings)
        try:
            with connect(settings) as database:
                for team_id in range(chosen.teams + 1):
                    write_events(database, day_of_traces(1000 + team_id, DAY, chosen.traces))
                with meter.counting():
                    measure(database, meter, "", [1000])
                    team_ids = [1001 + number for number in range(chosen.teams)]
                    names = ("new traces", "nothing to do", "nothing to do again")
                    for name in names[:1] if chosen.once else names:
                        meter.callers.clear()
                        measure(database, meter, name, team_ids)
                        for caller, count in meter.callers.most_common(chosen.callers):
                            print(f"    {count / chosen.teams:6.1f}  {caller}", file=sys.stderr)
                print(f"\nPeak memory: client {peak_mb('self'):,} MiB, server {meter.server_mb():,} MiB")
        finally:
            stop(settings.data_dir)
    return 0


def measure(database: Database, meter: Meter, name: str, team_ids: list[int]) -> None:
    """Run teams; print what a team cost, if the measurement has a name."""
    before = meter.read()
    with redirect_stderr(StringIO()) as said:
        runs, _ = run_teams(database, DAY, team_ids, TeamRunOptions(), team_settings())
    spent = meter.read().since(before)
    if any(each.status != "done" for each in runs):
        raise SystemExit(f"{[(each.status, each.detail) for each in runs]}\n{said.getvalue()}")
    teams = len(team_ids)
    if name:
        print(
            f"| {name} | {spent.queries / teams:.0f} | {spent.events / teams:.0f} | {spent.client_s / teams:.2f} "
            f"| {spent.server_s / teams:.2f} | {spent.wall_s / teams:.2f} |",
            flush=True,
        )


@contextmanager
def model_server(said: Answer) -> Iterator[str]:
    """The URL of a model server in another process, which says so and takes 20 ms for it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, said), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Any, said: Answer) -> None:
    with ChatServer(said, latency_s=0.02) as server:
        pipe.send(server.url)
        pipe.poll(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
