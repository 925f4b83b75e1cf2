"""A database that is there for a `with` block."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.settings import Settings


@contextmanager
def temporary_database() -> Iterator[Database]:
    """An empty, migrated database on an embedded server of its own, in a temporary folder; it needs `[embedded]`.

    The server takes a second or two to start: share one database among tests, and give each test a team of its own.

    Raises:
        DatabaseUnavailable: the server does not start.
    """
    with tempfile.TemporaryDirectory(prefix="llma-testing-", ignore_cleanup_errors=True) as folder:
        try:
            with connect(Settings.from_env({"LLMA_DATA_DIR": folder})) as database:
                yield database
        finally:
            stop(Path(folder))
