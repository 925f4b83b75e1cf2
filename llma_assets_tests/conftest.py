"""Fixtures that all rooms share: a real embedded ClickHouse, one server a test process, one database a test."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database, ServerState, connect, start, stop
from llma_assets.clickhouse.database import open_database
from llma_assets.clickhouse.lifecycle import address
from llma_assets.clickhouse.link import Link
from llma_assets.settings import Settings

MEMORY = Path("/dev/shm")
"""Where a database costs no disk; thousands of small files take their time on one."""


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 4 << 30


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data folder for this test process; its embedded server ends with the session."""
    os.environ["LLMA_IDLE_MINUTES"] = "5"
    folder = Path(tempfile.mkdtemp(prefix="llma-tests-", dir=MEMORY if _has_room(MEMORY) else None))
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> ServerState:
    """The embedded server of this test process."""
    return start(data_dir)


@pytest.fixture(scope="session")
def default_database(data_dir: Path, server: ServerState) -> Iterator[Database]:
    """The server's own database, without a schema, to make and drop others from."""
    settings = Settings.from_env({"LLMA_DATA_DIR": str(data_dir)})
    with open_database(Link(settings), "default") as opened:
        yield opened


@pytest.fixture
def settings(data_dir: Path, server: ServerState, default_database: Database, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh database on the embedded server, reached as any other server by CLICKHOUSE_URL.

    The database is made by whoever connects first, and dropped after the test. No key, no model server.
    """
    host, port, user, password = address(data_dir, server)
    name = f"test_{secrets.token_hex(6)}"
    url = f"http://{user}:{password}@{host}:{port}/{name}"
    yield replace(Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / "llma")}), clickhouse_url=url)
    default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A fresh, migrated database of the embedded server."""
    with connect(settings) as opened:
        yield opened
