"""Measure what reading a window of embeddings costs: time, and memory above the array that is read.

    python benchmarks/window.py                               # 100,000 items of 1,536 dimensions
    python benchmarks/window.py --items 20000 --dimensions 3072 --write

The items are planted in a database of their own (the embedded server, in a temporary data folder), a fresh process
reads them by `read_window`, as a clustering does, and tells its peak memory before and after. The server is another
process. `--write` puts the figures into benchmarks/results/window.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.clusters.store.window import read_window
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import TRACES

RESULTS = Path(__file__).resolve().parent / "results" / "window.md"
DAY = date(2026, 11, 7)
MODEL = "planted"
WANTED = 1.3
BATCH = 5000


def plant(database: Database, items: int, dimensions: int) -> None:
    """Store random embeddings of seven days."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    for start in range(0, items, BATCH):
        numbers = range(start, min(items, start + BATCH))
        vectors = rng.standard_normal((len(numbers), dimensions), dtype=np.float32)
        ids = [f"item-{number:07d}-{number % 97:02d}" for number in numbers]
        columns = {
            "team_id": pa.array([1] * len(ids), pa.int64()),
            "product": [PRODUCT] * len(ids),
            "document_type": [TRACES.document_type] * len(ids),
            "model_name": [MODEL] * len(ids),
            "rendering": [TRACES.rendering] * len(ids),
            "document_id": ids,
            "timestamp": pa.array(
                [midnight(DAY - timedelta(days=number % 7)) for number in numbers], pa.timestamp("us", "UTC")
            ),
            "content": [""] * len(ids),
            "metadata": [json.dumps({"trace_id": item_id}) for item_id in ids],
            "embedding": pa.ListArray.from_arrays(
                np.arange(0, vectors.size + 1, dimensions, dtype=np.int32), pa.array(vectors.reshape(-1))
            ),
        }
        database.insert_arrow("document_embeddings", pa.table(columns))


def read(items: int) -> dict[str, float]:
    """Read the window in this process; memory in MB."""
    import pyarrow as pa

    pa.array([0.0])  # loading the library is no part of reading
    with connect(Settings.from_env()) as database:
        warm = {"lookback_days": 7, "model_name": MODEL}
        read_window(database, TeamDay(2, DAY), TRACES, max_samples=1, **warm)
        before = resident_mb()
        started = time.perf_counter()
        window = read_window(database, TeamDay(1, DAY), TRACES, max_samples=items, **warm)
        took_s = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if len(window.item_ids) != items:
        raise SystemExit(f"{len(window.item_ids)} of {items} items were read")
    array = window.embeddings.nbytes / 2**20
    return {
        "took_s": took_s,
        "before_mb": before,
        "after_mb": after,
        "array_mb": array,
        "ratio": (after - before) / array,
    }


def resident_mb() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, read in a fresh process, print; 1 where reading took more memory than promised."""
    parser = argparse.ArgumentParser(description="Memory and time of reading a window of embeddings.")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.read:
        print(json.dumps(read(options.items)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LLMA_DATA_DIR": folder}
        os.environ.pop("CLICKHOUSE_URL", None)
        settings = Settings.from_env()
        try:
            with connect(settings) as database:
                plant(database, options.items, options.dimensions)
            command = [sys.executable, __file__, "--read", "--items", str(options.items)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        finally:
            stop(settings.data_dir)
    found = json.loads(done.stdout)
    grown = found["after_mb"] - found["before_mb"]
    text = (
        f"{options.items:,} x {options.dimensions:,} in {found['took_s']:.1f} s; the array has "
        f"{found['array_mb']:,.0f} MB, and at its peak memory was {grown:,.0f} MB above what it was before: "
        f"{found['ratio']:.2f} times the array, itself counted (at most {WANTED} wanted)"
    )
    print(text)
    if options.write:
        how = "Made by `python benchmarks/window.py`, whose docstring says how."
        RESULTS.write_text(f"# Reading a window, on two cores\n\n{how}\n\n{text}\n", encoding="utf-8")
    return 0 if found["ratio"] <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
