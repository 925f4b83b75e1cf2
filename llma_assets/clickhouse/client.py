"""The one connection behind all `Database` objects of a process: makes it, renews it, translates its failures.

Knows clickhouse-connect; nothing else in the project does.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from llma_assets.clickhouse import lifecycle
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, in_one_line
from llma_assets.clickhouse.server_identity import has_password
from llma_assets.settings import Settings

T = TypeVar("T")

_ATTEMPTS = 2
_EMBEDDED_ATTEMPTS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_POOL_SIZE = 32
_CONNECT_TIMEOUT_S = 10
_ANSWER_TIMEOUT_S = 900
DEFAULT_DATABASE = "llma"


class Link:
    """A clickhouse-connect client that several threads share and that survives a restart of the server.

    clickhouse-connect's HTTP client keeps no state between queries once sessions are off, and its pool is
    thread-safe. After a fork the child makes its own client and leaves the parent's sockets alone.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._client: Any = None
        self._pid = 0
        self.data_dir = settings.data_dir
        self.embedded = settings.clickhouse_url is None

    def call(self, operation: Callable[[Any], T], *, repeatable: bool) -> T:
        """Run `operation(client)`, again if the server was away; an embedded one is started for it.

        A refused connection reached nobody, so everything is tried again; one that broke later may have had its
        effect, so only what is `repeatable` is.

        Raises:
            DatabaseUnavailable: no server answered, or the connection broke.
            DatabaseError: the server refused.
        """
        attempts = _EMBEDDED_ATTEMPTS if self.embedded else _ATTEMPTS
        while True:
            attempts -= 1
            client: Any = None
            try:
                with _translated():
                    client = self._current()
                    return operation(client)
            except _Refused as error:
                if attempts == 0:
                    raise DatabaseUnavailable(str(error)) from None
            except _Broken as error:
                if attempts == 0 or (client is not None and not repeatable):
                    raise DatabaseUnavailable(str(error)) from None
            self.drop(client)

    def _current(self) -> Any:
        """The client of this process, made on first use."""
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                arguments = self._embedded() if self.embedded else self._from_url()
                self._client = _make_client(embedded=self.embedded, **arguments)
                self._pid = os.getpid()
            return self._client

    def drop(self, client: Any) -> None:
        """Forget a client whose server went away, unless another thread has renewed it already."""
        with self._lock:
            if self._client is client:
                self._client = None

    def close(self) -> None:
        """Close the pool of this process; the next query would open a new one."""
        with self._lock:
            if self._client is not None and self._pid == os.getpid():
                self._client.close_connections()
                self._client.close()
            self._client = None

    def _embedded(self) -> dict[str, Any]:
        state = lifecycle.start(self._settings.data_dir)
        host, port, user, password = lifecycle.address(self._settings.data_dir, state)
        return {"host": host, "port": port, "username": user, "password": password}

    def _from_url(self) -> dict[str, Any]:
        url = urlsplit(self._settings.clickhouse_url or "")
        secure = url.scheme == "https"
        return {
            "host": url.hostname,
            "port": url.port or (8443 if secure else 8123),
            "username": unquote(url.username or "default"),
            "password": unquote(url.password or ""),
            "secure": secure,
        }


def database_name(settings: Settings) -> str:
    """The database that holds the pipeline's tables: the URL's path, `llma` by default.

    Raises:
        DatabaseError: CLICKHOUSE_URL is not a URL of a ClickHouse server.
    """
    if settings.clickhouse_url is None:
        return DEFAULT_DATABASE
    try:
        url = urlsplit(settings.clickhouse_url)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise DatabaseError(
            "CLICKHOUSE_URL has to look like https://host:8443/database, user and password before the host"
        )
    return unquote(url.path.strip("/")) or DEFAULT_DATABASE


def _make_client(*, embedded: bool, **arguments: Any) -> Any:
    import clickhouse_connect
    from clickhouse_connect.driver.httputil import get_pool_manager

    # Their warnings repeat, with a stack, what is raised to us anyway, also where we start the server and go on.
    for name in ("clickhouse_connect.driver._backend.http_sync", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # A server on this machine is never behind the proxy of the environment.
    local = arguments["host"] in _LOOPBACK
    pool: Any = get_pool_manager(maxsize=_POOL_SIZE, num_pools=1) if local else None
    if embedded:
        pool.pool_classes_by_scheme = {"http": _proven_pool(arguments["password"])}
    return clickhouse_connect.get_client(
        **arguments,
        compress=not local,  # compression costs more than loopback does
        pool_mgr=pool,
        autogenerate_session_id=False,
        form_encode_query_params=True,  # lists of ids are longer than a URL may be
        show_clickhouse_errors="scrub",
        tz_mode="aware",
        connect_timeout=_CONNECT_TIMEOUT_S,
        send_receive_timeout=_ANSWER_TIMEOUT_S,
        client_name="llma-assets",
    )


def _proven_pool(password: str) -> Any:
    """Connections that are used only if the other side has shown that it is the folder's server."""
    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import NewConnectionError

    class ProvenConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sock = self.sock
            assert sock is not None
            try:
                is_proven = has_password(sock, password)
            except OSError:
                is_proven = False
            if not is_proven:
                self.close()
                raise NewConnectionError(self, "somebody else listens on the port of the embedded server")

    class ProvenPool(HTTPConnectionPool):
        ConnectionCls = ProvenConnection

    return ProvenPool


class _Refused(Exception):
    """Nobody listened: the server has not seen the request."""


class _Broken(Exception):
    """The connection ended before the answer was complete: the server may have done the work."""


@contextmanager
def _translated() -> Iterator[None]:
    """Turn clickhouse-connect's and urllib3's errors into ours.

    Theirs are left out of the chain: they quote whole statements, and whoever shows the innermost error shows those.
    """
    from clickhouse_connect.driver.exceptions import Error, StreamFailureError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except StreamFailureError as error:
        if error.code is None and isinstance(error.__cause__ or error.__context__, (HTTPError, OSError)):
            raise _Broken(f"the connection to ClickHouse broke within an answer: {in_one_line(str(error))}") from error
        raise DatabaseError(in_one_line(str(error)), _code(error)) from None
    except Error as error:
        _raise_transport(error)
        raise DatabaseError(in_one_line(str(error)), _code(error)) from None
    except (HTTPError, ConnectionError) as error:
        raise _Broken(f"the connection to ClickHouse broke: {type(error).__name__}") from error


@contextmanager
def translated() -> Iterator[None]:
    """As `Link.call` translates, for answers that are read after the call."""
    try:
        with _translated():
            yield
    except (_Refused, _Broken) as error:
        raise DatabaseUnavailable(str(error)) from None


def _code(error: Exception) -> int:
    return int(getattr(error, "code", None) or 0)


def _raise_transport(error: Exception) -> None:
    """Raise `_Refused` or `_Broken` if the error came from the network and not from ClickHouse."""
    from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

    cause: BaseException | None = error.__cause__ or error.__context__
    if not isinstance(cause, HTTPError):
        return
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    text = f"ClickHouse cannot be reached: {type(reason).__name__}"
    if isinstance(reason, NewConnectionError):
        raise _Refused(text) from error
    raise _Broken(text) from error
