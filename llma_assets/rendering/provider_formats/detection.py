"""Detects whether a value holds messages or application data, whatever its keys. Parses no message itself."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, parse_container
from llma_assets.rendering.message import known_role

CONTENT_KEYS: Final = (
    "content", "contents", "parts", "items", "blocks", "text", "message", "value", "body", "utterance", "transcript",
)  # fmt: skip
CALL_KEYS: Final = ("tool_calls", "toolCalls", "function_call", "toolInvocations", "tool_invocations", "tool_call")
SPEAKER_KEYS: Final = (
    "role", "role_type", "author", "speaker", "sender", "from", "source", "actor", "message_type", "sender_type",
    "event_name", "event.name", "event", "direction",
)  # fmt: skip
"""Keys whose value names the speaker, if it is the name of a role."""

_HOLDERS: Final = ("messages", "choices", "candidates", "parts", "generations")
_TYPES: Final = {
    "message", "function_call", "function_call_output", "custom_tool_call", "tool_use", "tool_result", "tool-call",
    "tool-result", "tool_call", "tool_call_response", "function_result", "message_output", "response_item",
}  # fmt: skip
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FAN_OUT: Final = 10
_KEYS: Final = 40


def holds_messages(value: object, depth: int = 3) -> bool:
    """Whether `value` holds a message or a tool call. Looks only at its beginning, so that the cost is bounded.

    >>> holds_messages([{"role": "user", "content": "hi"}])
    True
    >>> holds_messages({"agent": {"messages": [{"type": "ai", "content": ""}]}})
    True
    >>> holds_messages({"documents": [{"id": 1, "content": "a page"}]}), holds_messages({"role": "admin", "name": "Bo"})
    (False, False)
    """
    if isinstance(value, str):
        parsed = parse_container(value) if depth > 0 and len(value) > 10 else NOT_JSON
        return parsed is not NOT_JSON and holds_messages(parsed, depth - 1)
    if isinstance(value, list | tuple):
        return depth >= 0 and any(
            holds_messages(item, depth - 1) for item in value[:_FAN_OUT] if isinstance(item, _NESTED)
        )
    if not isinstance(value, Mapping):
        return False
    return _is_message(value) or (
        depth > 0
        and len(value) <= _KEYS
        and any(holds_messages(child, depth - 1) for child in value.values() if isinstance(child, _NESTED))
    )


_NESTED: Final = (Mapping, list, tuple, str)


def _is_message(item: Mapping[str, object]) -> bool:
    if any(isinstance(item.get(key), list) and _has_objects(item[key]) for key in _HOLDERS):
        return True
    if any(key in item for key in ("part_kind", "block_type", "lc", "functionCall", "functionResponse", "toolUse")):
        return True
    kind = item.get("type", item.get("$type"))
    if isinstance(kind, str) and (snake(kind).replace(".", "_") in _TYPES or kind in _TYPES) and len(item) > 1:
        return True
    if kind in ("human", "ai") and "content" in item:
        return True
    has_content = any(key in item for key in (*CONTENT_KEYS, *CALL_KEYS))
    if isinstance(item.get("role"), str) and ("content" in item or any(key in item for key in CALL_KEYS)):
        return True
    return (has_content or "Content" in item or "Items" in item) and speaker_of(canonical(item)) != ""


def _has_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value[:_FAN_OUT])


def speaker_of(item: Mapping[str, object]) -> str:
    """The role that one of `SPEAKER_KEYS`, the type or the name states; "" if none is known."""
    for key in SPEAKER_KEYS:
        value = item.get(key)
        if isinstance(value, Mapping):
            value = next((value[k] for k in ("role", "label", "Label", "value") if isinstance(value.get(k), str)), None)
        if isinstance(value, str):
            role = known_role(value)
            if role:
                return role
    kind = item.get("type")
    if isinstance(kind, str) and kind.lower().endswith("message") and known_role(snake(kind)):
        return known_role(snake(kind))
    name = item.get("name")
    if isinstance(name, str) and name.startswith("gen_ai."):
        return known_role(name)
    return ""


def canonical(item: Mapping[str, object]) -> dict[str, object]:
    """An object with keys in snake case, and `$type` as `type` in snake case without its suffix.

    >>> canonical({"$type": "FunctionCallContent", "FunctionName": "f", "message.index": 0})
    {'type': 'function_call', 'function_name': 'f', 'message.index': 0}
    """
    found: dict[str, object] = {}
    for key, value in item.items():
        name = snake(key) if isinstance(key, str) else key
        if name == "kind" and value in ("text", "file", "data"):
            found.setdefault("type", value)
        elif name in {"$type", "content_type"} and isinstance(value, str):
            found.setdefault("type", snake(value).removesuffix("_content"))
        else:
            found.setdefault(name, value)
    return found


@lru_cache(maxsize=4_096)
def snake(name: str) -> str:
    """`toolCallId` and `ToolCallId` as `tool_call_id`; a long name stays as it is.

    >>> snake("toolCallId"), snake("Role"), snake("USER")
    ('tool_call_id', 'role', 'user')
    """
    return name if len(name) > 60 else _CAPITAL.sub("_", name).lower()


def first_of(item: Mapping[str, object], keys: Iterable[str]) -> str:
    """The first of `keys` whose value in `item` is not empty, else ""."""
    return next((key for key in keys if item.get(key) not in (None, "", [], {})), "")
