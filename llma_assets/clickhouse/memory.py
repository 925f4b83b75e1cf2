"""Answers of queries that a reader repeats instead of asking again."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from llma_assets.clickhouse.writes import Writes, words_of

_REMEMBERED_ROWS = 5_000


class BetweenWrites(NamedTuple):
    """How long answers are repeated where the reader writes, too.

    Attributes:
        writes: of this process; a write to a table ends what was read from it.
        never: words of statements whose answers are not repeated.
        seconds: how old an answer may be.
    """

    writes: Writes
    never: frozenset[str]
    seconds: float


class Memory:
    """Short answers by their question; for several threads.

    Args:
        limits: how long they are repeated; None for ever.
    """

    def __init__(self, limits: BetweenWrites | None = None) -> None:
        self.limits = limits
        self._known: dict[Any, _Answer] = {}

    def rows(self, key: Any, sql: str, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The rows of a query, which are the caller's own.

        Args:
            key: the statement with its parameters.
            sql: the statement, whose words tell which tables it reads.
            ask: asks the database.
        """
        limits = self.limits
        if limits is not None and not limits.never.isdisjoint(words_of(sql)):
            return ask()
        known = self._known.get(key)
        if known is None or self._is_outdated(sql, known):
            known = _Answer([], limits.writes.count if limits else 0, time.monotonic())
            rows = ask()
            if len(rows) > _REMEMBERED_ROWS:
                self._known.pop(key, None)
                return rows
            known = self._known[key] = known._replace(rows=rows)
        return [dict(row) for row in known.rows]

    def _is_outdated(self, sql: str, answer: "_Answer") -> bool:
        if self.limits is None:
            return False
        is_old = time.monotonic() - answer.asked_at > self.limits.seconds
        return is_old or self.limits.writes.concern(sql, answer.writes_before)


class _Answer(NamedTuple):
    """The rows of a query, how many writes of this process came before it, and when it was asked."""

    rows: list[dict[str, Any]]
    writes_before: int
    asked_at: float
