"""`Database`: queries and inserts with server-side parameters, for all rooms. Statements belong in the rooms.

Values never become SQL text. All inserts of this project are idempotent by key (ReplacingMergeTree, or a
content-derived uuid), so that an insert is repeated if its connection broke.
"""

import json
import math
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llma_assets.clickhouse.client import SharedClient, database_errors
from llma_assets.clickhouse.errors import DatabaseError
from llma_assets.clickhouse.exclusive import exclusive

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS_PLACEHOLDER = "{events_database:Identifier}.{events_table:Identifier}"
_INSERT_BYTES = 64 << 20
_PARTITIONS_GUARD = "max_partitions_per_insert_block"


class Database:
    """One ClickHouse database. Safe to use from several threads; keeps no session.

    Times in results are aware datetimes in UTC; a naive datetime as a parameter counts as UTC. A statement
    with `{events_database:Identifier}.{events_table:Identifier}` reads the table of events in the settings.

    Every method raises `DatabaseError` with ClickHouse's code, or `DatabaseUnavailable` if the connection
    could not be opened or broke; neither shows a password.
    """

    def __init__(self, link: SharedClient, name: str, events_table: str, tags: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._client = link
        self._events_table = events_table
        self._tags = dict(tags or {})

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a query, as dicts by column name."""
        result = self._client.call(lambda client: client.query(sql, **self._options(sql, parameters)), repeatable=True)
        names = result.column_names
        return [dict(zip(names, row, strict=True)) for row in result.result_rows]

    def stream(self, sql: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The rows of a query, block by block in bounded memory.

        If the connection breaks after the first row, this raises `DatabaseUnavailable`. Close the iterator if you stop
        early.
        """
        blocks = self._client.call(
            lambda client: client.query_row_block_stream(sql, **self._options(sql, parameters)),
            repeatable=True,
        )
        with database_errors(), blocks as stream:
            names = stream.source.column_names
            for block in stream:
                for row in block:
                    yield dict(zip(names, row, strict=True))

    def arrow(self, sql: str, /, **parameters: Any) -> "pa.Table":
        """All rows of a query as an Arrow table; the way to read vectors. Strings are `string`."""
        table: pa.Table = self._client.call(
            lambda client: client.query_arrow(sql, use_strings=True, **self._options(sql, parameters)),
            repeatable=True,
        )
        return table

    def arrow_stream(self, sql: str, /, **parameters: Any) -> "Iterator[pa.RecordBatch]":
        """The rows of a query as Arrow record batches, one block of the server at a time, in bounded memory.

        If the connection breaks after the first block, this raises `DatabaseUnavailable`. Close the iterator if you
        stop early.
        """
        blocks = self._client.call(
            lambda client: client.query_arrow_stream(sql, use_strings=True, **self._options(sql, parameters)),
            repeatable=True,
        )
        with database_errors(), blocks as stream:
            yield from stream

    def value(self, sql: str, /, **parameters: Any) -> Any:
        """The first column of the first row, None without rows."""
        result = self._client.call(lambda client: client.query(sql, **self._options(sql, parameters)), repeatable=True)
        return result.result_rows[0][0] if result.result_rows else None

    def execute(self, sql: str, /, **parameters: Any) -> None:
        """Run a statement that returns nothing.

        If the connection breaks after the statement may have reached the server, an INSERT is repeated, like all
        inserts of this project; any other statement is not.
        """
        self._client.call(
            lambda client: client.command(sql, **self._options(sql, parameters)),
            repeatable=sql.lstrip().upper().startswith("INSERT"),
        )

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any]], *, once: str = "") -> None:
        """Insert rows with equal keys, which are the names of the columns. Does nothing without rows.

        Args:
            once: the deduplication key of this insert. Of several inserts into a table with the same key the server
                stores the first and silently drops the others, so that of two concurrent processes one wins for all
                readers. The table must have a deduplication window (migration 0010).

        Raises:
            DatabaseError: the rows have different keys, a value does not fit its column, or ClickHouse failed.
        """
        if not rows:
            return
        columns = list(rows[0])
        expected = set(columns)
        data = []
        for number, row in enumerate(rows):
            if row.keys() != expected:
                message = f"row {number} for {table} has the columns {sorted(row)}, row 0 has {sorted(columns)}"
                raise DatabaseError(message)
            data.append([_as_utc(row[column]) for column in columns])
        deduplication = {"insert_deduplication_token": once} if once else {}
        try:
            self._client.call(
                lambda client: client.insert(
                    table,
                    data,
                    column_names=columns,
                    database=self.name,
                    settings=self._insert_settings(client) | deduplication,
                ),
                repeatable=True,
            )
        except (TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
            # Raised by the client's encoder, which logs the name of the column; the message shows no value.
            raise DatabaseError(f"a value does not fit its column in {table}: {type(error).__name__}") from None

    def insert_arrow(self, table: str, data: "pa.Table") -> None:
        """Insert an Arrow table by its column names, in slices of about 64 MiB. Does nothing without rows."""
        if data.num_rows == 0:
            return
        step = max(1, data.num_rows * _INSERT_BYTES // max(data.nbytes, 1))
        for start in range(0, data.num_rows, step):
            self._insert_arrow(table, data.slice(start, step))

    def exclusive(self, work: str) -> AbstractContextManager[None]:
        """A lock for `work` among all threads and processes of this data folder.

        For rows that are looked up first and then inserted. It does not lock out processes with another data folder or
        on another machine, and has no effect if the folder does not exist.
        """
        return exclusive(self._client.data_dir, work)

    def tagged(self, **tags: str) -> "Database":
        """The same database with these tags in the `log_comment` of its queries, as JSON."""
        return Database(self._client, self.name, self._events_table, {**self._tags, **tags})

    def rows_of_runs(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """As `rows`, of committed attempts that the parameters name; what remembers may answer it from before."""
        return self.rows(sql, **parameters)

    def remembering(self, kept: "Kept | None" = None) -> "Database":
        """The same database for making one answer: rows that are asked for again come from memory.

        Args:
            kept: what other answers left of `rows_of_runs`.
        """
        return _Remembering(self._client, self.name, self._events_table, self._tags, kept)

    def ping(self) -> str:
        """The version of the server; raises if it does not answer."""
        return str(self.value("SELECT version()"))

    def close(self) -> None:
        """Close the connections of this process; an embedded server runs on until it is idle."""
        self._client.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def _insert_arrow(self, table: str, data: "pa.Table") -> None:
        self._client.call(
            lambda client: client.insert_arrow(table, data, database=self.name, settings=self._insert_settings(client)),
            repeatable=True,
        )

    def _options(self, sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: _as_utc(value) for name, value in parameters.items()}
        if EVENTS_PLACEHOLDER in sql:
            database, _, table = self._events_table.rpartition(".")
            values |= {"events_database": database or self.name, "events_table": table}
        return {"parameters": values or None, "settings": self._settings()}

    def _insert_settings(self, client: Any) -> dict[str, str]:
        """The settings of an insert, which lift the limit of 100 partitions (months): imports may span more.

        If a constraint of the server makes the limit read-only, it stays, and its error is raised.
        """
        guard = client.server_settings.get(_PARTITIONS_GUARD)
        return self._settings() | ({} if guard and guard.readonly else {_PARTITIONS_GUARD: "0"})

    def _settings(self) -> dict[str, str]:
        settings = {"database": self.name}
        if self._tags:
            settings["log_comment"] = json.dumps(self._tags, ensure_ascii=False, sort_keys=True)
        return settings


class _Remembering(Database):
    """Reads each thing once. It never sees what is written meanwhile: throw it away with the answer."""

    def __init__(
        self, link: SharedClient, name: str, events_table: str, tags: Mapping[str, str], kept: "Kept | None"
    ) -> None:
        super().__init__(link, name, events_table, tags)
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._kept = kept

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        key = (sql, repr(sorted(parameters.items())))
        if key not in self._known:
            self._known[key] = super().rows(sql, **parameters)
        return [dict(row) for row in self._known[key]]

    def rows_of_runs(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if self._kept is None:
            return self.rows(sql, **parameters)
        key = (sql, repr(sorted(parameters.items())))
        return [dict(row) for row in self._kept.get(key, lambda: self.rows(sql, **parameters))]


class Kept:
    """Rows that are the same for a while, the most recently used ones; for several threads.

    Args:
        seconds: how old they may be.
        most: how many results are kept.
    """

    def __init__(self, *, seconds: float = 60, most: int = 32) -> None:
        self._seconds, self._most = seconds, most
        self._found: dict[Any, tuple[float, list[dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, read: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """What is kept under the key, or what is read now."""
        with self._lock:
            made, rows = self._found.get(key, (-math.inf, []))
        if time.monotonic() - made < self._seconds:
            return rows
        rows = read()
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = (time.monotonic(), rows)
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]
        return rows


def _as_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
