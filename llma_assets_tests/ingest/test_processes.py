"""Ingest in processes of its own: several at the same time, and killed at any moment."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ingest import ingest
from llma_assets.private_files import private_folder
from llma_assets.settings import Settings
from llma_assets_tests.ingest.events import clock, event, lines, stored

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from llma_assets.clickhouse import connect
from llma_assets.ingest import IngestLimits, ingest
from llma_assets.private_files import private_folder
from llma_assets.settings import Settings
settings = Settings.from_env()
limits = IngestLimits(batch_rows=int(sys.argv[2]))
show = lambda progress: print(progress.inserted, flush=True)
clock = lambda: datetime(2026, 11, 8, tzinfo=UTC)
with connect(settings) as database:
    ingest(Path(sys.argv[1]), database, rejects=settings.rejects_dir, limits=limits, progress=show, clock=clock)
"""


def started(path: Path, settings: Settings, batch_rows: int) -> subprocess.Popen[bytes]:
    assert settings.clickhouse_url is not None
    environ = {
        **os.environ,
        "CLICKHOUSE_URL": settings.clickhouse_url,
        "LLMA_DATA_DIR": str(settings.data_dir),
    }
    arguments = [sys.executable, "-c", PROGRAM, str(path), str(batch_rows)]
    return subprocess.Popen(arguments, env=environ, stdout=subprocess.PIPE)


MANY = 12_000
"""Events that take longer to store than a busy machine takes to start four processes."""


def test_four_at_the_same_time_store_and_count_each_event_once(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(*(event(number, team_id=1 + number % 2) for number in range(MANY))))
    private_folder(settings.data_dir)
    processes = [started(path, settings, batch_rows=50) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    counts = [int(output.split()[-1]) for output in outputs]
    assert sum(counts) == stored(database) == MANY
    assert max(counts) < MANY  # they did work side by side
    assert database.value("SELECT uniqExact(team_id, uuid) FROM events") == MANY


def test_killed_at_any_moment_it_goes_on_where_it_was(settings: Settings, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(*(event(number) for number in range(4000)), b"bad"))
    before = 0
    for pause in (0.0, 0.01, 0.03):
        process = started(path, settings, batch_rows=50)
        assert process.stdout is not None
        while int(process.stdout.readline()) == 0:
            pass  # what earlier runs have stored
        time.sleep(pause)  # the moment of the kill, not a wait for anything
        process.kill()
        process.wait()
        process.stdout.close()
        assert stored(database) >= before + 50
        before = stored(database)
    assert before < 4000
    report = ingest(path, database, rejects=settings.rejects_dir, clock=clock)
    assert list(settings.rejects_dir.iterdir()) == [report.rejects_file]
    assert report.inserted == 4000 - before
    assert database.value("SELECT uniqExact(uuid) FROM events") == stored(database) == 4000
