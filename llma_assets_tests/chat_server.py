"""A real local HTTP server that speaks the OpenAI API, with faults on demand. For the tests of every room.

    with ChatServer(faults=[RateLimited("1"), Garbage()]) as server:
        chat = OpenAIChat("test-model", api_key="k", base_url=server.url)

Faults are used up by requests in order (None: a normal answer); then come normal answers. `answer` computes the
content of normal chat answers from the request; without it one is made from the request's JSON schema.
PyPI's packages of this kind were looked at (llmock, llmfaker, mock-ai-api, mocklimit, fakellm, mockllm, aimock-pytest,
pytest-httpserver): some draw faults by chance, some patch the library, one only limits rates; none hangs, resets a
connection and counts requests on a script, so this is the standard library's server.
"""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import numpy as np

from llma_assets.tokens import count_each

DIMENSION = 16
SERVED_MODEL = "test-model-2026-01-01"
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


@dataclass(frozen=True)
class Request:
    """One request as it came: path, headers (lower-case names), JSON body."""

    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def prompt(self) -> str:
        """All text of the messages."""
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    @property
    def schema(self) -> Any:
        """The JSON schema that was asked for, None if there was none."""
        wanted = self.body.get("response_format") or {}
        return wanted.get("json_schema", {}).get("schema")


@dataclass(frozen=True)
class Status:
    """An HTTP error with OpenAI's error object."""

    status: int
    message: str = "injected"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """Any status with exactly this body: an object as JSON, a text as it is. For what servers really answer."""

    status: int
    body: Any
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        """The body."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def RateLimited(retry_after: str | None = None) -> Status:
    """429, with a Retry-After header if given."""
    return Status(429, "slow down", headers={"Retry-After": retry_after} if retry_after else {})


@dataclass(frozen=True)
class Garbage:
    """200 with a body that is no JSON."""

    body: bytes = b"<html>welcome to my proxy</html>"
    content_type: str = "text/html"


@dataclass(frozen=True)
class Content:
    """200 with a chat completion that says exactly this; `message` are further fields of its message."""

    text: str | list[dict[str, Any]] | None = ""
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: bool = True
    message: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


EMPTY = Content("")
INVALID_JSON = Content('{"title": "half an ans')
WRONG_SCHEMA = Content('{"unexpected": 1}')
TRUNCATED = Content('{"title": "half an ans', finish_reason="length")
REFUSAL = Content(None, refusal="I cannot help with that")
FILTERED = Content(None, finish_reason="content_filter")


@dataclass(frozen=True)
class Hang:
    """No answer at all, until the client or the server goes away."""


@dataclass(frozen=True)
class Dribble:
    """Headers at once, then a byte now and then, until the client or the server goes away."""

    every_s: float = 0.02


@dataclass(frozen=True)
class Reset:
    """The connection is reset without an answer."""


@dataclass(frozen=True)
class Vectors:
    """200 with exactly these embeddings."""

    rows: tuple[tuple[float, ...], ...]


class Quota:
    """So many requests at most, that come back evenly, as OpenAI counts them; its headers tell how many are left.

    Attributes:
        refused: requests that got 429.
    """

    def __init__(self, requests: int, window_s: float, *, tells: bool = True, retry_after: bool = True) -> None:
        self.refused = 0
        self._most, self._rate = requests, requests / window_s
        self._left, self._at = float(requests), time.monotonic()
        self._tells, self._retry_after = tells, retry_after
        self._lock = threading.Lock()

    def take(self) -> "Status | None":
        """Take one; a refusal where there is none."""
        with self._lock:
            self._refill()
            if self._left >= 1:
                self._left -= 1
                return None
            self.refused += 1
            wait_ms = f"{1000 * (1 - self._left) / self._rate:.0f}"
            return Status(429, "slow down", headers={"Retry-After-Ms": wait_ms} if self._retry_after else {})

    def headers(self) -> dict[str, str]:
        """The state as OpenAI tells it."""
        if not self._tells:
            return {}
        with self._lock:
            self._refill()
            return {
                "x-ratelimit-limit-requests": str(self._most),
                "x-ratelimit-remaining-requests": str(int(self._left)),
                "x-ratelimit-reset-requests": f"{1000 * (self._most - self._left) / self._rate:.0f}ms",
            }

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now


Fault = Status | Said | Garbage | Content | Hang | Dribble | Reset | Vectors | None
Answer = Callable[[Request], str]


class ChatServer:
    """A threaded server on a free loopback port, running inside a `with` block.

    Args:
        answer: content of a normal chat answer, computed from the request.
        faults: what happens to the first requests, in order; None is a normal answer.
        always: what happens to every request after these, None for normal answers.
        judge: looks at each request before it is answered; what it returns, if not None, is the fault. For
            servers that refuse something: a parameter, a text, a model.
        latency_s: time that each normal answer takes.
        models: what `/v1/models` lists.
        quota: how many requests are answered in which time; the others get 429.
        bill: tokens of a request and of the answer to it; a quarter of their characters unless it is given.

    Attributes:
        billed: the model and the tokens, in and out, of each request that was worked on, also where the answer did
            not arrive.
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        faults: Iterable[Fault] = (),
        always: Fault = None,
        judge: Callable[[Request], Fault] | None = None,
        latency_s: float = 0.0,
        quota: "Quota | None" = None,
        bill: "Bill | None" = None,
        models: Iterable[Mapping[str, Any]] = tuple({"id": name} for name in LISTED_MODELS),
    ) -> None:
        self.models = list(models)
        self._answer = answer or answer_from_schema
        self._faults = list(faults)
        self._always = always
        self._judge = judge
        self._latency_s = latency_s
        self._quota = quota
        self._bill = bill or quarter_bill
        self.billed: list[tuple[str, int, int]] = []
        self.handler: type[_Handler] | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0

    @property
    def url(self) -> str:
        """The base URL, ending in /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def calls(self, path: str = "/v1/chat/completions") -> list[Request]:
        """The requests to a path, in the order they came."""
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def __enter__(self) -> Self:
        handler = type("Handler", (self.handler or _Handler,), {"chat": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

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
            return self.embeddings(request, [vector_of(text) for text in _inputs(request)])
        return self.completion(request, Content(self._answer(request)))

    def completion(self, request: Request, content: Content) -> dict[str, Any]:
        """A chat completion, put on the bill."""
        return completion_body(request, content, self.charge(request, str(content.text or "")))

    def embeddings(self, request: Request, rows: Iterable[Iterable[float]]) -> dict[str, Any]:
        """An embeddings answer, put on the bill."""
        return embeddings_body(request, rows, self.charge(request, ""))

    def charge(self, request: Request, said: str | None = None) -> tuple[int, int]:
        """Put a request on the bill, with the normal answer unless another is given."""
        if said is None:
            said = "" if request.path.endswith("/embeddings") else self._answer(request)
        spoken, tokens_out = self._bill(request, said)
        with self._lock:
            self.billed.append((request.body["model"], spoken, tokens_out))
        return spoken, tokens_out


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what these tests are about: say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chat: ChatServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        request = Request(self.path, self._lower_headers(), None)
        known = self.path == "/v1/models"
        models = [{"object": "model", "created": 0, "owned_by": "tests", **model} for model in self.chat.models]
        listed = {"object": "list", "data": models}
        self._serve(request, listed if known else _error_body(Status(404)), status=200 if known else 404)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.path, self._lower_headers(), json.loads(raw))
        known = self.path in {"/v1/chat/completions", "/v1/embeddings"}
        self._serve(request, None if known else _error_body(Status(404)), status=200 if known else 404)

    def _serve(self, request: Request, body: Any, status: int = 200) -> None:
        fault = self.chat.begin(request)
        try:
            if status == 200 and fault is not None:
                self._fail(request, fault)
            else:
                self._json(status, body if body is not None else self.chat.normal(request), self.chat.headers())
        finally:
            self.chat.end()

    def _fail(self, request: Request, fault: Fault) -> None:
        match fault:
            case Status():
                self._json(fault.status, _error_body(fault), fault.headers)
            case Said():
                if fault.status < 300:
                    self.chat.charge(request)
                self._bytes(fault.status, fault.bytes, fault.content_type, fault.headers)
            case Garbage():
                self.chat.charge(request)
                self._bytes(200, fault.body, fault.content_type)
            case Content():
                self._json(200, self.chat.completion(request, fault), fault.headers)
            case Vectors():
                self._json(200, self.chat.embeddings(request, fault.rows))
            case Hang():
                self.chat.charge(request)
                self._wait_for_the_end()
            case Dribble():
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                while not self.chat.pause(fault.every_s):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                self.close_connection = True
            case Reset():
                self.chat.charge(request)
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True

    def _wait_for_the_end(self) -> None:
        """Hold the line until the client hangs up or the server ends."""
        self.close_connection = True
        self.connection.settimeout(0.02)
        while not self.chat.pause(0.0):
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


def _error_body(status: Status) -> dict[str, Any]:
    kind = "server_error" if status.status >= 500 else "invalid_request_error"
    error = {"message": status.message, "type": kind, "param": status.param, "code": status.code}
    return {"error": error}


Bill = Callable[[Request, str], tuple[int, int]]


def quarter_bill(request: Request, said: str) -> tuple[int, int]:
    """Tokens of a request and of what was said: a quarter of the characters."""
    if request.path.endswith("/embeddings"):
        return sum(len(text) for text in _inputs(request)) // 4, 0
    return len(request.prompt) // 4, len(said) // 4


def real_bill(request: Request, said: str) -> tuple[int, int]:
    """Tokens as OpenAI counts them for the model that was asked for: a few for each message, and the JSON schema."""
    model = request.body["model"]
    if request.path.endswith("/embeddings"):
        return sum(count_each(_inputs(request), model)), 0
    texts = [str(message["content"]) for message in request.body["messages"]]
    schema = json.dumps(request.schema) if request.schema else ""
    return sum(count_each([*texts, schema], model)) + 4 * len(texts) + 3, count_each([said], model)[0]


def completion_body(request: Request, content: Content, tokens: tuple[int, int] | None = None) -> dict[str, Any]:
    """A chat completion as servers send it, with these tokens of the request and of the answer."""
    message = {"role": "assistant", "content": content.text, "refusal": content.refusal, **content.message}
    body: dict[str, Any] = {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": SERVED_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": content.finish_reason}],
    }
    if content.usage:
        spoken, said = tokens or quarter_bill(request, str(content.text or ""))
        body["usage"] = {
            "prompt_tokens": spoken,
            "completion_tokens": said,
            "total_tokens": spoken + said,
        }
    return body


def embeddings_body(
    request: Request, rows: Iterable[Iterable[float]], tokens: tuple[int, int] | None = None
) -> dict[str, Any]:
    """An embeddings answer, rows in reverse order to see whether anyone looks at `index`."""
    as_base64 = request.body.get("encoding_format") == "base64"
    data = []
    for index, row in enumerate(rows):
        numbers = [float(number) for number in row]
        coded = base64.b64encode(np.asarray(numbers, dtype="<f4").tobytes()).decode()
        data.append({"object": "embedding", "index": index, "embedding": coded if as_base64 else numbers})
    spoken, _ = tokens or quarter_bill(request, "")
    usage = {"prompt_tokens": spoken, "total_tokens": spoken}
    return {"object": "list", "data": data[::-1], "model": SERVED_MODEL, "usage": usage}


def _inputs(request: Request) -> list[str]:
    texts = request.body["input"]
    return [texts] if isinstance(texts, str) else list(texts)


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """A unit vector that is the same for equal texts and near for texts that share words."""
    vector = np.zeros(dimension)
    for word in re.findall(r"\w+", text.lower()) or [text]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        vector += np.random.default_rng(seed).standard_normal(dimension)
    return [float(number) for number in vector / np.linalg.norm(vector)]


def answer_from_schema(request: Request) -> str:
    """JSON that fits the request's schema, filled from the prompt.

    `line_refs` point at lines of the prompt (`L12: …`), and strings quote them. An array of objects with an integer
    `cluster_id` gets one for each cluster that the prompt names (`cluster 3`, `"cluster_id": 3`), quoting what
    follows there. In JSON mode the schema is read from the prompt.
    """
    schema = request.schema or _schema_in(request.prompt)
    if schema is None:
        return json.dumps({"text": _quote(request.prompt, 0)})
    asked = next(m["content"] for m in reversed(request.body["messages"]) if m["role"] == "user")
    return json.dumps(_value(schema, schema, "", asked, 0))


def _schema_in(prompt: str) -> Any:
    found = re.search(r'\{"(?:\$defs|properties|type|description)".*', prompt)
    return json.JSONDecoder().raw_decode(prompt, found.start())[0] if found else None


def _value(node: Any, root: Any, name: str, prompt: str, seed: int) -> Any:
    """A value for one node of a schema."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in node:
        node = next(option for option in node["anyOf"] if option.get("type") != "null")
    if "enum" in node or "const" in node:
        return node.get("const", node.get("enum", [None])[0])
    kind = node.get("type")
    if kind == "object":
        fields = node.get("properties", {})
        return {key: _value(child, root, key, prompt, seed + n) for n, (key, child) in enumerate(fields.items())}
    if kind == "array":
        return _items(node, root, name, prompt, seed)
    if kind == "string":
        return _line_ref(prompt, seed) if name == "line_refs" else _quote(prompt, seed)
    return {"integer": seed, "number": 0.5, "boolean": True}.get(kind)


def _items(node: Any, root: Any, name: str, prompt: str, seed: int) -> list[Any]:
    item = node["items"]
    fields = root["$defs"][item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item
    if fields.get("properties", {}).get("cluster_id", {}).get("type") == "integer":
        found = list(re.finditer(r'cluster(?:_id)?"?[ :=#]+(-?\d+)', prompt, re.IGNORECASE))
        ends = [match.start() for match in found[1:]] + [len(prompt)]
        of_cluster = {int(match[1]): prompt[match.end() : end] for match, end in zip(found, ends, strict=True)}
        return [
            {**_value(item, root, name, said, 0), "cluster_id": cluster_id} for cluster_id, said in of_cluster.items()
        ]
    count = max(3, node.get("minItems", 0))
    return [_value(item, root, name, prompt, seed + n) for n in range(count)]


def _line_ref(prompt: str, seed: int) -> str:
    lines = re.findall(r"^(L\d+):", prompt, re.MULTILINE)
    return lines[seed * 7 % len(lines)] if lines else ""


def _quote(prompt: str, seed: int) -> str:
    """Some words of the numbered lines; of the whole prompt where there are none."""
    lines = re.findall(r"^L\d+: (.*)$", prompt, re.MULTILINE) or [prompt]
    words = [words for line in lines if len(words := re.findall(r"[^\W\d_]{2,}", line)) >= 3] or [["nothing"]]
    chosen = words[seed * 5 % len(words)]
    start = seed * 5 % len(chosen) if len(words) == 1 else 0
    return " ".join(chosen[start : start + 8])
