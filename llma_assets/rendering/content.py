"""Whether a trace has content, or records only that something ran.

Tracers can leave content out: PostHog's privacy mode, the switches of OpenTelemetry, OpenLLMetry and OpenInference.
Models, times and costs remain, in which there is nothing to summarise. Content is: messages of users, models and tools,
tool calls, errors, the reasoning of an evaluation, the text of feedback. Not content: names of spans and traces,
definitions of tools, verdicts without reasoning, and a system prompt alone, which is the same in every run.
"""

import re
from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, parse_container
from llma_assets.rendering.message import INJECTED, Message
from llma_assets.visible import visible

_INSTRUCTION_ROLES: Final = {"system", "developer", INJECTED}
_LABELS: Final = {
    "role", "type", "id", "name", "index", "object", "model", "finish_reason", "stop_reason", "kind", "lc", "status",
}  # fmt: skip
"""Keys that describe an object and are not its content."""

_PLACEHOLDER_WORDS: Final = {
    "redacted", "hidden", "masked", "filtered", "omitted", "removed", "scrubbed", "recorded", "none", "null",
    "undefined", "nan", "empty",
}  # fmt: skip
_PLACEHOLDER_NOUNS: Final = {
    "content",
    "text",
    "value",
    "data",
    "input",
    "output",
    "message",
    "thinking",
    "tool",
    "not",
}
"""Words of the placeholders that tracers write: `__REDACTED__`, `<hidden>`, `[tool output not recorded]`."""

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_PLACEHOLDER: Final = 60
_LONGEST_PARSED: Final = 2_000
_DEPTH: Final = 6


def message_has_content(message: Message) -> bool:
    """Whether a message has content: text or tool calls that are not instructions or placeholders.

    >>> message_has_content(Message("system", "Be kind.")), message_has_content(Message("user", "__REDACTED__"))
    (False, False)
    >>> message_has_content(Message("user", "hi")), message_has_content(Message("user", "👍"))
    (True, True)
    """
    if message.role in _INSTRUCTION_ROLES:
        return False
    return bool(message.tool_calls) or has_content(message.text)


def has_content(value: object, depth: int = _DEPTH) -> bool:
    """Whether a value, or the JSON in it, holds more than empty values, placeholders and labels.

    >>> has_content({"messages": [{"role": "user", "content": ""}]}), has_content("[{}, null]")
    (False, False)
    >>> has_content({"rows": 0})
    True
    """
    if isinstance(value, str):
        return _is_text(value, depth)
    if isinstance(value, Mapping):
        return depth <= 0 or any(has_content(child, depth - 1) for key, child in value.items() if key not in _LABELS)
    if isinstance(value, list | tuple):
        return depth <= 0 or any(has_content(child, depth - 1) for child in value)
    return value is not None


def _is_text(text: str, depth: int) -> bool:
    if len(text) > _LONGEST_PARSED:
        return not text.isspace()
    parsed = parse_container(text) if depth > 0 else NOT_JSON
    if parsed is not NOT_JSON:
        return has_content(parsed, depth - 1)
    shown = visible(text, " ").strip()
    if len(shown) > _LONGEST_PLACEHOLDER:
        return True
    words = set(_WORD.findall(shown.lower()))
    if not words:
        return not shown.isascii() or "?" in shown
    return not (words <= _PLACEHOLDER_WORDS | _PLACEHOLDER_NOUNS and words & _PLACEHOLDER_WORDS)
