"""Large and small inserts into the embedded engine: through a pipe, beside chDB's own `send_insert`.

    python -m benchmarks.large_inserts

`send_insert` is what the server used before: it reports success also where storage refused the rows. Each figure is
made in a process of its own, the two ways in turns; seconds are those of the CPU, of the faster of two, so that a busy
machine does not count; memory is the most that the process held beyond what it held before (Linux' /proc). About a
minute on two cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from llma_assets.clickhouse.server.engine import Engine, Session
from llma_assets.clickhouse.server.formats import join_arrow_streams
from llma_assets.clickhouse.server.statement import InsertHead

WAYS = ("send_insert", "pipe")
PIECE = 1 << 20
MEGABYTES = 400
CASES = [
    ("JSONEachRow", MEGABYTES),
    ("JSONEachRow", 4 * MEGABYTES),
    ("Native", MEGABYTES),
    ("RowBinary", MEGABYTES),
    ("ArrowStream", MEGABYTES),
    ("Native", 0),
]
"""Formats and sizes; 0 stands for 200 inserts of ten rows."""
TIMES = 2
ROWS = "SELECT number AS n, repeat(hex(sipHash128(number)), 31) AS s FROM numbers({rows})"
ROW_BYTES, BLOCK_ROWS = 1_000, 2_000
TABLE = "CREATE TABLE t (n UInt64, s String CODEC(ZSTD(1))) ENGINE = MergeTree ORDER BY n"


def insert(session: Session, way: str, data_format: str, pieces: Iterator[bytes]) -> None:
    """One insert in one of the two ways."""
    if way == "pipe":
        session.insert(InsertHead(b"INSERT INTO t", b"", data_format, 0), data_format, pieces, abort=lambda: None)
        return
    connection = session._connection
    handle = connection.send_insert("INSERT INTO t", data_format)
    for piece in pieces:
        connection.insert_append(handle, piece)
    connection.insert_done(handle)


def pieces_of(session: Session, data_format: str, megabytes: int) -> Iterator[bytes]:
    """The data in pieces, without holding all of it: one block of 2 MB again and again."""
    block = session.run(ROWS.format(rows=BLOCK_ROWS), data_format)
    blocks: Iterator[bytes] = repeat(block, megabytes * 1_000_000 // ROW_BYTES // BLOCK_ROWS)
    for data in join_arrow_streams(blocks) if data_format == "ArrowStream" else blocks:
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]


def held_mb(peak: bool) -> float:
    name = "VmHWM" if peak else "VmRSS"
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def measured(way: str, data_format: str, megabytes: int) -> dict[str, Any]:
    """Seconds and memory of one case, in this process."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-", ignore_cleanup_errors=True) as folder:
        session = Engine(folder).session()
        session.run("SET output_format_arrow_compression_method = 'none'")
        session.run(TABLE)
        if megabytes == 0:
            few = session.run(ROWS.format(rows=10), data_format)
            begun = time.process_time()
            for _ in range(200):
                insert(session, way, data_format, iter((few,)))
            return {"seconds": time.process_time() - begun, "mb": 0.0}
        pieces = pieces_of(session, data_format, megabytes)
        first = next(pieces)
        Path("/proc/self/clear_refs").write_text("5")
        before, begun = held_mb(peak=False), time.process_time()
        insert(session, way, data_format, chain((first,), pieces))
        seconds, peak = time.process_time() - begun, held_mb(peak=True)
        assert int(session.run("SELECT count() FROM t")) == megabytes * 1_000_000 // ROW_BYTES
        return {"seconds": seconds, "mb": peak - before}


def in_a_process(way: str, data_format: str, megabytes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.large_inserts", "--one", way, data_format, str(megabytes)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FORMAT", "MB"), help="one case, as JSON")
    one = parser.parse_args().one
    if one:
        print(json.dumps(measured(one[0], one[1], int(one[2]))), flush=True)
        return
    print("| format | data | send_insert | pipe | time | send_insert | pipe | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for data_format, megabytes in CASES:
        found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(TIMES):
            for way in WAYS:
                found[way].append(in_a_process(way, data_format, megabytes))
        seconds = [min(each["seconds"] for each in found[way]) for way in WAYS]
        memory = [max(each["mb"] for each in found[way]) for way in WAYS]
        size = f"{megabytes:,} MB" if megabytes else "200 × 10 rows"
        cells = (
            f"| {data_format} | {size} | {seconds[0]:.2f} s | {seconds[1]:.2f} s | × {seconds[1] / seconds[0]:.2f} |"
        )
        held = (
            f" {memory[0]:,.0f} MB | {memory[1]:,.0f} MB | × {memory[1] / memory[0]:.2f} |" if megabytes else " | | |"
        )
        print(cells + held, flush=True)


if __name__ == "__main__":
    main()
