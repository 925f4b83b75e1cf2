"""ClickHouse's HTTP interface to the engine: authentication, headers, and the bytes of a response.

Each connection has a thread: chDB's calls block and release the GIL, and bodies are streamed in pieces. Executing a
request belongs in `execution`, parsing it in `request`.
"""

import hmac
import json
import logging
import secrets
import socket
import sys
from base64 import b64decode
from http import HTTPStatus
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llma_assets.clickhouse.server.activity import ActivityMeter
from llma_assets.clickhouse.server.compression import Compressor, compressor, decompress
from llma_assets.clickhouse.server.engine import Engine
from llma_assets.clickhouse.server.errors import AUTHENTICATION_FAILED, QueryError
from llma_assets.clickhouse.server.execution import Executor, Response
from llma_assets.clickhouse.server.formats import content_type
from llma_assets.clickhouse.server.request import read_request
from llma_assets.clickhouse.server.request_body import RequestBody
from llma_assets.clickhouse.server_identity import CHALLENGE, PROOF, proof_of

log = logging.getLogger(__name__)

_URL_LIMIT = 1 << 20
_KEEP_ALIVE_S = 300.0


class Server(ThreadingHTTPServer):
    """Listens once it is created, and responds once `open` was called and `serve_forever` runs."""

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
        """Set the engine."""
        self.engine = engine
        self.executor = Executor(engine)

    def server_bind(self) -> None:
        """Bind without resolving the host name, which can take seconds."""
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def handle_error(self, *_: object) -> None:
        """Log an error: a broken connection is expected, anything else is a bug of this server."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.info("a connection ended early: %s", type(error).__name__)
        else:
            log.error("a request failed within the server", exc_info=error)


class Headers(HTTPMessage):
    """The headers of a request, read as headers alone.

    The base class is one of e-mail: of a multipart one, which clickhouse-connect's queries are, it expects the parts,
    and compiles a pattern for their boundary, which took a quarter of the time of a small query.
    """

    def get_content_maintype(self) -> str:
        return self.get_default_type().partition("/")[0]


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    MessageClass = Headers
    protocol_version = "HTTP/1.1"
    server_version = "llma-clickhouse"
    wbufsize = 1 << 16
    server: Server
    _query_id = ""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        """As in the base class, but with longer URLs, and a timeout only between requests."""
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
        self._body = RequestBody(self.rfile, self.headers)
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
        body = decompress(headers.get("content-encoding", ""), iter(self._body))
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
        with executor.running.watched(request.query_id, self.connection), executor.execute(request) as response:
            self._send(response, encoding)
        # Not earlier: a client that has read the end of the response may use the session at once.
        if self.command != "HEAD":
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _authenticate(self, fields: dict[str, str]) -> None:
        """Authenticate the only user by URL, headers or basic authentication.

        Raises:
            QueryError: with ClickHouse's code, and the same text for a wrong user and a wrong password.
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

    def _send(self, response: Response, encoding: tuple[str, Compressor] | None) -> None:
        tag = secrets.token_hex(8)
        self.send_response(HTTPStatus.OK)
        self._common_headers()
        if response.format is not None:
            self.send_header("X-ClickHouse-Format", response.format)
        self.send_header("Content-Type", content_type(response.format or ""))
        self.send_header("X-ClickHouse-Exception-Tag", tag)
        self.send_header("X-ClickHouse-Summary", _summary(response))
        if encoding:
            self.send_header("Content-Encoding", encoding[0])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        write = encoding[1].compress if encoding else bytes
        try:
            for piece in response.pieces:
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

    def _drain(self) -> None:
        self._body.drain()
        self.close_connection = self.close_connection or self._body.is_broken

    def _common_headers(self) -> None:
        self.send_header("X-ClickHouse-Server-Display-Name", "llma")
        self.send_header("X-ClickHouse-Query-Id", self._printable_id())
        self.send_header("X-ClickHouse-Timezone", self.server.engine.timezone)
        if self.close_connection:
            self.send_header("Connection", "close")

    def _printable_id(self) -> str:
        """The query id without characters that would end a header or a log line."""
        return "".join(letter for letter in self._query_id[:256] if letter.isascii() and letter.isprintable())


def _summary(response: Response) -> str:
    counts = response.counts
    numbers: dict[str, Any] = {
        "read_rows": counts.read_rows,
        "read_bytes": counts.read_bytes,
        "written_rows": counts.written_rows,
        "written_bytes": counts.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": counts.result_rows,
        "result_bytes": counts.result_bytes,
        "elapsed_ns": response.elapsed_ns(),
    }
    return json.dumps({name: str(number) for name, number in numbers.items()})


def _exception_block(tag: str, text: str) -> bytes:
    """The block with which a ClickHouse server reports within a body that the query failed."""
    message = text.encode() + b"\n"
    mark = tag.encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, message, len(message), mark)
