"""Killed at any moment, nothing is lost and nothing doubled: `python -m benchmarks.kills --run 20 --server 10`, as
Markdown on stdout.

`llma run` on the embedded server, with a model server on a loopback port, is killed (`kill -9`) somewhere between its
first line and its end, or the embedded server is killed under it. Then the same command is run again, and every row
that it has stored is held against the rows of a run that nobody disturbed. The moments are spread over the whole run,
shaken by a seed.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from llma_assets.cli.main import main as main_of_llma
from llma_assets.clickhouse import Database, connect, status, stop
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, day_of_traces, write_events

DAY = date(2026, 11, 7)
DAYS = 2
TEAM, OTHER = 1, 2
RUN = ("run", "--team", str(TEAM), "--date", str(DAY))
IMPORTED = (
    "llma_assets.cli.run.report",
    "llma_assets.cli.run.team_runs",
    "openai",
    "pyarrow",
    "sklearn.decomposition",
)
"""Half a run's time would be the import of these."""

PATIENCE_S = 600.0

TABLES = (
    "events",
    "eligible_teams",
    "trace_texts",
    "texts_made",
    "theme_items",
    "theme_days",
    "trace_summaries",
    "document_embeddings",
    "clustering_runs",
    "clusters",
    "cluster_members",
    "cluster_labels",
    "cluster_name_tests",
    "cluster_group_labels",
)
"""What a run stores for its readers. What it notes down about itself (usage, forecasts, holds) tells of two runs."""
OF_ATTEMPTS = ("clusters", "cluster_members", "cluster_labels", "cluster_name_tests", "cluster_group_labels")

# What says when a row was written, and by which attempt, differs between any two runs.
COLUMNS = """
SELECT name
FROM system.columns
WHERE database = currentDatabase()
    AND table = {table:String}
    AND NOT (default_kind = 'DEFAULT' AND default_expression LIKE '%now64%')
    AND name != 'attempt_id'
ORDER BY position
"""

Kind = Literal["run", "server"]
Rows = Mapping[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one kill.

    Attributes:
        kind: what was killed.
        after_s: so long after the run's first line.
        at: its last line before that, "" where it was over already.
        exit_code: of the run that was disturbed.
        stored: rows that were there when the second run began.
        calls: requests to the model server, of both runs.
        lost: rows that are missing after the second run.
        doubled: rows that are there and should not be.
    """

    kind: Kind
    after_s: float
    at: str
    exit_code: int
    stored: int
    calls: int
    lost: int
    doubled: int


class Benchmark:
    """Runs on copies of one prepared data folder."""

    def __init__(self, folder: Path, traces: int) -> None:
        """
        Args:
            folder: for everything; the caller removes it.
            traces: of each team and day.
        """
        self._starting = multiprocessing.get_context("forkserver")
        self._starting.set_forkserver_preload([*IMPORTED, __name__])
        self._folder = folder
        self._prepared = folder / "prepared"
        with self._database(self._prepared) as database:
            for team_id in (TEAM, OTHER):
                for back in range(DAYS):
                    write_events(database, day_of_traces(team_id, DAY - timedelta(days=back), traces))
        stop(self._prepared)

    def undisturbed(self) -> tuple[Rows, float, int]:
        """What a run stores, how long it takes from its first line on, and how many requests it makes."""
        with self._copy() as data_dir, ChatServer() as models:
            _, took_s, _ = self._run(data_dir, models)
            return self._rows(data_dir), took_s, len(models.requests)

    def killed(self, kind: Kind, after_s: float, expected: Rows) -> Trial:
        """Kill something so long after the first line of a run, run again, and compare."""
        with self._copy() as data_dir, ChatServer() as models:

            def kill(run: BaseProcess) -> None:
                if kind == "run":
                    run.kill()
                elif (state := status(data_dir)) is not None:
                    os.kill(state.pid, signal.SIGKILL)

            exit_code, _, at = self._run(data_dir, models, kill=kill, after_s=after_s)
            stored = sum(sum(rows.values()) for rows in self._rows(data_dir).values())
            again, _, _ = self._run(data_dir, models)
            assert again == 0, f"the second run ended with {again}"
            found = self._rows(data_dir)
            return Trial(
                kind,
                after_s,
                at,
                exit_code,
                stored,
                len(models.requests),
                lost=sum((expected[table] - found[table]).total() for table in TABLES),
                doubled=sum((found[table] - expected[table]).total() for table in TABLES),
            )

    def _run(
        self,
        data_dir: Path,
        models: ChatServer,
        *,
        kill: Callable[[BaseProcess], None] | None = None,
        after_s: float = 0.0,
    ) -> tuple[int, float, str]:
        """Exit code, seconds from the first line to the end, and the last line before the kill."""
        told = data_dir.parent / "stderr"
        told.write_text("")
        process = self._starting.Process(target=_command, args=(environment(data_dir, models), told))
        process.start()
        _wait(lambda: "\n" in told.read_text() or not process.is_alive())
        started, at = time.monotonic(), ""
        if kill is not None:
            process.join(after_s)
            if process.is_alive():
                at = told.read_text().splitlines()[-1]
                kill(process)
        process.join(PATIENCE_S)
        assert process.exitcode is not None, f"a run took more than {PATIENCE_S:.0f} s"
        return process.exitcode, time.monotonic() - started, at

    def _rows(self, data_dir: Path) -> Rows:
        """Every row of every table, without when it was written, as often as readers see it."""
        found = {}
        with self._database(data_dir) as database:
            for table in TABLES:
                columns = [row["name"] for row in database.rows(COLUMNS, table=table)]
                listed = ", ".join(f"`{column}`" for column in columns)
                # A killed attempt's rows are there for a day; no reader sees them.
                seen = "WHERE attempt_id IN (SELECT attempt_id FROM clustering_runs FINAL)" * (table in OF_ATTEMPTS)
                rows = database.rows(f"SELECT {listed} FROM {table} FINAL {seen}")
                found[table] = Counter(repr(sorted(row.items())) for row in rows)
        return found

    @contextmanager
    def _database(self, data_dir: Path) -> Iterator[Database]:
        with connect(Settings.from_env({"LLMA_DATA_DIR": str(data_dir)})) as database:
            yield database

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        data_dir = Path(tempfile.mkdtemp(dir=self._folder)) / "data"
        shutil.copytree(self._prepared, data_dir, symlinks=True)
        try:
            yield data_dir
        finally:
            stop(data_dir)
            shutil.rmtree(data_dir.parent, ignore_errors=True)


def _command(variables: Mapping[str, str], stderr: Path) -> None:
    """`llma run` in a process of its own, which has imported everything already."""
    os.environ.update(variables)
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_APPEND), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["llma", *RUN]
    main_of_llma()


def _wait(until: Callable[[], bool]) -> None:
    """Look every hundredth of a second."""
    while not until():
        time.sleep(0.01)


def environment(data_dir: Path, models: ChatServer) -> dict[str, str]:
    """The settings of a run."""
    return {
        "LLMA_DATA_DIR": str(data_dir),
        "OPENAI_BASE_URL": models.url,
        "LLMA_CHAT_MODEL": "test-model",
        "LLMA_EMBEDDING_MODEL": "test-vectors",
    }


def moments(count: int, took_s: float, chance: random.Random) -> list[float]:
    """So many moments, one in each equal part of a run."""
    return [(number + chance.random()) * took_s / count for number in range(count)]


def kills(runs: int, servers: int, *, traces: int, seed: int, folder: Path) -> Iterator[Trial]:
    """Kill so many runs and so many servers, one after another."""
    chance = random.Random(seed)
    benchmark = Benchmark(folder, traces)
    expected, took_s, calls = benchmark.undisturbed()
    print(
        f"Undisturbed: {sum(rows.total() for rows in expected.values()):,} rows, {calls} requests, {took_s:.1f} s from "
        f"the first line on; {traces} traces a day, {DAYS} days, two teams of which one is run; seed {seed}.\n",
        flush=True,
    )
    plan: list[tuple[Kind, float]] = [("run", after_s) for after_s in moments(runs, took_s, chance)]
    plan += [("server", after_s) for after_s in moments(servers, took_s, chance)]
    chance.shuffle(plan)
    for kind, after_s in plan:
        yield benchmark.killed(kind, after_s, expected)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of all kills; the exit code is 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=int, default=20, metavar="N", help="kills of the run")
    parser.add_argument("--server", type=int, default=10, metavar="N", help="kills of the embedded server")
    parser.add_argument("--traces", type=int, default=24, metavar="N", help="of each team and day")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    for name in [name for name in os.environ if name.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_", "DAGSTER_"))]:
        del os.environ[name]
    # Read when the definitions are imported.
    os.environ["LLMA_OLDEST_DAY"] = str(DAY - timedelta(days=DAYS - 1))
    folder = Path(tempfile.mkdtemp(prefix="llma-kills-"))
    try:
        found = []
        for trial in kills(options.run, options.server, traces=options.traces, seed=options.seed, folder=folder):
            if not found:
                print("| killed | after | at | exit code | rows then | requests | lost | doubled |")
                print("|---|--:|---|--:|--:|--:|--:|--:|")
            found.append(trial)
            print(
                f"| {trial.kind} | {trial.after_s:.1f} s | {trial.at or 'over already'} | {trial.exit_code} "
                f"| {trial.stored:,} | {trial.calls} | {trial.lost} | {trial.doubled} |",
                flush=True,
            )
        wrong = sum(bool(trial.lost or trial.doubled) for trial in found)
        print(f"\n{len(found)} kills, {len(found) - wrong} times equal row by row to the undisturbed run.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
