"""`RememberingDatabase`: a database that asks each query once, for readers that ask several times for the same."""

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from llma_assets.clickhouse.client import SharedClient
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.kept import Kept
from llma_assets.clickhouse.writes import words_of

_REMEMBERED_ROWS = 5_000


class RememberingDatabase(Database):
    """A database that asks each query once, and repeats small answers; for readers that need one state of it.

    Streams, Arrow tables and long answers are read anew. It must not outlive the work that it is made for: what is
    written meanwhile is not seen, unless `never` is given: then what this process writes is.
    """

    def __init__(
        self,
        link: SharedClient,
        name: str,
        events_table: str,
        tags: Mapping[str, str],
        kept: Kept | None,
        *,
        never: frozenset[str] | None = None,
        seconds: float = math.inf,
    ) -> None:
        """
        Args:
            kept: what other readers left of `rows_of_runs`.
            never: words of statements whose answers are not remembered; None to remember across writes.
            seconds: how long an answer is remembered.
        """
        super().__init__(link, name, events_table, tags)
        self._known: dict[tuple[str, str], _Answer] = {}
        self._kept = kept
        self._never = never
        self._seconds = seconds

    def tagged(self, **tags: str) -> Database:
        """The same database with these tags; between writes it shares what is remembered."""
        if self._never is None:
            return super().tagged(**tags)
        other = RememberingDatabase(
            self._client,
            self.name,
            self._events_table,
            {**self._tags, **tags},
            self._kept,
            never=self._never,
            seconds=self._seconds,
        )
        other._read_from, other._known = self._read_from, self._known
        return other

    def rows(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a query; they are the caller's own."""
        if self._never and not self._never.isdisjoint(words_of(sql)):
            return super().rows(sql, **parameters)
        key, writes = (sql, repr((self._read_from, sorted(parameters.items())))), self._client.writes
        known = self._known.get(key)
        if known is not None and not self._is_outdated(sql, known):
            return [dict(row) for row in known.rows]
        writes_before, asked_at = writes.count, time.monotonic()
        found = super().rows(sql, **parameters)
        if len(found) > _REMEMBERED_ROWS:
            self._known.pop(key, None)
            return found
        self._known[key] = _Answer(found, writes_before, asked_at)
        return [dict(row) for row in found]

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

    def _is_outdated(self, sql: str, answer: "_Answer") -> bool:
        if self._never is None:
            return False
        is_old = time.monotonic() - answer.asked_at > self._seconds
        return is_old or self._client.writes.concern(sql, answer.writes_before)


class _Answer(NamedTuple):
    """The rows of a query, how many writes of this process came before it, and when it was asked."""

    rows: list[dict[str, Any]]
    writes_before: int
    asked_at: float
