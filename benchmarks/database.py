"""Times the embedded server as the pipeline uses it: start, small queries, vectors, inserts, memory.

    python benchmarks/database.py

Every figure is the median of several runs on a fresh server; memory is the server's own peak, from Linux' /proc.
"""

import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from llma_assets.clickhouse import Database, connect, start, status, stop
from llma_assets.settings import Settings

VECTORS, DIMENSION = 2_000, 3_072
EVENTS, PROPERTIES_BYTES = 20_000, 2_000
VECTOR_SQL = "SELECT document_id, embedding FROM document_embeddings FINAL WHERE team_id = {team_id:Int64}"


def median_s(action: Callable[[], object], times: int) -> float:
    """Median wall time of `action`, seconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def peak_mb(folder: Path) -> float:
    """The most memory that the server has held, MB."""
    state = status(folder)
    lines = Path(f"/proc/{state.pid if state else 0}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def show(what: str, figure: float, unit: str) -> None:
    print(f"{what:<58}{figure:>10.2f} {unit}")


def vectors(database: Database) -> None:
    """2,000 vectors of 3,072 floats in and out."""
    floats = np.random.default_rng(0).standard_normal(VECTORS * DIMENSION, dtype=np.float32)
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(floats), DIMENSION).cast(pa.list_(pa.float32()))
    table = pa.table(
        {
            "team_id": pa.array([1] * VECTORS, pa.int64()),
            **{name: ["x"] * VECTORS for name in ("product", "document_type", "model_name", "rendering", "content")},
            "document_id": [f"trace-{number}" for number in range(VECTORS)],
            "timestamp": pa.array([datetime(2026, 11, 7, tzinfo=UTC)] * VECTORS, pa.timestamp("us", "UTC")),
            "metadata": ["{}"] * VECTORS,
            "embedding": embedding,
        }
    )
    size = f"{VECTORS:,} x {DIMENSION:,} floats"
    insert = median_s(lambda: database.insert_arrow("document_embeddings", table), 3)
    show(f"insert_arrow, {size}", insert * 1000, "ms")
    show(f"arrow, {size}", median_s(lambda: database.arrow(VECTOR_SQL, team_id=1), 5) * 1000, "ms")
    show(f"rows, {size}", median_s(lambda: database.rows(VECTOR_SQL, team_id=1), 3) * 1000, "ms")


def events(database: Database) -> None:
    """Events with 2 kB of properties in and out."""
    rng = np.random.default_rng(0)
    letters = rng.integers(97, 123, (EVENTS, PROPERTIES_BYTES), dtype=np.uint8)
    day = datetime(2026, 11, 7, tzinfo=UTC)
    rows = [
        {
            "uuid": uuid.UUID(int=number),
            "event": "$ai_generation",
            "team_id": 1,
            "distinct_id": "d",
            "timestamp": day,
            "properties": letters[number].tobytes().decode(),
        }
        for number in range(EVENTS)
    ]
    megabytes = EVENTS * PROPERTIES_BYTES / 1e6
    show("insert_rows, events of 2 kB", megabytes / median_s(lambda: database.insert_rows("events", rows), 3), "MB/s")
    sql = "SELECT * FROM events FINAL WHERE team_id = {team_id:Int64}"
    read = median_s(lambda: sum(1 for _ in database.stream(sql, team_id=1)), 3)
    show("stream, events of 2 kB", megabytes / read, "MB/s")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as name:
        folder = Path(name)
        show("first start, nothing on disk", median_s(lambda: start(folder), 1), "s")
        stop(folder)
        show("stop, and start of an existing folder", median_s(lambda: (stop(folder), start(folder)), 3), "s")
        settings = Settings.from_env({"LLMA_DATA_DIR": name})
        show("connect with all migrations to apply", median_s(lambda: connect(settings).close(), 1), "s")
        show("connect with nothing to do", median_s(lambda: connect(settings).close(), 5) * 1000, "ms")
        with connect(settings) as database:
            show("peak memory of the server, at rest", peak_mb(folder), "MB")
            show("SELECT 1", median_s(lambda: database.value("SELECT 1"), 200) * 1000, "ms")
            vectors(database)
            events(database)
            show("peak memory of the server, after all this", peak_mb(folder), "MB")
        show("stop", median_s(lambda: stop(folder), 1), "s")


if __name__ == "__main__":
    main()
