"""What a night of many small teams takes: `python -m benchmarks.many_teams [--teams 200] [--processes 2]`.

Teams of 30 traces on one day, by so many `llma run` at the same time, as a daemon runs shards; a model server of
another process answers in 20 ms. Markdown on stdout: wall time from discovery to events, CPU of the runs and of the
embedded server, peak memory of all of them together, and what is published. A thousand teams are extrapolated by the
wall time of a team, unless there are so many.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.ceremony import DAY, TICKS, model_server
from benchmarks.themes import answer
from llma_assets.clickhouse import connect, start, status, stop
from llma_assets.settings import Settings
from llma_assets.testing import day_of_traces, write_events

EVENTS = "SELECT uniqExact(team_id) FROM events FINAL WHERE event = '$ai_trace_clusters'"


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--traces", type=int, default=30)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder, model_server(answer) as url:
        os.environ |= {"LLMA_DATA_DIR": folder, "DAGSTER_HOME": "", "CLICKHOUSE_URL": "", "OPENAI_BASE_URL": url}
        os.environ |= {"LLMA_CHAT_MODEL": "", "LLMA_EMBEDDING_MODEL": "", "OPENAI_API_KEY": "none"}
        settings = Settings.from_env()
        start(settings.data_dir)
        try:
            state = status(settings.data_dir)
            assert state is not None
            with connect(settings) as database:
                for team_id in range(1, chosen.teams + 1):
                    write_events(database, day_of_traces(team_id, DAY, chosen.traces))
                before, began, server_before = os.times(), time.perf_counter(), cpu_s(state.pid)
                programs = [
                    run(range(1 + number, chosen.teams + 1, chosen.processes)) for number in range(chosen.processes)
                ]
                memory = Memory([state.pid, *(program.pid for program in programs)])
                codes = [program.wait() for program in programs]
                wall_s, spent = time.perf_counter() - began, os.times()
                peak_mb = memory.peak_mb()
                server_s = cpu_s(state.pid) - server_before
                with_events = database.value(EVENTS)
        finally:
            stop(settings.data_dir)
    runs_s = spent.children_user + spent.children_system - before.children_user - before.children_system
    print(f"# {chosen.teams} teams of {chosen.traces} traces, {chosen.processes} runs at a time\n")
    print(
        "| wall s | for 1,000 teams, min | CPU of runs, a team | of the server, a team | peak MiB of all | published |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {wall_s:.0f} | {wall_s / chosen.teams * 1000 / 60:.1f} | {runs_s / chosen.teams:.2f} s "
        f"| {server_s / chosen.teams:.2f} s | {peak_mb:,} | {with_events:,} teams |"
    )
    return int(any(codes) or with_events != chosen.teams)


def run(team_ids: range) -> "subprocess.Popen[bytes]":
    """One `llma run` of these teams."""
    teams = [argument for team_id in team_ids for argument in ("--team", str(team_id))]
    command = [sys.executable, "-m", "llma_assets.cli.main", "run", "--date", str(DAY), *teams]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Memory:
    """The most that processes hold together, looked at five times a second."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._peak_kb = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak_mb(self) -> int:
        """The peak in MiB; ends the watch."""
        self._ended.set()
        self._thread.join()
        return self._peak_kb >> 10

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self._peak_kb = max(self._peak_kb, sum(map(_resident_kb, self._pids)))


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
