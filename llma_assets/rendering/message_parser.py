"""Parses any value into messages: strings, JSON in strings, lists, objects of any provider format.

What each format looks like belongs in `provider_formats`; events and length limits are not known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from llma_assets.rendering.cleaning import without_base64
from llma_assets.rendering.json_text import NOT_JSON, compact_json, parse_container, parse_json
from llma_assets.rendering.message import Message, merged
from llma_assets.rendering.provider_formats import PROVIDER_FORMATS, joined_stream
from llma_assets.rendering.provider_formats.detection import holds_messages
from llma_assets.rendering.provider_formats.transcripts import literal, read_transcript, written_calls

_DEPTH: Final = 24
"""Objects nested deeper than this inside a message are shown as JSON."""

_MANY_ROWS: Final = 200
"""A longer list without messages is shown as one value."""

_HOLDERS: Final = ("messages", "choices", "candidates", "contents", "generations", "parts", "chat_history")

_GRAPH_KEYS: Final = ("messages", "output", "arg", "args", "goto", "update", "input")
"""Keys under which the spans of LangChain and LangGraph hold messages, or objects that hold them."""

_PAIR_ROLES: Final = {"human", "user", "ai", "assistant", "system", "developer", "tool", "placeholder"}


def read_messages(value: object, role: str = "user") -> list[Message]:
    """The messages in `value`, whatever its format. Never raises, and drops nothing.

    Args:
        value: messages, a request, a response, a state, a string, JSON in a string, or anything else.
        role: for what names no role itself: `user` suits inputs, `assistant` outputs.

    Returns:
        Messages in order. An unknown object becomes a message whose text is its JSON; pictures, files and base64
        become markers. `[]` for None and for an empty list.
    """
    return [_printable(message) for item, speaker in split(value, role) for message in read_item(item, speaker)]


def split(value: object, role: str, depth: int = 0) -> Iterator[tuple[object, str]]:
    """The items of `value` for `read_item`, one by one, so that equal items are parsed once."""
    if value is None or value in ([], ()):
        return
    if depth > _DEPTH or (isinstance(value, list | tuple) and _is_one(value)):
        yield value, role
    elif isinstance(value, str):
        parsed = _parsed(value)
        if parsed is NOT_JSON or not is_known_format(parsed):
            yield value, role
        else:
            yield from split(parsed, role, depth + 1)
    elif isinstance(value, list | tuple):
        for item in _items(value):
            if isinstance(item, list | tuple) and not _is_pair(item):
                yield from split(item, role, depth + 1)
            elif item is not None:
                yield item, role
    elif isinstance(value, Mapping) and len(value) == 1 and isinstance(inside := _held(value), list):
        yield from split(inside, role, depth + 1)
    else:
        yield value, role


def _held(value: Mapping[str, object]) -> object:
    """The messages that are all that an object holds: `{"messages": […]}`, a prompt's `{"output": […]}`."""
    (key, inside), *_ = value.items()
    if key in ("messages", "output") and isinstance(inside, Mapping) and "lc" in inside:
        kwargs = inside.get("kwargs")
        inside = kwargs.get("messages") if isinstance(kwargs, Mapping) else None
    return inside if key == "messages" or (key == "output" and _is_part_of_graph(inside)) else None


def _is_one(values: Sequence[object]) -> bool:
    """Whether a list is one item: a `[role, text]` pair, scalars, or many rows of application data."""
    if _is_pair(values) or not any(isinstance(item, Mapping | str | list | tuple) for item in values):
        return True
    return (
        len(values) > _MANY_ROWS
        and not any(isinstance(row, str) or holds_messages(row) for row in values[:20])
        and joined_stream(values) is None
    )


def _items(values: Sequence[object]) -> Sequence[object]:
    """The items of a list; the events of a stream are joined to one item."""
    whole = joined_stream(values) if isinstance(values[0], Mapping) else None
    return values if whole is None else [whole]


def read_item(item: object, role: str) -> list[Message]:
    """The messages of one item that `split` gave."""
    if isinstance(item, str):
        parsed = _parsed(item)
        if parsed is not NOT_JSON and is_known_format(parsed):
            return read_messages(parsed, role)
        text, calls = written_calls(item) if role == "assistant" else (item, ())
        return read_transcript(text) or [Message(role, text, calls)]
    if isinstance(item, list | tuple):
        if _is_pair(item):
            return _ReadNested(_DEPTH)({"role": item[0], "content": item[1]}, role)
        return [Message(role, compact_json(item))]
    return _read(item, role, _DEPTH)


def is_known_format(value: object) -> bool:
    """Whether `value`, or one of its first items, is in a known message format rather than application data."""
    items = value if isinstance(value, list) else [value]
    return any(
        _is_pair(item) or (isinstance(item, Mapping) and _by_format(item, "user", _DEPTH) is not None)
        for item in items[:20]
    )


def is_conversation(value: object, depth: int = _DEPTH) -> bool:
    """Whether a span's state is clearly a conversation: application data may have a `prompt` or `content` as well."""
    if isinstance(value, str):
        value = _parsed(value)
    items = value if isinstance(value, list) else [value]
    first = items[0] if items else None
    if not isinstance(first, Mapping):
        is_list = isinstance(first, list) and bool(first)
        return is_list and (_is_pair(first) or (depth > 0 and is_conversation(first, depth - 1)))
    has_role = "role" in first or "_role" in first or "lc" in first or "part_kind" in first
    has_list = any(isinstance(first.get(key), list) for key in _HOLDERS)
    is_typed = isinstance(first.get("type"), str) and ("content" in first or "data" in first or "call_id" in first)
    is_likely = has_role or has_list or is_typed
    return (is_likely and is_known_format(value)) or any(map(_is_part_of_graph, list(first.values())[:10]))


def _is_part_of_graph(value: object, depth: int = 6) -> bool:
    """Whether `value` holds messages: a LangGraph node's update, the arguments of a `Send`, a prompt's output."""
    if depth <= 0:
        return False
    if isinstance(value, list):
        first = value[0] if value else None
        return _is_pair(first) or _is_message(first) or _is_part_of_graph(first, depth - 1)
    if not isinstance(value, Mapping):
        return False
    inside = value.get("kwargs") if "lc" in value else value
    return isinstance(inside, Mapping) and any(
        _is_part_of_graph(inside[key], depth - 1) for key in _GRAPH_KEYS if isinstance(inside.get(key), Mapping | list)
    )


def _is_message(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    is_named = isinstance(value.get("type"), str) and value["type"] in {"ai", "human", "tool", "system"}
    return any(key in value for key in ("role", "lc", "tool_call_id")) or (is_named and "content" in value)


def _parsed(text: str) -> object:
    parsed = parse_container(text)
    if parsed is NOT_JSON and text[:3].lstrip("[").startswith("{'"):  # a Python repr
        # By way of JSON: a repr may hold keys and values that JSON cannot.
        value = parse_json(compact_json(literal(text)))
        return value if isinstance(value, dict | list) else NOT_JSON
    if parsed is NOT_JSON and text[:2] in {'"{', '"[', '"\\'}:  # JSON of a string that holds JSON
        again = parse_json(text)
        parsed = parse_container(again) if isinstance(again, str) else NOT_JSON
    return parsed


def _is_pair(value: object) -> bool:
    """LangChain's short form of a message: `["human", "hello"]`."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and isinstance(value[0], str)
        and value[0] in _PAIR_ROLES
        and isinstance(value[1], str)
    )


def _read(value: object, role: str, depth: int) -> list[Message]:  # noqa: PLR0911 - one return a structure
    """Parse nested content; a string is plain text."""
    if value is None:
        return []
    if isinstance(value, str):
        return [Message(role, value)]
    if isinstance(value, list | tuple):
        if depth > 0 and any(isinstance(item, Mapping | str | list | tuple) for item in value):
            if _is_pair(value):
                return _read({"role": value[0], "content": value[1]}, role, depth)
            return [message for item in value for message in _read(item, role, depth - 1)]
        return [Message(role, compact_json(value))] if value else []
    if isinstance(value, Mapping) and value and depth > 0:
        found = _by_format(value, role, depth)
        if found is not None:
            return found
    return [Message(role, compact_json(value))]


def _by_format(item: Mapping[str, object], role: str, depth: int) -> list[Message] | None:
    read_nested = _ReadNested(depth)
    for read_format in PROVIDER_FORMATS:
        found = read_format(item, role, read_nested)
        if found is not None:
            return found
    return None


class _ReadNested:
    __slots__ = ("depth",)

    def __init__(self, depth: int) -> None:
        self.depth = depth - 1

    def __call__(self, value: object, role: str) -> list[Message]:
        return merged(_read(value, role, self.depth)) if self._is_content(value) else _read(value, role, self.depth)

    @staticmethod
    def _is_content(value: object) -> bool:
        """Whether `value` is the parts of one message, and not a list of messages with roles of their own."""
        return isinstance(value, list) and not any(
            isinstance(part, Mapping) and ("role" in part or part.get("type") in ("human", "ai", "message"))
            for part in value
        )


def _printable(message: Message) -> Message:
    text, removed = without_base64(message.text)
    return Message(message.role, text, message.tool_calls, message.is_error) if removed else message
