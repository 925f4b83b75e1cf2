"""A full disk under the embedded server: what does not fit is refused, and nothing is damaged.

Takes root and Linux, to mount a small disk.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.small_disk import CannotMount, SmallDisk, small_disk
from llma_assets.clickhouse import Database, DatabaseError, DatabaseUnavailable, start, status, stop
from llma_assets.clickhouse.client import SharedClient
from llma_assets.clickhouse.connecting import open_database
from llma_assets.clickhouse.lifecycle import address
from llma_assets.clickhouse.server.disk_space import DiskSpace
from llma_assets.settings import Settings
from llma_assets_tests.clickhouse.conftest import Ask, asking

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.process

NOT_ENOUGH_SPACE = 243
FOUR_MB = "SELECT toInt64(2) AS team_id, number AS n, randomPrintableASCII(1000) AS words FROM numbers(4000)"
FORMATS = ("JSONEachRow", "CSV", "Values", "Native", "RowBinary", "ArrowStream", "Parquet")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    try:
        with small_disk(tmp_path_factory.mktemp("full") / "disk", 48) as mounted:
            yield mounted
    except CannotMount as error:
        pytest.skip(f"no small disk can be mounted: {error}")


@pytest.fixture(scope="module")
def data_dir_on_it(disk: SmallDisk) -> Iterator[Path]:
    yield disk.path / "data"
    disk.make_room()
    stop(disk.path / "data")


@pytest.fixture(params=[False, True], ids=["full", "nearly full"])
def leave_bytes(request: pytest.FixtureRequest, disk: SmallDisk) -> int:
    """What is left on the disk: nothing, or what one small insert needs."""
    return DiskSpace(disk.path).reserved_bytes + (64 << 10) if request.param else 0


@pytest.fixture
def server(disk: SmallDisk, data_dir_on_it: Path) -> Iterator[Database]:
    """A server on the disk, with much room, and a table with a row of team 1."""
    with open_database(SharedClient(Settings.from_env({"LLMA_DATA_DIR": str(data_dir_on_it)})), "default") as opened:
        opened.execute("CREATE TABLE t (team_id Int64, n UInt64, words String) ENGINE = MergeTree ORDER BY n")
        opened.execute("INSERT INTO t VALUES (1, 7, 'x')")
        yield opened
        disk.make_room()
        opened.execute("DROP TABLE t SYNC")


@pytest.fixture
def ask(server: Database, data_dir_on_it: Path) -> Iterator[Ask]:
    host, port, user, password = address(data_dir_on_it, start(data_dir_on_it))
    with asking(f"http://{user}:{password}@{host}:{port}/default") as send:
        yield send


def is_sound(ask: Ask) -> bool:
    """Whether the table can be written, all its parts are whole, and all that was stored is team 1's."""
    ask(b"INSERT INTO t VALUES (1, 8, 'y')")
    parts = ask(b"CHECK TABLE t SETTINGS check_query_single_value_result = 0 FORMAT TSV").body.splitlines()
    rows = ask(b"SELECT team_id, n, words FROM t ORDER BY n LIMIT 3").body
    return rows == b"1\t7\tx\n1\t8\ty\n" and all(part.endswith(b"\t1\t") for part in parts)


def test_what_does_not_fit_is_an_error_in_every_format(
    disk: SmallDisk, server: Database, ask: Ask, leave_bytes: int
) -> None:
    data = {name: ask(f"{FOUR_MB} FORMAT {name}".encode()).body for name in FORMATS}
    table = server.arrow(FOUR_MB)
    disk.fill(leave_bytes=leave_bytes)
    codes = {name: ask(data[name], query=f"INSERT INTO t FORMAT {name}").code for name in FORMATS}
    assert codes == dict.fromkeys(FORMATS, NOT_ENOUGH_SPACE)
    for insert in (
        lambda: server.insert_rows("t", table.to_pylist()),
        lambda: server.insert_arrow("t", table),
        lambda: server.execute(f"INSERT INTO t {FOUR_MB}"),
    ):
        with pytest.raises(DatabaseError, match=r"\Athe disk of the database is full; free .{1,200}\Z") as caught:
            insert()
        assert caught.value.code == NOT_ENOUGH_SPACE
    disk.make_room()
    assert is_sound(ask)


def test_a_disk_that_fills_up_during_an_insert_is_an_error(disk: SmallDisk, server: Database, ask: Ask) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"2\t1\tx\n" * (1 << 18) for _ in range(2))
        disk.fill()

    assert ask(pieces(), query="INSERT INTO t FORMAT TSV").code == NOT_ENOUGH_SPACE
    disk.make_room()
    assert is_sound(ask)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n",
        "CREATE VIEW v AS SELECT 1",
        "CREATE DATABASE d",
        "ALTER TABLE t ADD COLUMN more String",
        "ALTER TABLE t DELETE WHERE n = 7 SETTINGS mutations_sync = 2",
        "DELETE FROM t WHERE n = 7",
        "RENAME TABLE t TO u",
        "OPTIMIZE TABLE t FINAL",
        "TRUNCATE TABLE t",
        "INSERT INTO FUNCTION file('out.csv') SELECT 1",
    ],
)
def test_on_a_full_disk_nothing_is_half_written(disk: SmallDisk, server: Database, ask: Ask, statement: str) -> None:
    disk.fill()
    with pytest.raises(DatabaseError) as caught:
        server.execute(statement)
    assert caught.value.code == NOT_ENOUGH_SPACE
    assert server.rows("SHOW TABLES") == [{"name": "t"}]
    disk.make_room()
    assert is_sound(ask)


def test_on_a_full_disk_one_reads_and_frees_space(disk: SmallDisk, server: Database) -> None:
    server.execute("CREATE TABLE u ENGINE = MergeTree ORDER BY n AS " + FOUR_MB)
    disk.fill()
    assert server.rows("SELECT count() AS rows, uniq(words) AS words FROM u") == [{"rows": 4000, "words": 4000}]
    server.execute("DROP TABLE u SYNC")
    assert disk.free_bytes() > 3 << 20
    server.execute("INSERT INTO t VALUES (1, 8, 'y')")


def test_a_server_that_ended_on_a_full_disk_starts_again_when_there_is_room(
    disk: SmallDisk, server: Database, data_dir_on_it: Path
) -> None:
    disk.fill()
    for statement in ("CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n", "INSERT INTO t VALUES (2, 1, 'z')"):
        with suppress(DatabaseError):
            server.execute(statement)
    stop(data_dir_on_it)
    disk.fill()
    with pytest.raises(DatabaseUnavailable, match=r"\A.{1,100}the disk of the database is full; free some space"):
        start(data_dir_on_it)
    assert status(data_dir_on_it) is None
    disk.make_room()
    server.execute("INSERT INTO t VALUES (1, 8, 'y')")
    assert server.rows("SELECT team_id, n, words FROM t ORDER BY n") == [
        {"team_id": 1, "n": 7, "words": "x"},
        {"team_id": 1, "n": 8, "words": "y"},
    ]


def test_merges_are_paused_while_disk_space_is_short(disk: SmallDisk, server: Database) -> None:
    log = disk.path / "data" / "clickhouse" / "server.log"
    begun = log.stat().st_size
    disk.fill()
    wait_for_line(log, begun, "merges are paused")
    disk.make_room()
    wait_for_line(log, begun, "merges are resumed")
    for number in range(3):
        server.execute("INSERT INTO t VALUES (1, {n:UInt64}, 'x')", n=number)
    server.execute("OPTIMIZE TABLE t FINAL")
    assert server.value("SELECT count() FROM system.parts WHERE table = 't' AND active") == 1


@pytest.mark.slow
def test_a_stage_that_meets_a_full_disk_fails_and_recovers(disk: SmallDisk) -> None:
    """One row of the matrix: texts of a day, on a disk that is full, and on one that is nearly so."""
    command = [sys.executable, "-m", "benchmarks.full_disk", "--stages", "trace_texts"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "trace_" in line]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row[1:4] for row in rows] == [["full", "1", "ok"], ["nearly full", "1", "ok"]]


def wait_for_line(log: Path, begun: int, words: str) -> None:
    """Read the log until it says so; the test's own time limit is the longest wait."""
    with log.open() as file:
        file.seek(begun)
        while words not in (file.readline() or os.sched_yield() or ""):
            pass
