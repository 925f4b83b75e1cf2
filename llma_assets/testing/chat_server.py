"""A real local HTTP server that speaks the OpenAI API, with faults on demand.

PyPI's packages of this kind were looked at (llmock, llmfaker, mock-ai-api, mocklimit, fakellm, mockllm, aimock-pytest,
pytest-httpserver): some draw faults by chance, some patch the library, one only limits rates; none hangs, resets a
connection and counts requests on a script, so this is the standard library's server.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from llma_assets.testing.answers import answer_from_schema, vector_of
from llma_assets.testing.bodies import SERVED_MODEL, completion_body, embeddings_body, error_body
from llma_assets.testing.faults import Content, Dribble, Fault, Garbage, Hang, Reset, Said, Status, Vectors
from llma_assets.testing.loopback import LoopbackServer
from llma_assets.testing.quota import Quota
from llma_assets.testing.requests import Bill, Request, inputs_of, quarter_bill

LISTED_MODELS = (
    SERVED_MODEL,
    "gpt-6-luna",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "text-embedding-3-large",
    "text-embedding-3-small",
)
"""What `/v1/models` lists unless it is told otherwise; any model is answered for."""

Answer = Callable[[Request], str | Mapping[str, Any]]
"""What a model says to a request: a text, or an object, which is sent as JSON."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what these tests are about: say nothing."""


class ChatServer(LoopbackServer):
    """A threaded server on a free loopback port, running inside a `with` block.

    >>> from llma_assets.models import OpenAIEmbedder
    >>> with ChatServer(faults=[Reset()]) as server:
    ...     embedder = OpenAIEmbedder("my-model", api_key="any", base_url=server.url)
    ...     vectors = embedder.embed(["a refund", "a parcel"])
    >>> vectors.shape, len(server.calls("/v1/embeddings"))
    ((2, 16), 2)

    Args:
        answer: what a model would say, computed from the request: a text, or an object, which is sent as JSON. Without
            it an answer is made from the request's JSON schema.
        faults: what happens to the first requests, in order; None is a normal answer. They are used up; then come
            normal answers.
        always: what happens to every request after these, None for normal answers.
        judge: looks at each request before it is answered; what it returns, if not None, is the fault. For
            servers that refuse something: a parameter, a text, a model.
        latency_s: time that each normal answer takes.
        models: what `/v1/models` lists; `LISTED_MODELS` unless they are given.
        quota: how many requests are answered in which time; the others get 429.
        bill: tokens of a request and of the answer to it; a quarter of their characters unless it is given.

    Attributes:
        requests: all that came, in order; `calls` has those to a path.
        most_at_once: so many requests were under way at the same time at most.
        billed: the model and the tokens, in and out, of each request that was worked on, also where the answer did
            not arrive.
    """

    transport = _Server

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        faults: Iterable[Fault] = (),
        always: Fault = None,
        judge: Callable[[Request], Fault] | None = None,
        latency_s: float = 0.0,
        quota: Quota | None = None,
        bill: Bill | None = None,
        models: Iterable[Mapping[str, Any]] | None = None,
    ) -> None:
        self.models = [{"id": name} for name in LISTED_MODELS] if models is None else list(models)
        self._answer = answer or answer_from_schema
        self._faults = list(faults)
        self._always = always
        self._judge = judge
        self._latency_s = latency_s
        self._quota = quota
        self._bill = bill or quarter_bill
        self.billed: list[tuple[str, int, int]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0

    @property
    def url(self) -> str:
        """The base URL, ending in /v1."""
        return f"http://{self.host}/v1"

    def calls(self, path: str = "/v1/chat/completions") -> list[Request]:
        """The requests to a path, in the order they came."""
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def handler(self) -> "type[ChatHandler]":
        return ChatHandler

    def __exit__(self, *error: Any) -> None:
        self._closing.set()
        super().__exit__(*error)

    def begin(self, request: Request) -> Fault:
        """Note a request; says what happens to it."""
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            if request.path.endswith("/models"):  # no question to a model: no script, and no answer of one
                return None if isinstance(self._always, Content | Vectors) else self._always
            scripted = self._faults.pop(0) if self._faults else self._always
        judged = self._judge(request) if self._judge else None
        refused = self._quota.take() if self._quota else None
        return judged or scripted or refused

    def headers(self) -> Mapping[str, str]:
        """What normal answers say about the quota."""
        return self._quota.headers() if self._quota else {}

    def end(self) -> None:
        """Note that a request has its answer."""
        with self._lock:
            self._at_once -= 1

    def pause(self, seconds: float) -> bool:
        """Wait, but not past the server's end; True when it has come."""
        return self._closing.wait(seconds)

    def normal(self, request: Request) -> dict[str, Any]:
        """The body of a normal answer."""
        if self._latency_s:
            self._closing.wait(self._latency_s)
        if request.path.endswith("/embeddings"):
            return self.embeddings(request, [vector_of(text) for text in inputs_of(request)])
        return self.completion(request, Content(self.answer(request)))

    def answer(self, request: Request) -> str:
        """What a model says to a request."""
        said = self._answer(request)
        return said if isinstance(said, str) else json.dumps(said)

    def completion(self, request: Request, content: Content) -> dict[str, Any]:
        """A chat completion, put on the bill."""
        return completion_body(request, content, self.charge(request, str(content.text or "")))

    def embeddings(self, request: Request, rows: Iterable[Iterable[float]]) -> dict[str, Any]:
        """An embeddings answer, put on the bill."""
        return embeddings_body(request, rows, self.charge(request, ""))

    def charge(self, request: Request, said: str | None = None) -> tuple[int, int]:
        """Put a request on the bill, with the normal answer unless another is given."""
        if said is None:
            said = "" if request.path.endswith("/embeddings") else self.answer(request)
        spoken, tokens_out = self._bill(request, said)
        with self._lock:
            self.billed.append((request.body["model"], spoken, tokens_out))
        return spoken, tokens_out


class ChatHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ChatServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        request = Request(self.path, self._lower_headers(), None)
        known = self.path == "/v1/models"
        models = [{"object": "model", "created": 0, "owned_by": "tests", **model} for model in self.owner.models]
        listed = {"object": "list", "data": models}
        self._serve(request, listed if known else error_body(Status(404)), status=200 if known else 404)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.path, self._lower_headers(), json.loads(raw))
        known = self.path in {"/v1/chat/completions", "/v1/embeddings"}
        self._serve(request, None if known else error_body(Status(404)), status=200 if known else 404)

    def _serve(self, request: Request, body: Any, status: int = 200) -> None:
        fault = self.owner.begin(request)
        try:
            if status == 200 and fault is not None:
                self._fail(request, fault)
            else:
                self._json(status, body if body is not None else self.owner.normal(request), self.owner.headers())
        finally:
            self.owner.end()

    def _fail(self, request: Request, fault: Fault) -> None:
        match fault:
            case Status():
                self._json(fault.status, error_body(fault), fault.headers)
            case Said():
                if fault.status < 300:
                    self.owner.charge(request)
                self._bytes(fault.status, fault.bytes, fault.content_type, fault.headers)
            case Garbage():
                self.owner.charge(request)
                self._bytes(200, fault.body, fault.content_type)
            case Content():
                self._json(200, self.owner.completion(request, fault), fault.headers)
            case Vectors():
                self._json(200, self.owner.embeddings(request, fault.rows))
            case Hang():
                self.owner.charge(request)
                self._wait_for_the_end()
            case Dribble():
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                while not self.owner.pause(fault.every_s):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                self.close_connection = True
            case Reset():
                self.owner.charge(request)
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True

    def _wait_for_the_end(self) -> None:
        """Hold the line until the client hangs up or the server ends."""
        self.close_connection = True
        self.connection.settimeout(0.02)
        while not self.owner.pause(0.0):
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self._bytes(status, json.dumps(body).encode(), "application/json", headers)

    def _bytes(self, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}
