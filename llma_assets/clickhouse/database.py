"""`Database`: queries and inserts with server-side parameters, for all rooms. Statements belong in the rooms.

Values never become SQL text. All inserts of this project are idempotent by key (ReplacingMergeTree, or a
content-derived uuid), so that an insert is repeated if its connection broke.
"""

import json
import struct
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from llma_assets.clickhouse.client import SentTable, SharedClient, database_errors, external_data
from llma_assets.clickhouse.errors import DatabaseError
from llma_assets.clickhouse.exclusive import exclusive
from llma_assets.clickhouse.holdings import DayColumns, Holdings
from llma_assets.clickhouse.kept import Kept
from llma_assets.clickhouse.known_sources import STORED_SOURCES
from llma_assets.clickhouse.layout import Layout
from llma_assets.clickhouse.memory import BetweenWrites, Memory
from llma_assets.clickhouse.writes import CHANGING, adds_rows, table_of, words_of
from llma_assets.settings import OWN_EVENTS
from llma_assets.sources import EVENTS_PLACEHOLDER, KINDS, Source, over_sources

if TYPE_CHECKING:
    import pyarrow as pa

LAST_DAY = date(2149, 6, 6)
"""The last day that a column of days holds."""

_INSERT_BYTES = 64 << 20
_UNKNOWN_TABLE = 60
_OTHERS_FIRST = 286
_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_PARTITIONS_GUARD = "max_partitions_per_insert_block"


class Database:
    """One ClickHouse database. Safe to use from several threads; keeps no session.

    Times in results are aware datetimes in UTC; a naive datetime as a parameter counts as UTC. A statement
    with `{events_database:Identifier}.{events_table:Identifier}` reads the table of events in the settings, and all
    sources that the statement may concern.

    Every method raises `DatabaseError` with ClickHouse's code, or `DatabaseUnavailable` if the connection
    could not be opened or broke; neither shows a password.
    """

    def __init__(self, link: SharedClient, name: str, events_table: str, tags: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._client = link
        self._events_table = events_table
        self._tags = dict(tags or {})
        self._read_from: tuple[tuple[Source, ...], bool] | None = None
        self._is_sequential = False

    @property
    def layout(self) -> Layout:
        """Where its tables lie."""
        return self._client.layout

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a query, as dicts by column name."""
        sql, options = self._prepared(sql, parameters)
        result = self._client.call(lambda client: client.query(sql, **options), repeatable=True)
        names = result.column_names
        return [dict(zip(names, row, strict=True)) for row in result.result_rows]

    def stream(self, sql: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The rows of a query, block by block in bounded memory.

        If the connection breaks after the first row, this raises `DatabaseUnavailable`. Close the iterator if you stop
        early.
        """
        sql, options = self._prepared(sql, parameters)
        blocks = self._client.call(
            lambda client: client.query_row_block_stream(sql, **options),
            repeatable=True,
        )
        with database_errors(), blocks as stream:
            names = stream.source.column_names
            for block in stream:
                for row in block:
                    yield dict(zip(names, row, strict=True))

    def arrow(self, sql: str, /, **parameters: Any) -> "pa.Table":
        """All rows of a query as an Arrow table; the way to read vectors. Strings are `string`."""
        sql, options = self._prepared(sql, parameters)
        table: pa.Table = self._client.call(
            lambda client: client.query_arrow(sql, use_strings=True, **options),
            repeatable=True,
        )
        return table

    def arrow_with(self, sent: SentTable, sql: str, /, **parameters: Any) -> "pa.Table":
        """As `arrow`, of a query that also reads a table that is sent with it: more values than a parameter holds."""
        sql, options = self._prepared(sql, parameters)
        table: pa.Table = self._client.call(
            lambda client: client.query_arrow(sql, use_strings=True, external_data=external_data(sent), **options),
            repeatable=True,
        )
        return table

    def arrow_stream(self, sql: str, /, **parameters: Any) -> "Iterator[pa.RecordBatch]":
        """The rows of a query as Arrow record batches, one block of the server at a time, in bounded memory.

        If the connection breaks after the first block, this raises `DatabaseUnavailable`. Close the iterator if you
        stop early.
        """
        sql, options = self._prepared(sql, parameters)
        blocks = self._client.call(
            lambda client: client.query_arrow_stream(sql, use_strings=True, **options),
            repeatable=True,
        )
        with database_errors(), blocks as stream:
            yield from stream

    def value(self, sql: str, /, **parameters: Any) -> Any:
        """The first column of the first row, None without rows."""
        sql, options = self._prepared(sql, parameters)
        result = self._client.call(lambda client: client.query(sql, **options), repeatable=True)
        return result.result_rows[0][0] if result.result_rows else None

    def execute(self, sql: str, /, **parameters: Any) -> None:
        """Run a statement that returns nothing.

        If the connection breaks after the statement may have reached the server, an INSERT is repeated, like all
        inserts of this project; any other statement is not.
        """
        table, unknown = table_of(sql), None if adds_rows(sql) else ()
        sql, options = self._prepared(sql, parameters)
        with self._client.writing(table, unknown):
            self._client.call(
                lambda client: client.command(sql, **options),
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

        def insert(client: Any) -> None:
            settings = self._insert_settings(client) | deduplication
            types = self._client.column_types.of(client, self.name, table, columns)
            client.insert(table, data, column_names=columns, column_types=types, database=self.name, settings=settings)

        try:
            with self._client.writing(table, rows):
                self._in_turn(lambda: self._client.call(insert, repeatable=True))
        except DatabaseError:
            self._client.column_types.forget()
            raise
        except (TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
            # Raised by the client's encoder, which logs the name of the column; the message shows no value.
            raise DatabaseError(f"a value does not fit its column in {table}: {type(error).__name__}") from None

    def insert_later(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that no result needs: what works between writes keeps them for `insert_kept_rows`.

        A process that is killed may lose them.
        """
        self.insert_rows(table, rows)

    def insert_arrow(self, table: str, data: "pa.Table") -> None:
        """Insert an Arrow table by its column names, in slices of about 64 MiB. Does nothing without rows."""
        if data.num_rows == 0:
            return
        step = max(1, data.num_rows * _INSERT_BYTES // max(data.nbytes, 1))
        for start in range(0, data.num_rows, step):
            self._insert_arrow(table, data.slice(start, step))

    def exclusive(self, work: str, holder: str = "") -> AbstractContextManager[bool]:
        """A lock for `work` among all threads and processes of this data folder.

        For rows that are looked up first and then inserted. It does not lock out processes with another data folder or
        on another machine, and has no effect if the folder does not exist.

        Args:
            holder: who asks; what is entered is whether the same one has held the lock last.
        """
        return exclusive(self._client.data_dir, work, holder)

    @property
    def is_embedded(self) -> bool:
        """Whether it is the embedded server of the data folder, so that all who write to it share that folder."""
        return self._client.embedded

    def tagged(self, **tags: str) -> "Database":
        """The same database with these tags in the `log_comment` of its queries, as JSON."""
        tagged = Database(self._client, self.name, self._events_table, {**self._tags, **tags})
        tagged._read_from = self._read_from
        tagged._is_sequential = self._is_sequential
        return tagged

    def sequential(self) -> "Database":
        """The same database, whose reads see every acknowledged insert on whichever replica, if both go this way.

        For what is written and then judged together, such as budgets. On one server it is the same as the other.
        """
        if not self.layout.cluster:
            return self
        same = self.tagged()
        same._is_sequential = True
        return same

    def sources(self) -> tuple[Source, ...]:
        """The stored sources that trace events are read from, beside the table of events in the settings."""
        return self._client.known_sources.of(self.name, self._stored_sources)

    def source_fingerprint(self, team_id: int) -> str:
        """Where a team's events are read from, beside the pipeline's own table; "" for nowhere else."""
        own = "" if self._events_table == OWN_EVENTS else self._events_table
        found = [own] if own else []
        found += [
            source.fingerprint
            for source in self.sources()
            if KINDS[source.kind].numbered or any(tenant.team_id == team_id for tenant in source.tenants)
        ]
        return "+".join(found)

    def forget_sources(self) -> None:
        """Read the stored sources anew for the next statement, because they were changed."""
        self._client.known_sources.forget()

    def of_source(self, source: Source) -> "Database":
        """The same database whose statements over events read one source alone, stored or not."""
        return self._reading((source,), own=False)

    def own_events(self) -> "Database":
        """The same database whose statements over events read the table of events in the settings alone."""
        return self._reading((), own=True)

    def _reading(self, sources: tuple[Source, ...], *, own: bool) -> "Database":
        other = Database(self._client, self.name, self._events_table, self._tags)
        other._read_from = (sources, own)
        return other

    def rows_of_runs(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """As `rows`, of committed attempts that the parameters name; what remembers may answer it from before."""
        return self.rows(sql, **parameters)

    def may_hold(
        self, table: str, team_id: int, first: date, last: date = LAST_DAY, *, part: str | None = None
    ) -> bool:
        """Whether a table may hold rows of a team on these days, both included; True where nothing is known of it.

        Args:
            part: only rows with this value of the column that parts a day, None for all.
        """
        return self._holdings is None or self._holdings.may_hold(table, team_id, part, first, last)

    @property
    def _holdings(self) -> Holdings | None:
        """What is known of tables; a database that remembers nothing knows nothing."""
        return None

    def ask_of_each(
        self, sql: str, column: str, asked: Mapping[Any, Mapping[str, list[Any]]], /, *, most: int, **parameters: Any
    ) -> None:
        """Ask a query of several values of a column at once, so that the same one is known of each alone.

        It is for databases that remember answers, and does nothing here.

        Args:
            sql: a statement that takes a LIMIT, with the parameters in `asked`; its rows have the column, in an order
                that holds by value.
            asked: by value the parameters that ask for it alone.
            most: with more rows in all none is known, and each is asked alone.
        """

    def remembering(self, kept: Kept | None = None) -> "RememberingDatabase":
        """The same database for a reader that needs one state of it and asks several times for the same.

        Args:
            kept: what other readers left of `rows_of_runs`.
        """
        return self._remembering(Memory(), kept)

    def between_writes(self, *, never: Collection[str] = (), seconds: float = 60) -> "RememberingDatabase":
        """The same database for work that reads the same again and again, and writes.

        An answer is remembered until this process writes to a table that it was read from. What other processes write
        meanwhile is seen when its time is over.

        Args:
            never: tables of which nothing is remembered, because several processes agree by them.
            seconds: how long an answer is remembered at most.
        """
        memory = Memory(BetweenWrites(self._client.writes, frozenset(never) | CHANGING, seconds))
        return self._remembering(memory, None)

    def _remembering(self, memory: Memory, kept: Kept | None) -> "RememberingDatabase":
        remembering = RememberingDatabase(self._client, self.name, self._events_table, self._tags)
        remembering._read_from, remembering._memory, remembering._kept = self._read_from, memory, kept
        return remembering

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

    def _in_turn(self, insert: Callable[[], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Insert; where others insert into the same table, after them: sequential inserts wait for one another."""
        for pause in _PAUSES_S if self._is_sequential else ():
            try:
                return insert()
            except DatabaseError as error:
                if error.code != _OTHERS_FIRST:
                    raise
            sleep(pause)
        return insert()

    def _insert_arrow(self, table: str, data: "pa.Table") -> None:
        with self._client.writing(table):
            self._client.call(
                lambda client: client.insert_arrow(
                    table, data, database=self.name, settings=self._insert_settings(client)
                ),
                repeatable=True,
            )

    def _prepared(self, sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A statement as it is sent, with its parameters and settings."""
        values = {name: _as_utc(value) for name, value in parameters.items()}
        sql, values = self.layout.deletion(sql, values)
        if EVENTS_PLACEHOLDER in sql:
            sources, own = self._read_from or (self.sources(), True)
            sql, added = over_sources(sql, parameters, sources, own=own)
            database, _, table = self._events_table.rpartition(".")
            values |= {"events_database": database or self.name, "events_table": table} | added
        return sql, {"parameters": values or None, "settings": self._settings()}

    def _stored_sources(self) -> list[dict[str, Any]]:
        try:
            return self.rows(STORED_SOURCES)
        except DatabaseError as error:
            if error.code == _UNKNOWN_TABLE:  # a database that is not migrated
                return []
            raise

    def _insert_settings(self, client: Any) -> dict[str, str]:
        """The settings of an insert, which lift the limit of 100 partitions (months): imports may span more.

        If a constraint of the server makes the limit read-only, it stays, and its error is raised.
        """
        guard = client.server_settings.get(_PARTITIONS_GUARD)
        return self._settings() | ({} if guard and guard.readonly else {_PARTITIONS_GUARD: "0"})

    def _settings(self) -> dict[str, str]:
        settings = {"database": self.name, **self.layout.settings()}
        if self._is_sequential:
            settings |= self.layout.sequential()
        if self._tags:
            settings["log_comment"] = json.dumps(self._tags, ensure_ascii=False, sort_keys=True)
        return settings


def _as_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


class RememberingDatabase(Database):
    """A database that asks each query once, and repeats small answers; for readers that need one state of it.

    Streams, Arrow tables and long answers are read anew. It must not outlive the work that it is made for: what is
    written meanwhile is not seen, unless it was made `between_writes`.
    """

    _memory: Memory
    _kept: Kept | None
    _under: "RememberingDatabase | None" = None

    def learn_holdings(self, columns: Mapping[str, DayColumns], team_id: int, since: date, sql: str) -> None:
        """Ask what tables hold of a team from a day on, for `may_hold`; not again while the answer is believed.

        Args:
            columns: of the tables.
            sql: yields `table`, `day` and `part`, each once, for the parameters `team_id` and `since`.
        """
        limits = self._memory.limits
        if limits is None:
            return
        if self._memory.holdings is None:
            self._memory.holdings = Holdings(columns, seconds=limits.seconds)
            limits.writes.witnesses.add(self._memory.holdings)
        if not self._memory.holdings.knows(team_id, since):
            # Where something is written meanwhile, the answer may be without it.
            asked = limits.writes.count
            rows = Database.rows(self, sql, team_id=team_id, since=since)
            if limits.writes.count == asked:
                self._memory.holdings.learn(team_id, since, rows)

    @property
    def _holdings(self) -> Holdings | None:
        """What is known of tables, by whoever asked."""
        return self._memory.holdings if self._under is None else self._under._holdings

    def insert_later(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep rows that no result needs, so that those of many stages are one insert."""
        if self._memory.limits is None:
            self.insert_rows(table, rows)
        else:
            self._client.writes.tell(table, rows)
            self._memory.later.setdefault(table, []).extend(rows)

    @property
    def kept_rows(self) -> int:
        """How many rows `insert_later` has kept so far."""
        return sum(map(len, self._memory.later.values()))

    def insert_kept_rows(self) -> None:
        """Insert what `insert_later` has kept, each table by one insert."""
        for table in list(self._memory.later):
            rows = self._memory.later.pop(table, [])  # another thread may have been faster
            try:
                self.insert_rows(table, rows)
            except BaseException:
                self._memory.later.setdefault(table, []).extend(rows)
                raise

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a query; they are the caller's own."""
        if not self._memory.later.keys().isdisjoint(words_of(sql)):
            self.insert_kept_rows()
        below = self._under.rows if self._under is not None else super().rows
        return self._memory.rows(self._key(sql, parameters), sql, lambda: below(sql, **parameters))

    def ask_together(self, sql: str, team_ids: Collection[int], /, **parameters: Any) -> None:
        """Ask a query of several teams at once, so that the same one is known of each team alone.

        Args:
            sql: a statement with the parameter `team_ids`, whose rows have `team_id`, in an order that holds by team.
        """
        asked = {team_id: {"team_ids": [team_id]} for team_id in sorted(team_ids)}
        self._know_each(sql, sql, "team_id", asked, parameters, most=None)

    def ask_of_each(
        self, sql: str, column: str, asked: Mapping[Any, Mapping[str, list[Any]]], /, *, most: int, **parameters: Any
    ) -> None:
        """Ask a query of several values of a column at once, so that the same one is known of each alone."""
        if self._under is not None:
            self._under.ask_of_each(sql, column, asked, most=most, **parameters)
        elif len(asked) > 1 and not all(
            self._memory.knows(self._key(sql, {**own, **parameters}), sql) for own in asked.values()
        ):
            self._know_each(f"{sql.rstrip()}\nLIMIT {most + 1}", sql, column, asked, parameters, most=most)

    def _know_each(
        self,
        limited: str,
        sql: str,
        column: str,
        asked: Mapping[Any, Mapping[str, list[Any]]],
        parameters: Mapping[str, Any],
        *,
        most: int | None,
    ) -> None:
        """Ask `limited` of all values at once, and know `sql` of each, unless there are more than `most` rows."""
        together: dict[str, list[Any]] = {}
        for own in asked.values():
            for name, values in own.items():
                together.setdefault(name, []).extend(values)
        state = self._memory.state
        rows = super().rows(limited, **{name: sorted(set(all_)) for name, all_ in together.items()}, **parameters)
        if most is not None and len(rows) > most:
            return
        of_value: dict[Any, list[dict[str, Any]]] = {value: [] for value in asked}
        for row in rows:
            of_value[row[column]].append(row)
        for value, answer in of_value.items():
            self._memory.know(self._key(sql, {**asked[value], **parameters}), answer, state)

    def _key(self, sql: str, parameters: Mapping[str, Any]) -> Any:
        return sql, repr((self._read_from, sorted(parameters.items())))

    def value(self, sql: str, /, **parameters: Any) -> Any:
        """The first column of the first row, None without rows."""
        rows = self.rows(sql, **parameters)
        return next(iter(rows[0].values())) if rows else None

    def rows_of_runs(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of committed attempts, from what is kept."""
        if self._kept is None:
            return self.rows(sql, **parameters)
        key = (self.name, sql, repr(sorted(parameters.items())))
        return [dict(row) for row in self._kept.get(key, lambda: self.rows(sql, **parameters))]

    def remembering(self, kept: Kept | None = None) -> "RememberingDatabase":
        """The same for a reader that needs one state; between writes it begins with what is remembered here."""
        remembering = super().remembering(kept)
        if self._memory.limits is not None and self._read_from == remembering._read_from:
            remembering._under = self
        return remembering

    def tagged(self, **tags: str) -> Database:
        """The same database with these tags; between writes it shares what is remembered."""
        tagged = super().tagged(**tags)
        return tagged if self._memory.limits is None else tagged._remembering(self._memory, None)
