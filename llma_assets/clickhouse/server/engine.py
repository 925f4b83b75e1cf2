"""The chDB engine of this process, with one connection for each request.

chDB allows one engine a process and one process a folder, must not be open across a fork, and runs the queries of a
connection one by one. A further connection costs under 0.1 ms and has its own SET, USE and temporary tables. So each
request gets its own connection, and nothing of it is visible to the next.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from llma_assets.clickhouse.server.disk_space import DiskSpace
from llma_assets.clickhouse.server.errors import UNKNOWN_FORMAT, QueryError
from llma_assets.clickhouse.server.insert_pipe import InsertPipe
from llma_assets.clickhouse.server.statement import InsertHead, marked

log = logging.getLogger(__name__)

# Blocks of 32 MiB instead of a million rows: an insert of 500 MB takes 0.65 GB instead of 1.2, and half the time.
# Formats are read by one thread, in blocks of the same size: several hold a quarter of a GB more, and gain nothing
# where storing is what takes time.
_BLOCK_BYTES = 32 << 20
_SESSION_SETTINGS = (
    f"min_insert_block_size_bytes={_BLOCK_BYTES}&max_insert_block_size_bytes={_BLOCK_BYTES}"
    f"&input_format_max_block_size_bytes={_BLOCK_BYTES}&input_format_parallel_parsing=0"
    # Looking for chains like a < b < c takes a sixth of the time that a statement over sources needs to be planned.
    "&optimize_and_compare_chain=0"
)


@dataclass(slots=True)
class Counts:
    """Rows and bytes that a statement has read and written so far."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0


def quote(value: str) -> str:
    """A SQL string literal of `value`; only for SET, which takes no parameters."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def quote_name(name: str) -> str:
    """A SQL identifier; only for SET and temporary tables, which take no parameters."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


class Session:
    """One connection of the engine. Not thread-safe."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._streaming: Any = None
        self.counts = Counts()

    def apply(self, settings: Mapping[str, str]) -> None:
        """Set settings for this session alone."""
        if settings:
            pairs = ", ".join(f"{quote_name(name)} = {quote(value)}" for name, value in settings.items())
            self.run(f"SET {pairs}")

    def values_of(self, names: Iterable[str]) -> dict[str, str]:
        """The values of the named settings that this session has changed."""
        wanted = {name.lower() for name in names}
        rows = self.run("SELECT name, value FROM system.settings WHERE changed", "JSONCompactEachRow")
        changed = dict(json.loads(row) for row in rows.splitlines())
        return {name: value for name, value in changed.items() if name.lower() in wanted}

    def restore(self, names: Iterable[str], values: Mapping[str, str]) -> None:
        """Restore settings to `values`, the others to their defaults."""
        if default := [name for name in names if name not in values]:
            self.run("SET " + ", ".join(f"{quote_name(name)} = DEFAULT" for name in default))
        self.apply(values)

    def run(self, sql: str | bytes, output: str = "TabSeparated", parameters: Mapping[str, str] | None = None) -> bytes:
        """Run one statement and return all of its result."""
        try:
            result = self._connection.query(sql, output, params=dict(parameters or {}))
        except RuntimeError as error:
            raise QueryError.from_engine(error) from error
        self._count(result)
        return bytes(result.bytes())

    def stream(self, sql: str | bytes, output: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Yield the result of a query as one encoded piece for each block, in the memory of a few blocks."""
        try:
            handle = self._connection.send_query(sql, output, params=dict(parameters))
        except RuntimeError as error:
            raise QueryError.from_engine(error) from error
        self._streaming = handle
        while self._streaming is handle:
            try:
                result = self._connection.streaming_fetch_result(handle)
            except RuntimeError as error:
                self._streaming = None
                raise QueryError.from_engine(error) from error
            if result is None or result.rows_read() == 0:
                self._streaming = None
                return
            self._count(result)
            yield bytes(result.bytes())

    def cancel_stream(self) -> None:
        """Cancel a stream that is not read to its end. Closing the connection first would crash the engine."""
        if self._streaming is not None:
            handle, self._streaming = self._streaming, None
            self._connection.streaming_cancel_query(handle)

    def insert(
        self,
        head: InsertHead,
        data_format: str,
        data: Iterator[bytes],
        *,
        parameters: Mapping[str, str] | None = None,
        query_id: str = "",
        abort: Callable[[], None],
    ) -> None:
        """Run an INSERT with encoded rows in pieces; if `data` raises, no further row is stored.

        Args:
            abort: ends the running statement with this `query_id`.
        """
        if not data_format.isidentifier():
            raise QueryError.of(UNKNOWN_FORMAT, "UNKNOWN_FORMAT", f"Unknown format {data_format}")
        with InsertPipe(data, abort) as pipe:
            self.run(marked(head.from_file(pipe.path, data_format), query_id), parameters=parameters)

    def close(self) -> None:
        """Close the connection and drop its temporary tables."""
        self.cancel_stream()
        self._connection.close()

    def _count(self, result: Any) -> None:
        self.counts.read_rows += result.storage_rows_read()
        self.counts.read_bytes += result.storage_bytes_read()
        self.counts.written_rows += result.rows_written()
        self.counts.written_bytes += result.bytes_written()
        self.counts.result_rows += result.rows_read()
        self.counts.result_bytes += result.size()


class Engine:
    """The engine of one folder, relative to the working folder. Open it once, and do not fork afterwards."""

    def __init__(self, folder: str) -> None:
        self._connect = import_module("chdb._chdb").connect
        self.disk_space = DiskSpace(Path(folder).parent)
        self._path = (
            f"{folder}?{_SESSION_SETTINGS}&min_free_disk_bytes_to_perform_insert={self.disk_space.reserved_bytes}"
        )
        self._merges_paused = False
        self._anchor = self._connect(self._path)
        version = bytes(self._anchor.query("SELECT version(), timezone()", "TabSeparated").bytes())
        self.version, self.timezone = version.decode().strip().split("\t")

    def session(self) -> Session:
        """A fresh session with default settings."""
        return Session(self._connect(self._path))

    def pause_merges_if_short(self) -> None:
        """Pause merges while disk space is short, and resume them afterwards: a merge that fails reports no error.

        Raises:
            QueryError: the engine reported an error.
            OSError: the folder does not exist.
        """
        wait = self.disk_space.is_short()
        if wait == self._merges_paused:
            return
        session = self.session()
        try:
            session.run("SYSTEM STOP MERGES" if wait else "SYSTEM START MERGES")
        finally:
            session.close()
        self._merges_paused = wait
        log.info("merges are paused: too little disk space" if wait else "merges are resumed: enough disk space")

    def close(self) -> None:
        """Flush and shut the engine down."""
        self._anchor.close()
