"""The types of tables' columns, asked once a process: clickhouse-connect asks for them before each insert."""

from collections.abc import Sequence
from typing import Any


class ColumnTypes:
    """The types by which rows are encoded; for several threads.

    Of a column whose type was changed meanwhile, as by a migration of another process, the server converts the values.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, tuple[str, ...]], Sequence[Any]] = {}

    def of(self, client: Any, database: str, table: str, columns: Sequence[str]) -> Sequence[Any]:
        """The types of these columns.

        Args:
            client: of clickhouse-connect; it raises its own errors.
        """
        key = (database, table, tuple(columns))
        found = self._known.get(key)
        if found is None:
            context = client.create_insert_context(table, list(columns), database)
            found = self._known[key] = context.column_types
        return found

    def forget(self) -> None:
        """Ask anew, because an insert was refused or the server is another one."""
        self._known = {}
