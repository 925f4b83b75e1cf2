"""Servers that take alerts, on a free loopback port: signed webhooks, Slack, PagerDuty. They speak the real protocols.

Each keeps what it took and what it refused, fails on a script, and counts what came twice. The mail server is in
`mail_server.py`.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from llma_assets.testing.loopback import LoopbackServer

TOLERANCE_S = 300
"""A webhook whose time is further away is refused, as Standard Webhooks 1.0 recommends."""


@dataclass(frozen=True)
class Answer:
    """What a server says instead of its normal answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hook:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes


class AlertServer(LoopbackServer):
    """A threaded server, running inside a `with` block.

    Args:
        faults: answers to the first requests, in order; None is a normal one.
        always: answer to every request after these, None for normal ones.

    Attributes:
        requests: all that came.
        taken: those that were accepted, without what came twice under the same key.
        refused: why others were not.
    """

    path = "/"

    def __init__(self, faults: Iterable[Answer | None] = (), *, always: Answer | None = None) -> None:
        self._faults = list(faults)
        self.always = always
        self._lock = threading.Lock()
        self.requests: list[Hook] = []
        self.taken: list[Hook] = []
        self.refused: list[str] = []
        self.seen: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{self.host}"

    @property
    def address(self) -> str:
        """The address that messages are sent to."""
        return self.url + self.path

    def take(self, hook: Hook) -> Answer:
        """The answer to a request that no fault was scripted for."""
        raise NotImplementedError

    def answer(self, hook: Hook) -> Answer:
        """Note a request, and say what is answered."""
        with self._lock:
            self.requests.append(hook)
            fault = self._faults.pop(0) if self._faults else self.always
            return fault or self.take(hook)

    def accept(self, key: str, hook: Hook) -> None:
        """Take a message, once for each key."""
        self.seen[key] += 1
        if self.seen[key] == 1:
            self.taken.append(hook)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _Handler


class WebhookServer(AlertServer):
    """Takes Standard Webhooks 1.0: checks signature and time, and takes each `webhook-id` once."""

    path = "/hooks/secret-path"

    def __init__(
        self, secret: str, faults: Iterable[Answer | None] = (), *, always: Answer | None = None, clock: Any = time.time
    ) -> None:
        super().__init__(faults, always=always)
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._clock = clock

    def take(self, hook: Hook) -> Answer:
        identity, at = hook.headers.get("webhook-id", ""), hook.headers.get("webhook-timestamp", "")
        wanted = hmac.new(self._key, f"{identity}.{at}.".encode() + hook.raw, hashlib.sha256).digest()
        signatures = [each.partition(",") for each in hook.headers.get("webhook-signature", "").split()]
        given = [base64.b64decode(value) for version, _, value in signatures if version == "v1"]
        if not identity or not any(hmac.compare_digest(wanted, each) for each in given):
            self.refused.append("signature")
            return Answer(401)
        if not at.isdigit() or abs(self._clock() - int(at)) > TOLERANCE_S:
            self.refused.append("timestamp")
            return Answer(401)
        self.accept(identity, hook)
        return Answer(204)


class SlackServer(AlertServer):
    """`chat.postMessage` and `chat.update` as Slack answers them: 200, `ok`, a `ts` a message, threads by `thread_ts`.

    Attributes:
        timestamps: of the messages that were posted.
        updated: by `ts`, the texts that a message was changed to.
    """

    path = "/api"

    def __init__(
        self,
        token: str,
        channels: Iterable[str] = ("C0123456789",),
        faults: Iterable[Answer | None] = (),
        *,
        always: Answer | None = None,
    ) -> None:
        super().__init__(faults, always=always)
        self._token = token
        self._channels = set(channels)
        self.timestamps: list[str] = []
        self.updated: dict[str, list[str]] = {}

    def take(self, hook: Hook) -> Answer:
        if error := self._error_of(hook):
            self.refused.append(error)
            return Answer(200, {"ok": False, "error": error})
        if hook.path.endswith("chat.update"):
            stamp = str(hook.body["ts"])
            self.updated.setdefault(stamp, []).append(hook.body["text"])
            return Answer(200, {"ok": True, "channel": hook.body["channel"], "ts": stamp, "text": hook.body["text"]})
        stamp = f"{1_700_000_000 + len(self.requests)}.{len(self.requests):06d}"
        self.timestamps.append(stamp)
        self.accept(str(hook.body.get("client_msg_id") or stamp), hook)
        return Answer(200, {"ok": True, "channel": hook.body["channel"], "ts": stamp, "message": {"ts": stamp}})

    def _error_of(self, hook: Hook) -> str:
        body = hook.body
        texts = [json.dumps(block.get("text", {}).get("text", "")) for block in body.get("blocks", ())]
        problems = {
            "unknown_method": hook.path not in ("/api/chat.postMessage", "/api/chat.update"),
            "invalid_auth": hook.headers.get("authorization") != f"Bearer {self._token}",
            "channel_not_found": body.get("channel") not in self._channels,
            "no_text": not body.get("text") and not texts,
            "message_not_found": hook.path.endswith("chat.update") and body.get("ts") not in self.timestamps,
            "thread_not_found": body.get("thread_ts", "") not in ("", *self.timestamps),
            "invalid_blocks": any(len(each) > 3100 for each in texts),
        }
        return next((error for error, is_so in problems.items() if is_so), "")


class SlackWebhookServer(AlertServer):
    """The address of a Slack webhook: answers the text `ok`, and knows no ids."""

    path = "/services/T000/B000/secret"

    def take(self, hook: Hook) -> Answer:
        if not isinstance(hook.body, dict) or not hook.body.get("text"):
            self.refused.append("no_text")
            return Answer(400, "no_text")
        self.accept(str(len(self.requests)), hook)
        return Answer(200, "ok")


class PagerDutyServer(AlertServer):
    """The Events API v2: `trigger` and `resolve` by `dedup_key`, 202 on success, 400 with errors, 429 by a script.

    Attributes:
        open: keys of incidents that are open.
    """

    def __init__(self, routing_key: str, faults: Iterable[Answer | None] = (), *, always: Answer | None = None) -> None:
        super().__init__(faults, always=always)
        self._key = routing_key
        self.open: set[str] = set()

    def take(self, hook: Hook) -> Answer:
        body = hook.body
        payload = body.get("payload") or {}
        wrong = []
        if body.get("routing_key") != self._key:
            wrong.append("Invalid routing key")
        if body.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            wrong.append("'event_action' is invalid")
        if body.get("event_action") == "trigger" and not (
            payload.get("summary")
            and payload.get("source")
            and payload.get("severity") in ("critical", "error", "warning", "info")
        ):
            wrong.append("'payload' is missing or blank")
        if wrong or hook.path != "/v2/enqueue":
            self.refused.append("; ".join(wrong) or hook.path)
            return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": wrong})
        key = str(body.get("dedup_key") or len(self.requests))
        if body["event_action"] == "trigger":
            self.accept(key, hook)
            self.open.add(key)
        elif body["event_action"] == "resolve":
            self.open.discard(key)
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: AlertServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        said = self.owner.answer(Hook(self.path, headers, body, raw))
        content = (
            b""
            if said.body is None
            else said.body.encode()
            if isinstance(said.body, str)
            else json.dumps(said.body).encode()
        )
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if said.status != 204:
            self.wfile.write(content)
