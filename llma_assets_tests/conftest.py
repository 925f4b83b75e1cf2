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
from llma_assets.clickhouse.lifecycle import address
from llma_assets.settings import Settings


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data folder for this test process; its embedded server ends with the session."""
    os.environ["LLMA_IDLE_MINUTES"] = "5"
    folder = Path(tempfile.mkdtemp(prefix="llma-tests-"))
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> ServerState:
    """The embedded server of this test process."""
    return start(data_dir)


@pytest.fixture
def settings(data_dir: Path, server: ServerState, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh database on the embedded server, reached as any other server by CLICKHOUSE_URL.

    The database is made by whoever connects first, and dropped after the test. No key, no model server.
    """
    host, port, user, password = address(data_dir, server)
    name = f"test_{secrets.token_hex(6)}"
    url = f"http://{user}:{password}@{host}:{port}/{name}"
    fresh = Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / "llma")})
    yield replace(fresh, clickhouse_url=url)
    with connect(replace(fresh, clickhouse_url=url.rpartition("/")[0] + "/default")) as default:
        default.execute("DROP DATABASE IF EXISTS {name:Identifier} SYNC", name=name)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A fresh, migrated database of the embedded server."""
    with connect(settings) as opened:
        yield opened
