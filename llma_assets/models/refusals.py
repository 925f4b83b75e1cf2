"""What a server says when it refuses, in whatever shape: the words that decide what is done about it.

Servers agree on nothing here. Seen, each in the field: OpenAI's `{"error": {"message", "param", "code"}}`, Gemini's
list of one such object, Mistral's `{"object": "error", "message": {"detail": [...]}}`, FastAPI's `{"detail": [...]}`,
TGI's `{"error": "...", "error_type": "..."}`, vLLM's error list printed by Python in a string, OpenRouter's and
LiteLLM's JSON of the server behind them in a string, plain text, and pages of a proxy. So all strings of a body are
read, wherever they stand; but not those that quote the request, which hold what strangers wrote. What the words mean
is `failures`'.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llma_assets.models.completion import json_of

SHOWN_CHARS = 300
_MOST_BYTES = 1 << 20
_MOST_CHARS = 20_000
_DEEPEST = 12
_QUOTES = {
    "input", "inputs", "flagged_input", "failed_generation", "prompt", "messages", "request", "contents", "@type",
}  # fmt: skip
"""Members that quote the request, or say nothing."""
_CODES = {"code", "status", "status_code", "type", "reason", "error_type", "param", "provider_code"}
_QUOTED_BY_PYTHON = re.compile(r"""[{,]\s*['"]input['"]\s*:.*""", re.DOTALL)
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_DELAY = re.compile(r"retrydelay (\d+(?:\.\d+)?)s\b|try again in (\d+(?:\.\d+)?) ?s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refused request was answered with.

    Attributes:
        words: all that the server itself said, lower case, a space between strings.
        codes: of that, what stood as code, type, status or parameter, each by itself.
        status: the HTTP status that the body tells, None where it tells none.
        retry_after_s: the wait that the body asks for, None where it asks for none.
        said: the beginning of the words as they were, for people.
    """

    words: str
    codes: frozenset[str]
    status: int | None = None
    retry_after_s: float | None = None
    said: str = ""

    @classmethod
    def read(cls, body: bytes) -> "Refusal":
        """Any body gives one."""
        text = body[:_MOST_BYTES].decode("utf-8", "replace")
        found = list(_strings(_parsed(text), depth=0))
        joined = " ".join(" ".join(value for _, value in found).split())[:_MOST_CHARS]
        codes = [value.lower() for name, value in found if name in _CODES]
        status = next((int(code) for code in codes if re.fullmatch(r"[45]\d\d", code, re.ASCII)), None)
        delay = _DELAY.search(joined.lower())
        return cls(
            joined.lower(),
            frozenset(codes),
            status,
            float(delay[1] or delay[2]) if delay else None,
            next((value for name, value in found if name in {"message", "msg", "detail"}), joined)[:SHOWN_CHARS],
        )


def error_in(body: bytes) -> Refusal | None:
    """The refusal that came with a status of success, where an answer should be; None where there is an answer.

    Gateways do that when the server behind them failed after they had begun to answer.
    """
    if len(body) > _MOST_BYTES:
        return None
    found = json_of(body)
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    if not isinstance(found, dict) or found.get("data") or _has_message(found.get("choices")):
        return None
    choices = found.get("choices")
    behind = choices[0].get("error") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    is_error = found.get("error") or found.get("object") == "error" or found.get("detail") or behind
    return Refusal.read(body) if is_error else None


def _has_message(choices: Any) -> bool:
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and bool(first.get("message")) and not first.get("error")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _TAGS.sub(" ", text) if text.lstrip().startswith("<") else text


def _strings(node: Any, *, depth: int, name: str = "") -> Iterator[tuple[str, str]]:
    """The strings and numbers in `node`, each with the name of the member that it stands in; names count as strings."""
    if depth > _DEEPEST:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _QUOTES:
                continue
            yield "", key
            yield from _strings(value, depth=depth + 1, name=key)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, depth=depth + 1, name=name)
    elif isinstance(node, str):
        yield from _strings_of_text(node[:_MOST_CHARS], depth, name)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield name, str(node)


def _strings_of_text(text: str, depth: int, name: str) -> Iterator[tuple[str, str]]:
    """A string that holds JSON is that JSON and what stands around it; one printed by Python loses what it quotes."""
    start = min((at for at in (text.find("{"), text.find("[{")) if at >= 0), default=-1)
    if start >= 0:
        try:
            inner, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            pass
        else:
            yield name, text[:start]
            yield from _strings(inner, depth=depth + 1, name=name)
            yield name, text[end:]
            return
    yield name, _QUOTED_BY_PYTHON.sub("", text)
