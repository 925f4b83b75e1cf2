"""What fake trackers share: a threaded server on a free loopback port, faults on a script, and a clock of its own."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llma_assets.testing.alert_servers import Answer
from llma_assets.testing.loopback import LoopbackServer


@dataclass(frozen=True)
class Asked:
    """One request as it came.

    Attributes:
        query: the parameters of the address.
        body: of JSON, None where there was none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


Fault = Answer | Callable[[Asked], Answer | None] | None
"""What happens instead of a normal answer: an answer, or what looks at the request and says one, or None."""


class Lost(Exception):
    """The request is done, and its answer never arrives: the connection is reset."""


class TrackerServer(LoopbackServer):
    """A server inside a `with` block.

    Args:
        faults: of the first requests, in order; None is a normal answer.
        always: of every request after these.
        clock: its present moment; answers carry it as `Date`.

    Attributes:
        requests: all that came.
        base: its address as a client is given it.
    """

    prefix = ""

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        always: Fault = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._faults = list(faults)
        self.always = always
        self.clock = clock
        self._lock = threading.Lock()
        self.requests: list[Asked] = []

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://{self.host}{self.prefix}"

    def asked(self, method: str, path: str = "") -> list[Asked]:
        """The requests of a method whose path ends so."""
        return [each for each in self.requests if each.method == method and each.path.endswith(path)]

    def take(self, asked: Asked) -> Answer:
        """The answer to a request that no fault was scripted for."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        """Note a request, and say what is answered."""
        with self._lock:
            self.requests.append(asked)
            fault = self._faults.pop(0) if self._faults else self.always
            said = fault if isinstance(fault, Answer) or fault is None else fault(asked)
            return said or self.take(asked)

    def stamp(self) -> str:
        """The present moment as the API writes it."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: TrackerServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        return format_datetime(self.owner.clock().astimezone(UTC), usegmt=True)

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def do_PATCH(self) -> None:
        self._respond()

    def _respond(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        try:
            said = self.owner.answer(asked)
        except Lost:
            self.close_connection = True
            return
        content = said.body.encode() if isinstance(said.body, str) else json.dumps(said.body).encode()
        self.send_response(said.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
