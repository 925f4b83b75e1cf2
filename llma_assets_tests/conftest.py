"""Fixtures that all rooms share: a real embedded ClickHouse, one server a test process, for each test a
database of its own."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clickhouse import Database, ServerState, connect, start, stop
from llma_assets.clickhouse.connecting import open_database
from llma_assets.clickhouse.lifecycle import address
from llma_assets.clickhouse.link import Link
from llma_assets.models import OfflineEmbedder
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


TABLES = """
SELECT name, ifNull(total_rows, 1) AS rows, create_table_query
FROM system.tables
WHERE database = {name:String}
ORDER BY name
"""


class UsedDatabases:
    """Migrated databases that tests have given back: emptying one takes a tenth of the time of making one."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._free: list[str] = []
        self._as_migrated: list[tuple[str, str]] = []

    def take(self) -> str:
        """A name: of an empty, migrated database, or of none that is there yet."""
        return self._free.pop() if self._free else f"test_{secrets.token_hex(6)}"

    def made(self, name: str) -> None:
        """Told of a database that has just been migrated, before a test has it."""
        self._as_migrated = self._as_migrated or self._schema(name, self._server.rows(TABLES, name=name))

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; one whose tables a test has changed is dropped."""
        rows = self._server.rows(TABLES, name=name)
        if not rows or self._schema(name, rows) != self._as_migrated:
            self._server.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)
            return
        for row in rows:
            if row["rows"] and row["name"] != "schema_migrations":
                self._server.execute(
                    "TRUNCATE TABLE {name:Identifier}.{table:Identifier}", name=name, table=row["name"]
                )
        self._free.append(name)

    def _schema(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
        """The tables with their definitions, and how many migrations are noted."""
        noted = self._server.value("SELECT count() FROM {name:Identifier}.schema_migrations FINAL", name=name)
        tables = [(row["name"], row["create_table_query"].replace(name, "")) for row in rows]
        return [*tables, ("schema_migrations", str(noted))]


@pytest.fixture(scope="session")
def used_databases(default_database: Database) -> UsedDatabases:
    """What tests of this process have left behind."""
    return UsedDatabases(default_database)


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    data_dir: Path,
    server: ServerState,
    default_database: Database,
    used_databases: UsedDatabases,
    tmp_path: Path,
) -> Iterator[Settings]:
    """Settings of a database on the embedded server, reached as any other server by CLICKHOUSE_URL.

    A test that asks for `database`, too, gets an empty, migrated one; for others there is none yet, and whoever
    connects first makes it. No key, no model server.
    """
    host, port, user, password = address(data_dir, server)
    shares = "database" in request.fixturenames
    name = used_databases.take() if shares else f"test_{secrets.token_hex(6)}"
    url = f"http://{user}:{password}@{host}:{port}/{name}"
    yield replace(Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / "llma")}), clickhouse_url=url)
    if shares:
        used_databases.give_back(name)
    else:
        default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)


@pytest.fixture
def database(settings: Settings, used_databases: UsedDatabases) -> Iterator[Database]:
    """An empty, migrated database of the embedded server."""
    with connect(settings) as opened:
        used_databases.made(opened.name)
        yield opened


@pytest.fixture(scope="session")
def vectors_made() -> dict[str, NDArray[np.float32]]:
    """What the offline embedder made of each text in this process."""
    return {}


@pytest.fixture(autouse=True)
def vectors_are_made_once(monkeypatch: pytest.MonkeyPatch, vectors_made: dict[str, NDArray[np.float32]]) -> None:
    """Keep what the offline embedder makes of a text: the same small traffic is embedded by hundreds of tests.

    The vectors are the real ones; a text has the same bytes in any company. The embedder's own tests make them anew.
    """
    real = OfflineEmbedder._embed

    def remembered(self: OfflineEmbedder, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = list(dict.fromkeys(text for text in texts if text not in vectors_made))
        vectors_made.update(zip(missing, real(self, missing), strict=True))
        return np.stack([vectors_made[text] for text in texts]) if texts else real(self, texts)

    monkeypatch.setattr(OfflineEmbedder, "_embed", remembered)
