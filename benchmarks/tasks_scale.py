"""How time and memory of a first pass grow with the segments: `python -m benchmarks.tasks_scale`.

Each size runs in a process of its own on a fresh embedded database: segments of planted topics of unequal sizes with
noise among them, as vectors of the given dimension; then a second pass over 1,000 more. The offline model labels.
Also: how long 1,000 groups take to be matched with 10,000 tasks. Prints Markdown; writes a temporary folder only.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.models import OfflineChat
from llma_assets.settings import Settings
from llma_assets.tasks import cluster_new_segments, list_tasks, match_tasks, update_tasks
from llma_assets.tasks.segment_queries import DOCUMENT_TYPE, PRODUCT, RENDERING

MODEL = "benchmark/topics"
START = datetime(2026, 11, 1, tzinfo=UTC)
MORE = 1_000
TOPICS = 400
SPREAD = 0.5
NOISE_SHARE = 0.3


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--dimensions", type=int, nargs="*", default=[384])
    parser.add_argument("--one", type=int, nargs=2, metavar=("SIZE", "DIMENSION"), help="one size, as JSON")
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(one_size(*options.one)))
        return
    print("| segments | dimension | first pass, s | 1,000 more, s | tasks | peak memory, MB | a segment, ms |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for dimension in options.dimensions:
        for size in options.sizes:
            command = [sys.executable, "-m", "benchmarks.tasks_scale", "--one", str(size), str(dimension)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            print(
                f"| {size:,} | {dimension:,} | {found['first_s']:.1f} | {found['more_s']:.1f} | {found['tasks']:,} "
                f"| {found['peak_mb']:,.0f} | {1000 * found['first_s'] / size:.2f} |",
                flush=True,
            )
    for dimension in (384, 1_536, 3_072):
        print(f"\n1,000 groups with 10,000 tasks, {dimension:,} dimensions: {matching_s(dimension):.2f} s", flush=True)


def one_size(size: int, dimension: int) -> dict[str, Any]:
    """Measure one size in this process; the server's memory is not counted."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        try:
            with connect(Settings.from_env({"LLMA_DATA_DIR": folder})) as database:
                rng = np.random.default_rng(1)
                centres = rng.normal(size=(TOPICS, dimension)).astype(np.float32)
                for first in range(0, size, 5_000):
                    _store(database, rng, centres, first, min(5_000, size - first))
                now = START + timedelta(days=1)
                first_s = _pass(database, now)
                _store(database, rng, centres, size, MORE)
                more_s = _pass(database, now)
                tasks = len(list_tasks(database, 1, now=now))
        finally:
            stop(Path(folder))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"first_s": first_s, "more_s": more_s, "tasks": tasks, "peak_mb": peak_mb}


def matching_s(dimension: int) -> float:
    """Seconds for 1,000 groups against 10,000 tasks, the best of three."""
    rng = np.random.default_rng(2)
    tasks = rng.normal(size=(10_000, dimension)).astype(np.float32)
    groups = tasks[:1_000] + 0.1 * rng.normal(size=(1_000, dimension)).astype(np.float32)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        match_tasks(groups, tasks)
        times.append(time.perf_counter() - started)
    return min(times)


def _pass(database: Database, now: datetime) -> float:
    started = time.perf_counter()
    cluster_new_segments(database, 1, model_name=MODEL, now=now)
    update_tasks(database, 1, OfflineChat(), now=now)
    return time.perf_counter() - started


def _store(database: Database, rng: np.random.Generator, centres: NDArray[np.float32], first: int, count: int) -> None:
    """Segments `first` to `first + count`: topics of unequal frequency, and a part that is like nothing."""
    import pyarrow as pa

    dimension = centres.shape[1]
    shares = 1 / np.arange(1, len(centres) + 1)
    topic = rng.choice(len(centres), size=count, p=shares / shares.sum())
    vectors = centres[topic] + SPREAD * rng.normal(size=(count, dimension)).astype(np.float32)
    alone = rng.random(count) < NOISE_SHARE
    vectors[alone] = rng.normal(size=(int(alone.sum()), dimension))
    vectors = vectors.astype(np.float32)
    times = [START + timedelta(seconds=0.5 * (first + index)) for index in range(count)]
    flat = pa.array(vectors.reshape(-1), pa.float32())
    offsets = pa.array(np.arange(0, (count + 1) * dimension, dimension, dtype=np.int32))
    database.insert_arrow(
        "document_embeddings",
        pa.table(
            {
                "team_id": pa.array([1] * count, pa.int64()),
                "product": [PRODUCT] * count,
                "document_type": [DOCUMENT_TYPE] * count,
                "model_name": [MODEL] * count,
                "rendering": [RENDERING] * count,
                "document_id": [f"s{first + index}:0:10" for index in range(count)],
                "timestamp": pa.array(times, pa.timestamp("us", "UTC")),
                "inserted_at": pa.array(times, pa.timestamp("us", "UTC")),
                "content": [
                    f"Something {'about ' + str(t) if not a else 'odd'} {'failed' if t % 3 == 0 else 'was seen'}"
                    for t, a in zip(topic.tolist(), alone.tolist(), strict=True)
                ],
                "metadata": [
                    json.dumps(
                        {
                            "distinct_id": f"user-{(first + index) % 997}",
                            "start": when.isoformat(),
                            "end": when.isoformat(),
                        }
                    )
                    for index, when in enumerate(times)
                ],
                "embedding": pa.ListArray.from_arrays(offsets, flat),
            }
        ),
    )


if __name__ == "__main__":
    main()
