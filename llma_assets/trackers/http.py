"""JSON over HTTP to one tracker, at an address that was looked up and is public or allowed. Knows no protocol.

A redirect is followed once, and only to the same host: that is how GitHub says that a repository has a new name.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from llma_assets.alerts import DeliveryError, checked_address
from llma_assets.clock import Clock
from llma_assets.trackers.errors import TrackerFault

TIMEOUT_S = 10.0
LONGEST_S = 30.0
"""Of one answer, however slowly it comes."""
LARGEST_ANSWER = 8 << 20
REDIRECTS = (301, 302, 307, 308)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers by lower-case name, and what its JSON says (None where it is none)."""

    status: int
    headers: Mapping[str, str]
    data: Any


class Http:
    """A connection to one tracker, for a `with` block; each kind of tracker is one, with words of its own.

    Args:
        base: the address of the API, without a slash at its end.
        variable: what names the address in messages.
        headers: of every request.
        clock: the present moment.

    Attributes:
        clock_offset_s: how far the tracker's clock was before ours in the last answer.
        moved: whether an answer came from another address than was asked.
        notice: what a person should know of the tracker.
    """

    def __init__(self, base: str, variable: str, headers: Mapping[str, str], clock: Clock) -> None:
        import httpx2

        self.clock_offset_s = 0.0
        self.moved = False
        self.notice = ""
        self._base, self._variable, self._headers, self._clock = base.rstrip("/"), variable, dict(headers), clock
        self._client = httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request.

        Raises:
            TrackerFault: there is no answer, it is no JSON where one was promised, or it leads elsewhere.
        """
        url = self._base + path
        reply = self._send(method, url, body, params)
        if reply.status not in REDIRECTS:
            return reply
        target = urljoin(url, reply.headers.get("location", ""))
        if _origin(target) != _origin(url) or target == url:
            raise TrackerFault("unreachable", f"HTTP {reply.status}; a redirect to another host is not followed")
        # The new address has the query already, where the old one had one.
        reply = self._send(method, target, body, None if urlsplit(target).query else params)
        if reply.status in REDIRECTS:
            raise TrackerFault("unreachable", f"HTTP {reply.status}; only one redirect is followed")
        self.moved = True
        return reply

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None, params: Mapping[str, str] | None) -> Reply:
        import httpx2

        try:
            target = checked_address(url, self._variable)
        except DeliveryError as error:
            raise TrackerFault("setting", str(error)) from None
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {**self._headers, "Host": target.host, "User-Agent": "llma-assets"}
        if content is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            with self._client.stream(
                method,
                target.url,
                content=content,
                params=params,
                headers=headers,
                extensions={"sni_hostname": urlsplit(url).hostname or ""},
            ) as response:
                status, found = response.status_code, response.headers
                answer, until = b"", time.monotonic() + LONGEST_S
                for part in response.iter_bytes():
                    answer += part
                    if len(answer) > LARGEST_ANSWER or time.monotonic() > until:
                        raise TrackerFault("unreachable", "the answer is too long or too slow")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Its words may repeat the address.
            raise TrackerFault("unreachable", f"no answer: {type(error).__name__}") from None
        lower = {name.lower(): value for name, value in found.items()}
        self._note_clock(lower.get("date", ""))
        try:
            data = json.loads(answer) if answer else None
        except ValueError:
            data = None
        return Reply(status, lower, data)

    def _note_clock(self, said: str) -> None:
        try:
            there: datetime = parsedate_to_datetime(said)
            self.clock_offset_s = (there - self._clock()).total_seconds()
        except (ValueError, TypeError):
            pass


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return "", None, None
