"""OpenInference and Traceloop attributes: a conversation that was flattened into dotted keys."""

import re
from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.json_text import text_of
from llma_assets.rendering.message import Message
from llma_assets.rendering.provider_formats.nested import ReadNested

ORDER: Final = 65

_ROOTS: Final = (
    ("llm.input_messages", "user"),
    ("gen_ai.prompt", "user"),
    ("llm.prompts", "user"),
    ("llm.output_messages", "assistant"),
    ("gen_ai.completion", "assistant"),
    ("llm.completions", "assistant"),
)
_NAMESPACES: Final = ("message_content.", "message.", "tool_call.")
_LISTS: Final = (
    ("content", re.compile(r"^contents\.(\d{1,6})\.(?:message_content\.)?(\w+)(?:\..*)?$")),
    ("tool_calls", re.compile(r"^tool_calls\.(\d{1,6})\.(?:tool_call\.)?(?:function\.)?(\w+)$")),
)
"""Lists inside a message: the pattern of their keys gives index and name of an entry."""

_INDEXED: Final = re.compile(r"^(\d{1,6})(?:\.(.*))?$", re.DOTALL)


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read flattened attributes, or one object whose keys begin with `message.`.

    `{"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi"}`
    """
    if not any(isinstance(key, str) and "." in key for key in item):
        return None
    if any(isinstance(key, str) and key.startswith(_NAMESPACES) for key in item):
        plain = _without_namespace(item)
        return read_nested(plain, role) if plain != item else None
    messages: list[Message] = []
    for root, speaker in _ROOTS:
        for message in _collected(item, root + "."):
            messages.extend(read_nested(message, speaker))
    return messages or None


def _without_namespace(item: Mapping[str, object]) -> dict[str, object]:
    """The object with `message.role` as `role` and so on; `read_nested` parses lists of such objects."""
    plain: dict[str, object] = {}
    for key, value in item.items():
        name = text_of(key)
        namespace = next((found for found in _NAMESPACES if name.startswith(found)), "")
        plain[name.removeprefix(namespace)] = value
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
        name = text_of(key).removeprefix("tool_call.")
        found[name.removeprefix("function.")] = value
    return found


def _collected(item: Mapping[str, object], root: str) -> list[dict[str, object]]:
    """The objects under `root` in order of their index; `root.0.message.role` and `root.0.role` are equivalent."""
    rows: dict[int, dict[str, object]] = {}
    lists: dict[tuple[int, str], dict[int, dict[str, object]]] = {}
    for key, value in item.items():
        if not isinstance(key, str) or not key.startswith(root):
            continue
        match = _INDEXED.match(key[len(root) :])
        if match is None:
            continue
        number = int(match.group(1))
        row = rows.setdefault(number, {})
        path = (match.group(2) or "content").removeprefix("message.")
        for name, entry in _LISTS:
            found = entry.match(path)
            if found is not None:
                held = lists.setdefault((number, name), {})
                held.setdefault(int(found.group(1)), {})[found.group(2)] = value
                break
        else:
            row["content" if path == "contents" else path] = value
    for (number, name), held in lists.items():
        rows[number][name] = [held[index] for index in sorted(held)]
    for row in rows.values():
        row.setdefault("content", None)
    return [rows[index] for index in sorted(rows)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
