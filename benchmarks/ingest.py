"""Speed and memory of `llma_assets.ingest` into the embedded server: `python -m benchmarks.ingest [FILE …]`.

For each file, in a process and a data folder of its own: the first ingest, which stores everything, and the
second, which finds everything stored. MB are 10^6 bytes of JSON, after unpacking. The start of the server is
timed on its own.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from llma_assets.clickhouse import connect, status, stop
from llma_assets.ingest import ingest
from llma_assets.settings import Settings

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
DEFAULT = ("airline_agent.events.jsonl.gz", "service_dialogues.events.jsonl.gz")
COLUMNS = f"{'file':<36} {'run':<7} {'events':>7} {'MB':>6} {'s':>6} {'MB/s':>6} {'client MB':>10} {'server MB':>10}"


def main(arguments: list[str]) -> int:
    """Measure the files of the command line, by default the shared ones; 2 if one is missing."""
    paths = [Path(argument) for argument in arguments] or [SHARED / name for name in DEFAULT]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    print(COLUMNS)
    for path in paths:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(path,))
        process.start()
        process.join()
        if process.exitcode:
            return 1
    return 0


def measure(path: Path) -> None:
    """Ingest `path` twice into a fresh embedded server and print a row for each."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            started = time.monotonic()
            with connect(settings) as database:
                print(f"{path.name:<36} server and schema ready after {time.monotonic() - started:.2f} s")
                for run in ("first", "second"):
                    report = ingest(path, database, rejects=settings.rejects_dir)
                    megabytes = report.bytes / 1e6
                    print(
                        f"{path.name:<36} {run:<7} {report.inserted:>7,} {megabytes:>6.1f} {report.duration_s:>6.2f} "
                        f"{megabytes / report.duration_s:>6.1f} {own_peak_mb():>10.0f} "
                        f"{peak_mb_of_server(settings.data_dir):>10}",
                        flush=True,
                    )
        finally:
            stop(settings.data_dir)


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
