"""Databases for tests: migrated once and handed on empty, and states that are planted once and copied afterwards.

Everything happens on the real embedded server of the test process. A copy shares the parts of its original
(hard links), so that it costs a few milliseconds however much work it was to plant.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clickhouse.client import SharedClient
from llma_assets.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

TABLES = """
SELECT
    name,
    ifNull(total_rows, 1) AS rows,
    create_table_query,
    (SELECT count() FROM {name:Identifier}.schema_migrations FINAL) AS migrations
FROM system.tables
WHERE database = {name:String}
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
    """Migrated databases that tests have given back: emptying one takes a tenth of the time of making one."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._free: list[str] = []
        self._migrated: set[str] = set()
        self._as_migrated: list[tuple[str, str, int]] = []

    def take(self) -> str:
        """A name: of an empty, migrated database, or of none that is there yet."""
        return self._free.pop() if self._free else f"test_{secrets.token_hex(6)}"

    def is_migrated(self, name: str) -> bool:
        """Whether a database that was taken comes from another test."""
        return name in self._migrated

    def made(self, name: str) -> None:
        """Told of a database that has just been migrated, before a test has it."""
        self._migrated.add(name)
        self._as_migrated = self._as_migrated or self._schema(name, self._server.rows(TABLES, name=name))

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; one whose tables a test has changed is dropped."""
        try:
            rows = self._server.rows(TABLES, name=name)
        except DatabaseError:  # it was never migrated, or is gone
            rows = []
        if not rows or self._schema(name, rows) != self._as_migrated:
            self._server.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)
            self._migrated.discard(name)
            return
        if any(row["rows"] for row in rows if row["name"] != "schema_migrations"):
            self._server.execute("TRUNCATE ALL TABLES FROM {name:Identifier} NOT LIKE 'schema_migrations'", name=name)
        self._free.append(name)

    def _schema(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
        """The tables with their definitions, and how many migrations are noted."""
        return [(row["name"], row["create_table_query"].replace(name, ""), row["migrations"]) for row in rows]


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
                self._copy(table, database.name, template)
            self._states[key] = (template, tables, value)
            return value
        template, tables, value = self._states[key]
        for table in tables:
            self._copy(table, template, database.name)
        made: T = value
        return made

    def _copy(self, table: str, source: str, target: str) -> None:
        # No server-side parameters can stand here; the names are those of tables and of this class.
        self._server.execute(f"ALTER TABLE `{target}`.`{table}` ATTACH PARTITION ALL FROM `{source}`.`{table}`")


class PlantedOnce(Protocol):
    """Brings the test's database into the state that a function makes of an empty one: `PlantedStates.put`."""

    def __call__(self, plant: Callable[Concatenate[Database, P], T], *arguments: P.args, **named: P.kwargs) -> T: ...
