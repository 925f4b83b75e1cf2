"""Databases for tests: migrated once and handed on empty, and states that are planted once and copied afterwards.

Everything happens on the real embedded server of the test process. A copy shares the parts of its original
(hard links), so that it costs a few milliseconds however much work it was to plant.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clickhouse.client import SharedClient
from llma_assets.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

MIGRATED = f"migrated_{secrets.token_hex(6)}"
"""The database of whose definitions others are made; it has the rows of `schema_migrations`, and no other table."""

TABLES = """
SELECT
    name,
    toString(uuid) AS uuid,
    metadata_modification_time AS changed_at,
    changed_at < now() AS is_settled,
    ifNull(total_rows, 1) AS rows
FROM system.tables
WHERE database = {name:String}
ORDER BY name
"""
"""`changed_at` has whole seconds: one of this second may be changed once more under the same."""

DEFINITIONS = """
SELECT name, create_table_query
FROM system.tables
WHERE database = {name:String} AND name IN {tables:Array(String)}
ORDER BY name
"""

FILLED_TABLES = """
SELECT name
FROM system.tables
WHERE database = {name:String} AND total_rows > 0 AND name != 'schema_migrations'
ORDER BY name
"""


class BorrowedClient(SharedClient):
    """A link of a test's own settings over the one client of the test process: a new client asks a server a lot."""

    def __init__(self, settings: Settings, shared: SharedClient) -> None:
        super().__init__(settings)
        self._shared = shared

    def _current(self) -> Any:
        return self._shared._current()

    def drop(self, client: Any) -> None:
        self._shared.drop(client)

    def close(self) -> None:
        """The client stays for the next test."""


class UsedDatabases:
    """Migrated databases that tests have given back. One is migrated, and kept as it is then; others are made of it.

    Emptying a database takes a fiftieth of the time of migrating one, making one of the first a quarter.
    """

    def __init__(self, server: Database) -> None:
        self._server = server
        self._free: list[str] = []
        self._migrated: dict[str, str] = {}
        """The tables of a migrated database, with their definitions in one that is called MIGRATED."""
        self._migrations = 0
        self._known: dict[str, dict[str, tuple[str, Any]]] = {}
        """Of each database that was made, the tables that had the right definition, and what tells a change of it."""

    def take(self) -> str:
        """A name: of an empty, migrated database, or of none that is there yet."""
        return self._free.pop() if self._free else f"test_{secrets.token_hex(6)}"

    def make(self, name: str, migrate: Callable[[], None]) -> None:
        """Make a database that was taken, unless it is one that another test gave back; the first by migrating it."""
        if name in self._known:
            return
        self._known[name] = {}
        if self._migrated:
            self._server.execute("CREATE DATABASE IF NOT EXISTS {name:Identifier}", name=name)
            self._restore(name, self._migrated)
            return
        migrate()
        tables = self._server.rows(TABLES, name=name)
        self._migrated = self._definitions(name, [table["name"] for table in tables])
        self._migrations = next(table["rows"] for table in tables if table["name"] == "schema_migrations")
        self._server.execute(f"CREATE DATABASE `{MIGRATED}`")
        self._server.execute(self._migrated["schema_migrations"])
        copy_rows(self._server, "schema_migrations", name, MIGRATED)

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; tables that a test has changed are made anew."""
        tables = self._server.rows(TABLES, name=name)
        try:
            self._known[name] = self._mended(name, tables)
        except DatabaseError:  # the test dropped it, or left what holds its tables
            self._server.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)
            self._known.pop(name, None)
            return
        if any(table["rows"] for table in tables if table["name"] != "schema_migrations"):
            self._server.execute("TRUNCATE ALL TABLES FROM {name:Identifier} NOT LIKE 'schema_migrations'", name=name)
        self._free.append(name)

    def _mended(self, name: str, tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Any]]:
        """Bring all tables to their migrated definitions; those that had them already, and have been at rest."""
        known = self._known.get(name, {})
        signs = {table["name"]: (table["uuid"], table["changed_at"]) for table in tables}
        found = self._definitions(name, [table for table, sign in signs.items() if known.get(table) != sign])
        wrong = {table for table, definition in found.items() if self._migrated.get(table) != definition}
        wrong |= {
            table["name"]
            for table in tables
            if table["name"] == "schema_migrations" and table["rows"] != self._migrations
        }
        for table in wrong:
            self._server.execute(f"DROP TABLE `{name}`.`{table}`")
        self._restore(name, [table for table in self._migrated if table in wrong or table not in signs])
        settled = {table["name"] for table in tables if table["is_settled"]}
        return {table: sign for table, sign in signs.items() if table in settled - wrong}

    def _restore(self, name: str, tables: Iterable[str]) -> None:
        for table in tables:
            self._server.execute(self._migrated[table].replace(MIGRATED, name))
            if table == "schema_migrations":
                copy_rows(self._server, table, MIGRATED, name)

    def _definitions(self, name: str, tables: Sequence[str]) -> dict[str, str]:
        rows = self._server.rows(DEFINITIONS, name=name, tables=tables) if tables else []
        return {row["name"]: row["create_table_query"].replace(name, MIGRATED) for row in rows}


def copy_rows(server: Database, table: str, source: str, target: str) -> None:
    """Give a table of one database the rows of its namesake in another."""
    # No server-side parameters can stand here; the names are those of tables and of the classes here.
    server.execute(f"ALTER TABLE `{target}`.`{table}` ATTACH PARTITION ALL FROM `{source}`.`{table}`")


class PlantedStates:
    """What functions have put into an empty database, to be put into others without running them again."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._states: dict[object, tuple[str, list[str], Any]] = {}

    def put(
        self,
        database: Database,
        plant: Callable[Concatenate[Database, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Bring an empty database into the state that `plant(database, ...)` makes, and return what it returned.

        A function is known by its place in the source, so one within a fixture counts as the same in every test; it
        must not depend on what differs between them. Nothing outside the database is made again. What is returned is
        shared, so it must not be changed, and know no database. The rows are those of the first time, with its times
        of writing and its random ids.
        """
        key = (plant.__module__, plant.__qualname__, arguments, tuple(sorted(named.items())))
        if key not in self._states:
            value = plant(database, *arguments, **named)
            template = f"planted_{len(self._states)}"
            self._server.execute("CREATE DATABASE IF NOT EXISTS {name:Identifier}", name=template)
            tables = [row["name"] for row in self._server.rows(FILLED_TABLES, name=database.name)]
            for table in tables:
                self._server.execute(f"CREATE TABLE `{template}`.`{table}` AS `{database.name}`.`{table}`")
                # A template lives longer than a test: what was written twice has to stay twice.
                self._server.execute(f"SYSTEM STOP MERGES `{template}`.`{table}`")
                copy_rows(self._server, table, database.name, template)
            self._states[key] = (template, tables, value)
            return value
        template, tables, value = self._states[key]
        for table in tables:
            copy_rows(self._server, table, template, database.name)
        made: T = value
        return made


class PlantedOnce(Protocol):
    """Brings the test's database into the state that a function makes of an empty one: `PlantedStates.put`."""

    def __call__(self, plant: Callable[Concatenate[Database, P], T], *arguments: P.args, **named: P.kwargs) -> T: ...
