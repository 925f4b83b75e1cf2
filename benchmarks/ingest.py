"""Speed and memory of `llma_assets.ingest` into the embedded server: `python -m benchmarks.ingest [--years] [FILE …]`.

For each file, in a process and a data folder of its own: the first ingest, which stores everything, and the
second, which finds everything stored. MB are 10^6 bytes of JSON, after unpacking. The start of the server is
timed on its own. `--years` adds made files of ten years of history: large events (those of the airline runs, three
times) sorted by time and shuffled, and 150,000 small ones shuffled. CPU is that of client and server together;
`parts` are those that the table has been given, and keeps. `--growing N …` instead ingests made files of so many events
of a thousand teams in a week, once each, to see that the price of an event stays the same.
"""

import argparse
import gzip
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from llma_assets.clickhouse import Database, connect, status, stop
from llma_assets.ingest import IngestReport, ingest
from llma_assets.settings import Settings

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
DEFAULT = ("airline_agent.events.jsonl.gz", "service_dialogues.events.jsonl.gz")
COLUMNS = (
    f"{'file':<36} {'run':<7} {'events':>7} {'MB':>6} {'s':>6} {'MB/s':>6} {'CPU s':>6} {'client MB':>10} "
    f"{'server MB':>10} {'parts':>11}"
)
YEARS_FROM = datetime(2016, 1, 1, tzinfo=UTC)
YEARS_S = 10 * 365 * 86_400
SMALL_EVENTS = 150_000

PARTS = """
SELECT count() AS given, countIf(active) AS kept
FROM system.parts
WHERE database = currentDatabase() AND table = 'events'
"""


def main(arguments: list[str]) -> int:
    """Measure the files of the command line, by default the shared ones; 2 if one is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--years", action="store_true", help="also made files of ten years")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--growing", nargs="+", type=int, metavar="N", help="only made files of so many events")
    options = parser.parse_args(arguments)
    if options.growing:
        return growing(options.growing)
    paths = options.files or [SHARED / name for name in DEFAULT]
    needed = paths + ([SHARED / DEFAULT[0]] if options.years else [])
    missing = sorted({str(path) for path in needed if not path.is_file()})
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    print(COLUMNS)
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        if options.years:
            in_a_process(write_years_of_history, Path(folder))
        for path in [*paths, *sorted(Path(folder).iterdir())]:
            in_a_process(measure, path)
    return 0


def in_a_process(work: Callable[[Path], None], path: Path) -> None:
    """Do it in a process of its own, whose memory is its own, too."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(path,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(1)


def write_years_of_history(folder: Path) -> None:
    """Make the files of ten years."""
    chance = random.Random(1)
    with gzip.open(SHARED / DEFAULT[0]) as file:
        sent = [orjson.loads(line) for line in file]
    large = [{**event, **when_and_which(chance)} for _ in range(3) for event in sent]
    large.sort(key=lambda event: str(event["timestamp"]))
    write(folder / "ten_years_sorted.jsonl", large)
    chance.shuffle(large)
    write(folder / "ten_years_shuffled.jsonl", large)
    small = [
        {
            "event": "$ai_span",
            "team_id": 1 + number % 2,
            "distinct_id": f"user-{number % 1000}",
            **when_and_which(chance),
            "properties": {"$ai_trace_id": f"trace-{number // 3}", "text": "x" * 150},
        }
        for number in range(SMALL_EVENTS)
    ]
    write(folder / "ten_years_small_shuffled.jsonl", small)


def growing(sizes: list[int]) -> int:
    """Ingest made files of these numbers of events, each once, and print a row for each."""
    print("| events | MB | s | MB/s | CPU s | µs of CPU an event | MB a CPU s | client MB | server MB | parts |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
            path = Path(folder) / f"{size}.jsonl"
            write_a_week(path, size)
            in_a_process(measure_once, path)
    return 0


def write_a_week(path: Path, events: int) -> None:
    """A week of a thousand teams in the order of time, an event of about 600 bytes a line."""
    text = "The user asks about a delivery that has not come, and the agent looks for it in the system of orders. " * 3
    with path.open("wb") as file:
        for number in range(events):
            moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=number * 7 * 86_400 / events)
            event = {
                "uuid": str(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)),
                "event": "$ai_generation",
                "team_id": 1 + number % 1000,
                "distinct_id": f"user-{number % 9973}",
                "timestamp": moment.isoformat(),
                "properties": {
                    "$ai_trace_id": f"trace-{number // 3}",
                    "$ai_model": "gpt-6-luna",
                    "$ai_latency": number % 97 / 10,
                    "$ai_input": [{"role": "user", "content": f"{number}: {text[: 100 + number % 190]}"}],
                    "$ai_output_choices": [{"role": "assistant", "content": text[: 50 + number % 130]}],
                },
            }
            file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))


def measure_once(path: Path) -> None:
    """Ingest `path` into a fresh embedded server and print a row."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            with connect(settings) as database:
                before = cpu_s(settings.data_dir)
                report = ingest(path, database, rejects=settings.rejects_dir)
                spent, megabytes = cpu_s(settings.data_dir) - before, report.bytes / 1e6
                found = database.value("SELECT count() FROM events")
                assert found == report.inserted, f"{found:,} of {report.inserted:,} events are stored"
                (parts,) = database.rows(PARTS)
                print(
                    f"| {report.inserted:,} | {megabytes:,.0f} | {report.duration_s:.0f} "
                    f"| {megabytes / report.duration_s:.1f} | {spent:.1f} | {spent / report.inserted * 1e6:.1f} "
                    f"| {megabytes / spent:.1f} | {own_peak_mb():.0f} | {peak_mb_of_server(settings.data_dir)} "
                    f"| {parts['kept']} |",
                    flush=True,
                )
        finally:
            stop(settings.data_dir)


def when_and_which(chance: random.Random) -> dict[str, Any]:
    """A moment within the ten years, and an id."""
    moment = YEARS_FROM + timedelta(seconds=chance.random() * YEARS_S)
    return {"timestamp": moment.isoformat(), "uuid": str(UUID(int=chance.getrandbits(128)))}


def write(path: Path, events: list[dict[str, Any]]) -> None:
    """The events as lines of a file."""
    path.write_bytes(b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events))


def measure(path: Path) -> None:
    """Ingest `path` twice into a fresh embedded server and print a row for each."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            started = time.monotonic()
            with connect(settings) as database:
                print(f"{path.name:<36} server and schema ready after {time.monotonic() - started:.2f} s")
                for run in ("first", "second"):
                    before = cpu_s(settings.data_dir)
                    report = ingest(path, database, rejects=settings.rejects_dir)
                    require_stored(database, report)
                    megabytes = report.bytes / 1e6
                    (parts,) = database.rows(PARTS)
                    print(
                        f"{path.name:<36} {run:<7} {report.inserted:>7,} {megabytes:>6.1f} {report.duration_s:>6.2f} "
                        f"{megabytes / report.duration_s:>6.1f} {cpu_s(settings.data_dir) - before:>6.1f} "
                        f"{own_peak_mb():>10.0f} {peak_mb_of_server(settings.data_dir):>10} "
                        f"{parts['given']:>5} {parts['kept']:>5}",
                        flush=True,
                    )
        finally:
            stop(settings.data_dir)


def require_stored(database: Database, report: IngestReport) -> None:
    """What is said to be stored is stored."""
    found = database.value("SELECT uniqExact(team_id, uuid) FROM events")
    assert found >= report.accepted - report.duplicates, f"{found:,} of {report.inserted:,} events are stored"


def cpu_s(data_dir: Path) -> float:
    """CPU seconds of this process and of the server so far; its own alone where the system does not tell."""
    own = time.process_time()
    state = status(data_dir)
    stat = Path(f"/proc/{state.pid}/stat") if state is not None else None
    if stat is None or not stat.exists():
        return own
    fields = stat.read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_peak_mb() -> float:
    """Peak resident memory of this process, in MB; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def peak_mb_of_server(data_dir: Path) -> str:
    """Peak resident memory of the embedded server, in MB; a dash where the system does not tell."""
    state = status(data_dir)
    lines = Path(f"/proc/{state.pid}/status") if state is not None else None
    if lines is None or not lines.exists():
        return "-"
    peak = next(line for line in lines.read_text().splitlines() if line.startswith("VmHWM"))
    return f"{int(peak.split()[1]) * 1024 / 1e6:.0f}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
