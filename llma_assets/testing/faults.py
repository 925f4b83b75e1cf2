"""What can go wrong at a model server, as values: give them to a `ChatServer`, and it does that to a request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


Fault = Status | Said | Garbage | Content | Hang | Dribble | Reset | Vectors | None
