"""The running queries, so that they can be ended: by KILL QUERY, when the client disconnects, or at shutdown.

chDB assigns its own query ids. A statement therefore ends with a comment that holds the client's id, by which
`system.processes` and KILL QUERY find it.
"""

import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from llma_assets.clickhouse.server.engine import Engine
from llma_assets.clickhouse.server.statement import marker

_KILL = re.compile(rb"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'([\w.:-]+)'", re.IGNORECASE)
_KILL_MARKED = "KILL QUERY WHERE endsWith(query, {marker:String}) ASYNC"


def kill_target(statement: bytes) -> str | None:
    """The client's query id in a KILL QUERY, or None for any other statement."""
    match = _KILL.match(statement)
    return match.group(1).decode() if match else None


class RunningQueries:
    """The running queries and the sockets of their clients. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._clients: dict[int, tuple[str, socket.socket]] = {}

    @contextmanager
    def watched(self, query_id: str, client: socket.socket) -> Iterator[None]:
        """While inside, the query is ended if the client closes its connection."""
        key = threading.get_ident()
        with self._lock:
            self._clients[key] = (query_id, client)
        try:
            yield
        finally:
            with self._lock:
                del self._clients[key]

    def kill(self, query_id: str) -> None:
        """Ask the engine to end a query; does nothing if it has ended."""
        session = self._engine.session()
        try:
            session.run(_KILL_MARKED, parameters={"marker": marker(query_id)})
        finally:
            session.close()

    def kill_abandoned(self) -> list[str]:
        """End the queries whose clients have disconnected.

        Returns:
            their ids.
        """
        with self._lock:
            gone = [query_id for query_id, client in self._clients.values() if _has_gone(client)]
        for query_id in gone:
            self.kill(query_id)
        return gone

    def kill_all(self) -> None:
        """End everything that runs."""
        with self._lock:
            running = [query_id for query_id, _ in self._clients.values()]
        for query_id in running:
            self.kill(query_id)


def _has_gone(client: socket.socket) -> bool:
    """Whether the client has closed the connection. Does not consume data."""
    try:
        poll = select.poll()
        poll.register(client, select.POLLIN)
        if not poll.poll(0):
            return False
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
