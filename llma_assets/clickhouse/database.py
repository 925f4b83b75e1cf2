"""`Database`: queries and inserts with server-side parameters, for all rooms. No statement lives here.

Values never become SQL text. All inserts of this project are idempotent by key (ReplacingMergeTree, or a
content-derived uuid), so an insert whose connection broke is simply sent again.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llma_assets.clickhouse.client import Link, translated
from llma_assets.clickhouse.errors import DatabaseError
from llma_assets.clickhouse.exclusive import exclusive

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS_PLACEHOLDER = "{events_database:Identifier}.{events_table:Identifier}"
_INSERT_BYTES = 64 << 20
_PARTITIONS_GUARD = "max_partitions_per_insert_block"


class Database:
    """One ClickHouse database. Safe to use from several threads; keeps no session.

    Times come back as aware datetimes in UTC; naive datetimes that go in are taken as UTC. A statement that
    contains `{events_database:Identifier}.{events_table:Identifier}` reads the source events table of the
    settings.

    Every method raises `DatabaseError` with ClickHouse's code, or `DatabaseUnavailable` for a connection that
    could not be made or broke; neither shows a password.
    """

    def __init__(self, link: Link, name: str, events_table: str, tags: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._link = link
        self._events_table = events_table
        self._tags = dict(tags or {})

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a query, as dicts by column name."""
        result = self._link.call(lambda client: client.query(sql, **self._options(sql, parameters)), repeatable=True)
        names = result.column_names
        return [dict(zip(names, row, strict=True)) for row in result.result_rows]

    def stream(self, sql: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The rows of a query, block by block in bounded memory.

        A connection that breaks after the first row raises `DatabaseUnavailable`; close the iterator if you
        leave it early.
        """
        blocks = self._link.call(
            lambda client: client.query_row_block_stream(sql, **self._options(sql, parameters)),
            repeatable=True,
        )
        with translated(), blocks as stream:
            names = stream.source.column_names
            for block in stream:
                for row in block:
                    yield dict(zip(names, row, strict=True))

    def arrow(self, sql: str, /, **parameters: Any) -> "pa.Table":
        """All rows of a query as an Arrow table; the way to read vectors. Strings are `string`."""
        table: pa.Table = self._link.call(
            lambda client: client.query_arrow(sql, use_strings=True, **self._options(sql, parameters)),
            repeatable=True,
        )
        return table

    def arrow_stream(self, sql: str, /, **parameters: Any) -> "Iterator[pa.RecordBatch]":
        """The rows of a query as Arrow record batches, one block of the server at a time, in bounded memory.

        A connection that breaks after the first block raises `DatabaseUnavailable`; close the iterator if you
        leave it early.
        """
        blocks = self._link.call(
            lambda client: client.query_arrow_stream(sql, use_strings=True, **self._options(sql, parameters)),
            repeatable=True,
        )
        with translated(), blocks as stream:
            yield from stream

    def value(self, sql: str, /, **parameters: Any) -> Any:
        """The first column of the first row, None if there is no row."""
        result = self._link.call(lambda client: client.query(sql, **self._options(sql, parameters)), repeatable=True)
        return result.result_rows[0][0] if result.result_rows else None

    def execute(self, sql: str, /, **parameters: Any) -> None:
        """Run a statement that returns nothing.

        If the connection broke after it may have reached the server, an INSERT is sent again like all inserts of
        this project; any other statement is not.
        """
        self._link.call(
            lambda client: client.command(sql, **self._options(sql, parameters)),
            repeatable=sql.lstrip().upper().startswith("INSERT"),
        )

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any]], *, once: str = "") -> None:
        """Insert rows that all have the same keys, which name the columns; nothing for no rows.

        Args:
            once: a key of this insert. Of several inserts into a table with the same key the first one to be stored
                stays, and the server drops the others without a word: of two processes that write at the same moment,
                one wins, for all readers and for good. The table must keep a deduplication window (migration 0010).

        Raises:
            DatabaseError: the rows differ in their keys, a value does not fit its column, or ClickHouse refused.
        """
        if not rows:
            return
        columns = list(rows[0])
        wanted = set(columns)
        data = []
        for number, row in enumerate(rows):
            if row.keys() != wanted:
                message = f"row {number} for {table} has the columns {sorted(row)}, row 0 has {sorted(columns)}"
                raise DatabaseError(message)
            data.append([_as_utc(row[column]) for column in columns])
        dropped = {"insert_deduplication_token": once} if once else {}
        try:
            self._link.call(
                lambda client: client.insert(
                    table,
                    data,
                    column_names=columns,
                    database=self.name,
                    settings=self._insert_settings(client) | dropped,
                ),
                repeatable=True,
            )
        except (TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
            # Raised by the client while it encodes; it names the column in its log, and no value is shown here.
            raise DatabaseError(f"a value does not fit its column in {table}: {type(error).__name__}") from None

    def insert_arrow(self, table: str, data: "pa.Table") -> None:
        """Insert an Arrow table by its column names, in pieces of about 64 MiB; nothing for no rows."""
        if data.num_rows == 0:
            return
        step = max(1, data.num_rows * _INSERT_BYTES // max(data.nbytes, 1))
        for start in range(0, data.num_rows, step):
            self._insert_arrow(table, data.slice(start, step))

    def exclusive(self, work: str) -> AbstractContextManager[None]:
        """Wait until no other thread or process of this data folder is in a block for the same work.

        For what is first looked up and then inserted. Others are not kept out: those of another data folder or
        machine, and everybody where the folder does not exist.
        """
        return exclusive(self._link.data_dir, work)

    def tagged(self, **tags: str) -> "Database":
        """The same database, whose queries carry these tags, as JSON, in ClickHouse's `log_comment`."""
        return Database(self._link, self.name, self._events_table, {**self._tags, **tags})

    def ping(self) -> str:
        """Ask for the server's version; raises if it does not answer."""
        return str(self.value("SELECT version()"))

    def close(self) -> None:
        """Close the connections of this process; an embedded server stays for others until it is idle."""
        self._link.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def _insert_arrow(self, table: str, data: "pa.Table") -> None:
        self._link.call(
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
        """Rows of more than 100 months in one insert are what people have: ClickHouse's guard would refuse them.

        A server that keeps its guard (a constraint on the setting) keeps it, and its refusal is raised.
        """
        guard = client.server_settings.get(_PARTITIONS_GUARD)
        return self._settings() | ({} if guard and guard.readonly else {_PARTITIONS_GUARD: "0"})

    def _settings(self) -> dict[str, str]:
        settings = {"database": self.name}
        if self._tags:
            settings["log_comment"] = json.dumps(self._tags, ensure_ascii=False, sort_keys=True)
        return settings


def _as_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
