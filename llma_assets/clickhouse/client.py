"""The clickhouse-connect client behind all `Database` objects of a process: creation, renewal, error translation.

No other module imports clickhouse-connect.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from llma_assets.clickhouse import lifecycle
from llma_assets.clickhouse.column_types import ColumnTypes
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, error_summary
from llma_assets.clickhouse.known_sources import KnownSources
from llma_assets.clickhouse.layout import Layout
from llma_assets.clickhouse.server_identity import knows_password
from llma_assets.clickhouse.writes import Writes
from llma_assets.settings import Settings

T = TypeVar("T")

_ATTEMPTS = 2
_EMBEDDED_ATTEMPTS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_POOL_SIZE = 32
_CONNECT_TIMEOUT_S = 10
_ANSWER_TIMEOUT_S = 900
DEFAULT_DATABASE = "llma"


@dataclass(frozen=True, slots=True)
class SentTable:
    """A table that is sent with a query, and is there for it alone.

    Attributes:
        name: by which the query reads it.
        columns: names and ClickHouse's types.
        rows: in the format RowBinary.
    """

    name: str
    columns: Mapping[str, str]
    rows: bytes


def external_data(table: SentTable) -> Any:
    """The table as clickhouse-connect sends it."""
    from clickhouse_connect.driver.external import ExternalData

    structure = [f"{name} {kind}" for name, kind in table.columns.items()]
    return ExternalData(file_name=table.name, data=table.rows, fmt="RowBinary", structure=structure)


class SharedClient:
    """A clickhouse-connect client that threads share and that survives a restart of the server.

    Without sessions, clickhouse-connect's HTTP client keeps no state between queries, and its pool is thread-safe.
    After a fork the child creates its own client and does not use the parent's sockets.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._client: Any = None
        self._pid = 0
        self.data_dir = settings.data_dir
        self.embedded = settings.clickhouse_url is None
        self.known_sources = KnownSources()
        self.writes = Writes()
        self.column_types = ColumnTypes()
        cluster = settings.cluster
        self.layout = Layout(cluster.name, cluster.sharded, cluster.storage_policy, cluster.root)

    def call(self, operation: Callable[[Any], T], *, repeatable: bool) -> T:
        """Run `operation(client)`, and repeat it if the server was away; an embedded server is started.

        After a refused connection every operation is repeated, because it did not reach the server. After a connection
        that broke later, the operation may have had its effect: it is repeated only if it is `repeatable`.

        Raises:
            DatabaseUnavailable: no server answered, or the connection broke.
            DatabaseError: the server reported an error.
        """
        attempts = _EMBEDDED_ATTEMPTS if self.embedded else _ATTEMPTS
        while True:
            attempts -= 1
            client: Any = None
            try:
                with _client_errors():
                    client = self._current()
                    return operation(client)
            except _Refused as error:
                if attempts == 0:
                    raise DatabaseUnavailable(str(error)) from None
            except _Broken as error:
                if attempts == 0 or (client is not None and not repeatable):
                    raise DatabaseUnavailable(str(error)) from None
            self.drop(client)

    @contextmanager
    def writing(self, table: str, rows: Iterable[Mapping[str, Any]] | None = None) -> Iterator[None]:
        """Around a write to a table: what readers remember of it before or meanwhile does not count afterwards.

        Args:
            rows: what is written, None if that is not known.
        """
        self.writes.tell(table, rows)
        self.writes.note(table)
        try:
            yield
        finally:
            self.writes.note(table)

    def _current(self) -> Any:
        """The client of this process, created on first use."""
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                arguments = self._embedded() if self.embedded else self._from_url()
                self._client = _make_client(embedded=self.embedded, **arguments)
                self._pid = os.getpid()
            return self._client

    def drop(self, client: Any) -> None:
        """Discard a client whose server went away, unless another thread has replaced it already."""
        with self._lock:
            if self._client is client:
                self._client = None
                self.column_types.forget()

    def close(self) -> None:
        """Close the connections of this process; the next query opens new ones."""
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
        raise DatabaseError("CLICKHOUSE_URL must look like https://user:password@host:8443/database")
    return unquote(url.path.strip("/")) or DEFAULT_DATABASE


def _make_client(*, embedded: bool, **arguments: Any) -> Any:
    import clickhouse_connect
    from clickhouse_connect.driver.httputil import get_pool_manager

    # Their warnings repeat errors that are raised or handled here anyway, with a stack.
    for name in ("clickhouse_connect.driver._backend.http_sync", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # A server on this machine is never behind the proxy of the environment.
    local = arguments["host"] in _LOOPBACK
    pool: Any = get_pool_manager(maxsize=_POOL_SIZE, num_pools=1) if local else None
    if embedded:
        pool.pool_classes_by_scheme = {"http": _proven_pool(arguments["password"])}
    return clickhouse_connect.get_client(
        **arguments,
        compress=not local,  # compression costs more than it saves on loopback
        pool_mgr=pool,
        autogenerate_session_id=False,
        form_encode_query_params=True,  # lists of ids may be too long for a URL
        show_clickhouse_errors="scrub",
        tz_mode="aware",
        connect_timeout=_CONNECT_TIMEOUT_S,
        send_receive_timeout=_ANSWER_TIMEOUT_S,
        client_name="llma-assets",
    )


def _proven_pool(password: str) -> Any:
    """A pool of connections that are used only if the other side proves that it is the folder's server."""
    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import NewConnectionError

    class ProvenConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sock = self.sock
            assert sock is not None
            try:
                is_proven = knows_password(sock, password)
            except OSError:
                is_proven = False
            if not is_proven:
                self.close()
                raise NewConnectionError(self, "another process listens on the port of the embedded server")

    class ProvenPool(HTTPConnectionPool):
        ConnectionCls = ProvenConnection

    return ProvenPool


class _Refused(Exception):
    """The connection was refused: the server has not seen the request."""


class _Broken(Exception):
    """The connection ended before the response was complete: the server may have done the work."""


@contextmanager
def _client_errors() -> Iterator[None]:
    """Translate errors of clickhouse-connect and urllib3.

    The original errors are not chained: they quote whole statements.
    """
    from clickhouse_connect.driver.exceptions import Error, StreamFailureError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except StreamFailureError as error:
        if error.code is None and isinstance(error.__cause__ or error.__context__, (HTTPError, OSError)):
            raise _Broken(
                f"the connection to ClickHouse broke within a response: {error_summary(str(error))}"
            ) from error
        raise DatabaseError(error_summary(str(error)), _code(error)) from None
    except Error as error:
        _raise_transport(error)
        raise DatabaseError(error_summary(str(error)), _code(error)) from None
    except (HTTPError, ConnectionError) as error:
        raise _Broken(f"the connection to ClickHouse broke: {type(error).__name__}") from error


@contextmanager
def database_errors() -> Iterator[None]:
    """Translate errors like `SharedClient.call`, for responses that are read after the call."""
    try:
        with _client_errors():
            yield
    except (_Refused, _Broken) as error:
        raise DatabaseUnavailable(str(error)) from None


def _code(error: Exception) -> int:
    return int(getattr(error, "code", None) or 0)


def _raise_transport(error: Exception) -> None:
    """Raise `_Refused` or `_Broken` if the error is from the network and not from ClickHouse."""
    from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

    cause: BaseException | None = error.__cause__ or error.__context__
    if not isinstance(cause, HTTPError):
        return
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    text = f"ClickHouse cannot be reached: {type(reason).__name__}"
    if isinstance(reason, NewConnectionError):
        raise _Refused(text) from error
    raise _Broken(text) from error
