"""Sessions by `session_id`: an engine connection that several requests share, one at a time.

The pipeline uses no sessions; clickhouse-connect does by default, and temporary tables and SET need them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llma_assets.clickhouse.server.engine import Engine, Session
from llma_assets.clickhouse.server.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, QueryError

DEFAULT_TIMEOUT_S = 60.0
MAX_TIMEOUT_S = 3600.0


@dataclass(slots=True)
class _Held:
    session: Session
    timeout_s: float
    busy: bool = True
    expires_at: float = 0.0


class Sessions:
    """The named sessions of a server. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    @contextmanager
    def session(self, name: str, timeout_s: float, *, must_exist: bool) -> Iterator[Session]:
        """Borrow a session, which is created on first use and closed `timeout_s` seconds after its last request.

        Raises:
            QueryError: another request uses the session, or it does not exist and `must_exist` is set.
        """
        held = self._borrow(name, min(timeout_s, MAX_TIMEOUT_S), must_exist)
        try:
            yield held.session
        finally:
            with self._lock:
                held.busy = False
                held.expires_at = time.monotonic() + held.timeout_s

    def expire(self) -> None:
        """Close the expired sessions."""
        now = time.monotonic()
        with self._lock:
            over = [name for name, held in self._held.items() if not held.busy and held.expires_at < now]
            closing = [self._held.pop(name) for name in over]
        for held in closing:
            held.session.close()

    def close(self) -> None:
        """Close every session that no request uses."""
        with self._lock:
            closing = [held for held in self._held.values() if not held.busy]
            self._held.clear()
        for held in closing:
            held.session.close()

    def _borrow(self, name: str, timeout_s: float, must_exist: bool) -> _Held:
        with self._lock:
            held = self._held.get(name)
            if held is None:
                if must_exist:
                    raise QueryError.of(SESSION_NOT_FOUND, "SESSION_NOT_FOUND", "Session not found")
                held = self._held[name] = _Held(self._engine.session(), timeout_s)
            elif held.busy:
                text = f"Session {name[:64]} is locked by a concurrent client"
                raise QueryError.of(SESSION_IS_LOCKED, "SESSION_IS_LOCKED", text)
            held.busy = True
            held.timeout_s = timeout_s
            return held
