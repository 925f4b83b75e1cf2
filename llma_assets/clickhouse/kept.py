"""Rows of committed runs that several answers may share for a while."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any


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
