"""Whether anything was recorded of what was said and done, or only that something ran.

Tracers can be told to leave the content out: PostHog's privacy mode, the switches of OpenTelemetry, OpenLLMetry and
OpenInference. What is left are models, times and costs, in which there is nothing to summarise. Content is what users,
models and tools said, a call of a tool, an error, what an evaluation or a user says of it. None are: names of spans and
traces, definitions of tools, verdicts without words, and a system prompt alone, which is the same in every run.
"""

import re
from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.jsontext import NOT_JSON, parse_container
from llma_assets.rendering.message import Message
from llma_assets.visible import visible

_SPEAKS_FOR_NOBODY: Final = {"system", "developer"}
_LABELS: Final = {
    "role", "type", "id", "name", "index", "object", "model", "finish_reason", "stop_reason", "kind", "lc", "status",
}  # fmt: skip
"""Keys that say what an object is, not what is in it."""

_NOTHING: Final = {
    "redacted", "hidden", "masked", "filtered", "omitted", "removed", "scrubbed", "recorded", "none", "null",
    "undefined", "nan", "empty",
}  # fmt: skip
_OF_WHAT: Final = {"content", "text", "value", "data", "input", "output", "message", "thinking", "tool", "not"}
"""Words that tracers write in the place of content: `__REDACTED__`, `<hidden>`, `[tool output not recorded]`."""

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_PLACEHOLDER: Final = 60
_LONGEST_LOOKED_INTO: Final = 2_000
_DEPTH: Final = 6


def says_something(message: Message) -> bool:
    """Whether somebody said or called something in a message.

    >>> says_something(Message("system", "Be kind.")), says_something(Message("user", "__REDACTED__"))
    (False, False)
    >>> says_something(Message("user", "hi")), says_something(Message("user", "👍"))
    (True, True)
    """
    if message.role in _SPEAKS_FOR_NOBODY:
        return False
    return bool(message.tool_calls) or is_said(message.text)


def is_said(value: object, depth: int = _DEPTH) -> bool:
    """Whether a value, or the JSON that it is, holds more than empty places and their labels.

    >>> is_said({"messages": [{"role": "user", "content": ""}]}), is_said("[{}, null]"), is_said({"rows": 0})
    (False, False, True)
    """
    if isinstance(value, str):
        return _is_text(value, depth)
    if isinstance(value, Mapping):
        return depth <= 0 or any(is_said(inner, depth - 1) for key, inner in value.items() if key not in _LABELS)
    if isinstance(value, list | tuple):
        return depth <= 0 or any(is_said(inner, depth - 1) for inner in value)
    return value is not None


def _is_text(text: str, depth: int) -> bool:
    if len(text) > _LONGEST_LOOKED_INTO:
        return not text.isspace()
    parsed = parse_container(text) if depth > 0 else NOT_JSON
    if parsed is not NOT_JSON:
        return is_said(parsed, depth - 1)
    shown = visible(text, " ").strip()
    if len(shown) > _LONGEST_PLACEHOLDER:
        return True
    words = set(_WORD.findall(shown.lower()))
    if not words:
        return not shown.isascii() or "?" in shown
    return not (words <= _NOTHING | _OF_WHAT and words & _NOTHING)
