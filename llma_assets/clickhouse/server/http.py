"""ClickHouse's HTTP interface over the engine: who may ask, and which bytes go on the wire when.

A thread a connection: chDB's calls block and release the GIL, and bodies stream through in pieces. What a
statement does is `execution`'s business.
"""

import hmac
import json
import logging
import secrets
import socket
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llma_assets.clickhouse.server.compression import Compressor, compressor, decompress
from llma_assets.clickhouse.server.engine import Engine
from llma_assets.clickhouse.server.errors import AUTHENTICATION_FAILED, QueryError
from llma_assets.clickhouse.server.execution import Answer, Executor
from llma_assets.clickhouse.server.formats import content_type
from llma_assets.clickhouse.server.request import read_request
from llma_assets.clickhouse.server_identity import CHALLENGE, PROOF, proof_of

log = logging.getLogger(__name__)

_PIECE = 1 << 20
_DRAIN_LIMIT = 64 << 20
_URL_LIMIT = 1 << 20
_KEEP_ALIVE_S = 300.0


class ActivityMeter:
    """How many requests of those who know the password run, and since when none does. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._last_s = time.monotonic()

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            self._last_s = time.monotonic()

    @property
    def running(self) -> int:
        return self._running

    def idle_s(self) -> float:
        """Seconds without a request; 0 while one runs."""
        with self._lock:
            return 0.0 if self._running else time.monotonic() - self._last_s


class Server(ThreadingHTTPServer):
    """Listens from the moment it is made; answers once `open` was called and `serve_forever` runs."""

    daemon_threads = True
    request_queue_size = 256
    engine: Engine
    executor: Executor

    def __init__(self, address: tuple[str, int], user: str, password: str) -> None:
        super().__init__(address, Handler)
        self.user = user
        self.password = password
        self.activity = ActivityMeter()

    def open(self, engine: Engine) -> None:
        """Give the server its engine."""
        self.engine = engine
        self.executor = Executor(engine)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def handle_error(self, *_: object) -> None:
        """A connection that broke is its client's business; anything else is a defect of this server."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.info("a connection ended early: %s", type(error).__name__)
        else:
            log.error("a request failed within the server", exc_info=error)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "llma-clickhouse"
    wbufsize = 1 << 16
    server: Server
    _query_id = ""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        """As the base class, with longer URLs, and a time limit only for the wait between requests."""
        self.connection.settimeout(_KEEP_ALIVE_S)
        try:
            self.raw_requestline = self.rfile.readline(_URL_LIMIT + 1)
        except TimeoutError:
            self.close_connection = True
            return
        self.connection.settimeout(None)
        self._query_id = ""
        if len(self.raw_requestline) > _URL_LIMIT:
            self.requestline = self.request_version = self.command = ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            self.close_connection = True
        elif not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._respond()

    def log_message(self, *_: object) -> None:
        """Requests are not logged: URLs carry parameters, and those carry people's data."""

    def _respond(self) -> None:
        url = urlsplit(self.path)
        self._body = self._read_body()
        if url.path in ("/ping", "/replicas_status"):
            self._plain(HTTPStatus.OK, b"Ok.\n")
        elif self.command not in ("GET", "POST", "HEAD"):
            self._plain(HTTPStatus.METHOD_NOT_ALLOWED, b"Use GET or POST\n")
        elif url.path not in ("", "/", "/query"):
            self._plain(HTTPStatus.NOT_FOUND, b"There is no handler for this path\n")
        else:
            try:
                self._authenticate(dict(parse_qsl(url.query)))
            except QueryError as error:
                self._fail(error)
                return
            with self.server.activity:
                try:
                    self._run(url.query)
                except QueryError as error:
                    self._fail(error)

    def _run(self, url_query: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = decompress(headers.get("content-encoding", ""), self._body)
        try:
            request = read_request(url_query, headers, body, read_only=self.command != "POST")
        except UnicodeDecodeError:
            raise QueryError.of(36, "BAD_ARGUMENTS", "The form is not in UTF-8") from None
        if not request.head.strip():
            self._plain(HTTPStatus.OK, b"Ok.\n")
            return
        self._query_id = request.query_id
        encoding = None
        if request.flag("enable_http_compression"):
            encoding = compressor(headers.get("accept-encoding", ""))
        executor = self.server.executor
        with executor.running.watched(request.query_id, self.connection), executor.execute(request) as answer:
            self._send(answer, encoding)
        # Only now: whoever reads the end of the answer may use the session again at once.
        if self.command != "HEAD":
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _authenticate(self, fields: dict[str, str]) -> None:
        """Accept the one user by URL, headers or basic authentication.

        Raises:
            QueryError: with the engine's own code, and the same text for a wrong user and a wrong password.
        """
        user = fields.get("user") or self.headers.get("X-ClickHouse-User")
        password = fields.get("password") or self.headers.get("X-ClickHouse-Key")
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = b64decode(token, validate=True).decode().partition(":")
            except ValueError:
                user = password = ""
        accepted = hmac.compare_digest((user or "default").encode(), self.server.user.encode())
        accepted &= hmac.compare_digest((password or "").encode(), self.server.password.encode())
        if not accepted:
            raise QueryError.of(
                AUTHENTICATION_FAILED,
                "AUTHENTICATION_FAILED",
                f"{(user or 'default')[:64]}: Authentication failed: password is incorrect, "
                "or there is no user with such name",
            )

    def _send(self, answer: Answer, encoding: tuple[str, Compressor] | None) -> None:
        tag = secrets.token_hex(8)
        self.send_response(HTTPStatus.OK)
        self._common_headers()
        if answer.format is not None:
            self.send_header("X-ClickHouse-Format", answer.format)
        self.send_header("Content-Type", content_type(answer.format or ""))
        self.send_header("X-ClickHouse-Exception-Tag", tag)
        self.send_header("X-ClickHouse-Summary", _summary(answer))
        if encoding:
            self.send_header("Content-Encoding", encoding[0])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        write = encoding[1].compress if encoding else bytes
        try:
            for piece in answer.pieces:
                self._chunk(write(piece))
        except QueryError as error:
            log.info("query %s failed in mid-stream with code %d", self._printable_id(), error.code)
            self._chunk(write(_exception_block(tag, self._text(error))))
            self.close_connection = True
        if encoding:
            self._chunk(encoding[1].flush())

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n" % len(data))
            self.wfile.write(data)
            self.wfile.write(b"\r\n")

    def _fail(self, error: QueryError) -> None:
        body = (self._text(error) + "\n").encode()
        self._drain()
        self.send_response(error.status)
        self._common_headers()
        self.send_header("X-ClickHouse-Exception-Code", str(error.code))
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _text(self, error: QueryError) -> str:
        return f"{error.message} (version {self.server.engine.version} (official build))"

    def _plain(self, status: HTTPStatus, body: bytes) -> None:
        self._drain()
        self.send_response(status)
        if challenge := self.headers.get(CHALLENGE):
            self.send_header(PROOF, proof_of(self.server.password, challenge))
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _common_headers(self) -> None:
        self.send_header("X-ClickHouse-Server-Display-Name", "llma")
        self.send_header("X-ClickHouse-Query-Id", self._printable_id())
        self.send_header("X-ClickHouse-Timezone", self.server.engine.timezone)
        if self.close_connection:
            self.send_header("Connection", "close")

    def _printable_id(self) -> str:
        """The query id without what would end a header or a log line."""
        return "".join(letter for letter in self._query_id[:256] if letter.isascii() and letter.isprintable())

    def _read_body(self) -> Iterator[bytes]:
        """The body in pieces, by length or chunked.

        Raises:
            QueryError: the client left within its request, or wrote it wrongly.
        """
        try:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                while size := int(self.rfile.readline(64).split(b";")[0], 16):
                    yield from self._read_exactly(size)
                    self.rfile.readline(8)
                while self.rfile.readline(1 << 16).strip():
                    pass
            else:
                yield from self._read_exactly(int(self.headers.get("Content-Length") or 0))
        except ValueError:
            self.close_connection = True
            raise QueryError.of(1000, "POCO_EXCEPTION", "The request's length cannot be read") from None

    def _read_exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self.rfile.read(min(size, _PIECE))
            if not piece:
                self.close_connection = True
                text = "The client closed the connection within its request"
                raise QueryError.of(210, "NETWORK_ERROR", text)
            size -= len(piece)
            yield piece

    def _drain(self) -> None:
        """Read what is left of the request, so that the client gets to read the answer."""
        left = _DRAIN_LIMIT
        try:
            for piece in self._body:
                left -= len(piece)
                if left < 0:
                    self.close_connection = True
                    return
        except (QueryError, OSError):
            self.close_connection = True


def _summary(answer: Answer) -> str:
    counts = answer.counts
    numbers: dict[str, Any] = {
        "read_rows": counts.read_rows,
        "read_bytes": counts.read_bytes,
        "written_rows": counts.written_rows,
        "written_bytes": counts.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": counts.result_rows,
        "result_bytes": counts.result_bytes,
        "elapsed_ns": answer.elapsed_ns(),
    }
    return json.dumps({name: str(number) for name, number in numbers.items()})


def _exception_block(tag: str, text: str) -> bytes:
    """How a ClickHouse server says within a body that the query failed after all."""
    message = text.encode() + b"\n"
    mark = tag.encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, message, len(message), mark)
