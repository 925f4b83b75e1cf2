"""OpenInference and Traceloop attributes: a conversation flattened into dotted keys, put together again."""

import re
from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import Message
from llma_assets.rendering.shapes.inner import Inner

_ROOTS: Final = (
    ("llm.input_messages", "user"),
    ("gen_ai.prompt", "user"),
    ("llm.prompts", "user"),
    ("llm.output_messages", "assistant"),
    ("gen_ai.completion", "assistant"),
    ("llm.completions", "assistant"),
)
_NAMESPACES: Final = ("message_content.", "message.", "tool_call.")
_INDEXED: Final = re.compile(r"^(\d{1,6})(?:\.(.*))?$", re.DOTALL)


def read(item: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:
    """Read flattened attributes, or one object whose keys begin with `message.`.

    `{"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi"}`
    """
    if not any(isinstance(key, str) and "." in key for key in item):
        return None
    if any(isinstance(key, str) and key.startswith(_NAMESPACES) for key in item):
        plain = _without_namespace(item)
        return inner(plain, role) if plain != item else None
    messages: list[Message] = []
    for root, speaker in _ROOTS:
        for message in _collected(item, root + "."):
            messages.extend(inner(message, speaker))
    return messages or None


def _without_namespace(item: Mapping[str, object]) -> dict[str, object]:
    """`message.role` becomes `role`; lists of such objects are read in turn by `inner`."""
    plain: dict[str, object] = {}
    for key, value in item.items():
        namespace = next((found for found in _NAMESPACES if key.startswith(found)), "")
        plain[key.removeprefix(namespace)] = value
    if isinstance(plain.get("tool_calls"), list):
        plain["tool_calls"] = [_call(call) for call in _list(plain["tool_calls"])]
    if "contents" in plain and "content" not in plain:
        plain["content"] = plain.pop("contents")
    return _call(plain) if "function.name" in plain else plain


def _call(call: object) -> dict[str, object]:
    if not isinstance(call, Mapping):
        return {}
    found: dict[str, object] = {}
    for key, value in call.items():
        name = key.removeprefix("tool_call.")
        found[name.removeprefix("function.")] = value
    return found


def _collected(item: Mapping[str, object], root: str) -> list[dict[str, object]]:
    """The objects under `root`, by their index: `root.0.message.role` and `root.0.role` alike."""
    rows: dict[int, dict[str, object]] = {}
    for key, value in item.items():
        if not isinstance(key, str) or not key.startswith(root):
            continue
        match = _INDEXED.match(key[len(root) :])
        if match is None:
            continue
        row = rows.setdefault(int(match.group(1)), {})
        path = (match.group(2) or "content").removeprefix("message.")
        part = re.match(r"^contents\.(\d{1,6})\.(?:message_content\.)?(\w+)(?:\..*)?$", path)
        if part is not None:
            parts = row.setdefault("contents", {})
            if isinstance(parts, dict):
                parts.setdefault(int(part.group(1)), {})[part.group(2)] = value
            continue
        calls = re.match(r"^tool_calls\.(\d{1,6})\.(?:tool_call\.)?(?:function\.)?(\w+)$", path)
        if calls is None:
            row[path] = value
            continue
        wishes = row.setdefault("tool_calls", {})
        if isinstance(wishes, dict):
            wishes.setdefault(int(calls.group(1)), {})[calls.group(2)] = value
    for row in rows.values():
        wishes = row.get("tool_calls")
        if isinstance(wishes, dict):
            row["tool_calls"] = [wishes[index] for index in sorted(wishes)]
        parts = row.pop("contents", None)
        if isinstance(parts, dict):
            row["content"] = [parts[index] for index in sorted(parts)]
        row.setdefault("content", None)
    return [rows[index] for index in sorted(rows)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
