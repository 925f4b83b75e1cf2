"""What a chat completion looks like on its way from the server: the parts that are read, in the shapes that occur.

Only what was said is needed. All else may be missing, and what is there in an unusable shape counts as
missing: an answer that is paid for is not thrown away for an odd `usage`. What the text must be is `structured`'s.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

_MOST_TOKENS = 10**9


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a server counted; None where it did not say, or not in a usable way."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class ChatCompletion:
    """The part of a chat completion that is read.

    Attributes:
        text: what was said, "" where nothing was. Some servers put the object into a tool call that was not
            offered, or, where the model did not think at all, into what it thought.
        refusal: what the model said where it will not answer; a filter says nothing but `content_filter`.
        is_cut_off: whether it ended at the limit of its length.
        model: who answered, "" where it is not said.
    """

    text: str
    refusal: str
    is_cut_off: bool
    model: str
    tokens: Tokens


def read_completion(body: bytes) -> ChatCompletion | None:
    """The completion in a body; None where it is none."""
    found = json_of(body)
    choice = next(_members(found.get("choices")), None) if isinstance(found, dict) else None
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, dict):
        return None
    reason = choice.get("finish_reason")
    return ChatCompletion(
        text=_said(message),
        refusal=_refusal(message) or ("content_filter" if reason == "content_filter" else ""),
        is_cut_off=reason == "length",
        model=text_of(found.get("model")),
        tokens=_tokens(found.get("usage")),
    )


def json_of(body: bytes) -> Any:
    """What a body holds, with the NaN that Python writes; None for what is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def text_of(value: Any) -> str:
    """`value` where it is a text that can be stored, else ""."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def count_of(value: Any) -> int | None:
    """A number of tokens, None for what is none: a fraction, a negative, a word."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None


def _said(message: dict[str, Any]) -> str:
    content = message.get("content")
    said = "".join(_texts(content))
    if said.strip():
        return said
    for call in _members(message.get("tool_calls")):
        function = call.get("function")
        arguments = _object_or_text(function.get("arguments")) if isinstance(function, dict) else ""
        if arguments.strip():
            return arguments
    thoughts = (text_of(message.get(name)).strip() for name in ("reasoning_content", "reasoning"))
    return next((thought for thought in thoughts if thought.startswith("{")), "")


def _texts(content: Any) -> Iterator[str]:
    """The texts of a message's content: a string, several parts, or the object itself that was asked for."""
    if isinstance(content, list):
        for part in content:
            yield text_of(part.get("text")) if isinstance(part, dict) else text_of(part)
    elif isinstance(content, dict) and isinstance(content.get("text"), str):
        yield text_of(content["text"])
    else:
        yield _object_or_text(content)


def _object_or_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) and value else text_of(value)


def _refusal(message: dict[str, Any]) -> str:
    parts = (message, *_members(message.get("content")))
    return next((said for part in parts if (said := text_of(part.get("refusal")).strip())), "")


def _tokens(usage: Any) -> Tokens:
    if not isinstance(usage, dict):
        return Tokens()
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    return Tokens(
        count_of(usage.get("prompt_tokens")),
        count_of(usage.get("completion_tokens")),
        count_of(details.get("cached_tokens")) or 0,
        count_of(details.get("cache_write_tokens")) or 0,
    )


def _members(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a list, none where it is none."""
    return (member for member in value if isinstance(member, dict)) if isinstance(value, list) else iter(())
