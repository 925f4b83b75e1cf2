"""Answers of queries that a reader repeats instead of asking again."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from llma_assets.clickhouse.holdings import Holdings
from llma_assets.clickhouse.writes import Writes, words_of

_REMEMBERED_ROWS = 5_000
_ROWS_BETWEEN_WRITES = 500
_ALL_BETWEEN_WRITES = 10_000
"""Rows of an answer, and of all answers together, that are repeated: work on a big team must not fill the memory."""


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
        self.holdings: Holdings | None = None
        self.later: dict[str, list[Mapping[str, Any]]] = {}
        self._known: dict[Any, _Answer] = {}
        self._most = _REMEMBERED_ROWS if limits is None else _ROWS_BETWEEN_WRITES
        self._held = 0
        self._lock = threading.Lock()

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
            known = known._replace(rows=rows)
            self._keep(key, known)
            if len(rows) > self._most:
                return rows
        return [dict(row) for row in known.rows]

    @property
    def state(self) -> tuple[int, float]:
        """What `know` is to be told: how many writes there were, and the time, before something is asked."""
        return self.limits.writes.count if self.limits else 0, time.monotonic()

    def know(self, key: Any, rows: list[dict[str, Any]], state: tuple[int, float]) -> None:
        """Repeat rows that were read with those of others, however many there are.

        Args:
            state: before they were asked for.
        """
        with self._lock:
            before = self._known.pop(key, None)
            self._known[key] = _Answer(rows, *state)
            self._held += len(rows) - (len(before.rows) if before else 0)

    def knows(self, key: Any, sql: str) -> bool:
        """Whether the answer is known, and still holds."""
        known = self._known.get(key)
        return known is not None and not self._is_outdated(sql, known)

    def _keep(self, key: Any, answer: "_Answer") -> None:
        """Keep an answer that is short, and forget the oldest ones where all together are long."""
        with self._lock:
            before = self._known.pop(key, None)
            self._held -= len(before.rows) if before else 0
            if len(answer.rows) > self._most:
                return
            self._known[key] = answer
            self._held += len(answer.rows)
            while self.limits is not None and self._held > _ALL_BETWEEN_WRITES:
                self._held -= len(self._known.pop(next(iter(self._known))).rows)

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
