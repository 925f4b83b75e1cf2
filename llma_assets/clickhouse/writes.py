"""Which tables this process has written to, and in what order, for readers that remember answers between writes."""

import re
import threading
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol
from weakref import WeakSet

from llma_assets.sources import EVENTS_PLACEHOLDER

ANY_TABLE = ""
"""Stands for a statement whose table is not known: after it, nothing is remembered."""

CHANGING = frozenset({"now", "now64", "today", "yesterday", "rand", "generateUUIDv4"})
"""Functions whose answers change without a write."""

_TARGET = re.compile(
    r"\s*(?:INSERT\s+INTO|DELETE\s+FROM|ALTER\s+TABLE|TRUNCATE\s+TABLE|OPTIMIZE\s+TABLE)\s+(?:TABLE\s+)?(\w+)\b(?!\.)",
    re.IGNORECASE,
)


class Witness(Protocol):
    """Is told of each write before it begins."""

    def wrote(self, table: str, rows: Iterable[Mapping[str, Any]] | None) -> None:
        """Some rows, None if they are not known; of `ANY_TABLE` if that is not known either."""


class Writes:
    """Counts the writes of a process; for several threads."""

    def __init__(self) -> None:
        self.witnesses: WeakSet[Witness] = WeakSet()
        self._lock = threading.Lock()
        self._count = 0
        self._last: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many there were so far."""
        return self._count

    def note(self, table: str) -> None:
        """Say that a table is about to be written to, or was; call it before and after."""
        with self._lock:
            self._count += 1
            self._last[table] = self._count

    def tell(self, table: str, rows: Iterable[Mapping[str, Any]] | None) -> None:
        """Tell all witnesses what is about to be written."""
        for witness in list(self.witnesses):
            witness.wrote(table, rows)

    def concern(self, sql: str, since: int) -> bool:
        """Whether a statement may read what was written after so many writes."""
        if self._count == since:
            return False
        words = words_of(sql)
        with self._lock:
            return any(
                number > since and (table == ANY_TABLE or table in words) for table, number in self._last.items()
            )


def table_of(statement: str) -> str:
    """The table that a statement writes to, `ANY_TABLE` if that is not clear.

    >>> table_of(" DELETE FROM trace_texts WHERE team_id = 1")
    'trace_texts'
    >>> table_of("SYSTEM FLUSH LOGS")
    ''
    """
    found = _TARGET.match(statement)
    return found.group(1) if found else ANY_TABLE


def adds_rows(statement: str) -> bool:
    """Whether a statement may add rows whose keys are not told; one that deletes adds none.

    >>> adds_rows("DELETE FROM trace_texts WHERE team_id = 1")
    False
    >>> adds_rows("SYSTEM FLUSH LOGS")
    True
    """
    return not re.match(r"\s*DELETE\s+FROM\b", statement, re.IGNORECASE)


@lru_cache(maxsize=512)
def words_of(sql: str) -> frozenset[str]:
    """The words of a statement, with the names of all tables that it reads."""
    words = frozenset(re.findall(r"\w+", sql))
    return words | {"events"} if EVENTS_PLACEHOLDER in sql else words
