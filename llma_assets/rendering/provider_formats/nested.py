"""Helpers that all provider formats share: nested content, tool results, media markers."""

from collections.abc import Mapping
from typing import Final, Protocol

from llma_assets.rendering.cleaning import media_marker
from llma_assets.rendering.json_text import NOT_JSON, compact_json, parse_json
from llma_assets.rendering.message import NOT_RECORDED, Message, ToolCall

MISSING: Final = object()


class ReadNested(Protocol):
    """Parses the nested content of an object, one level deeper."""

    def __call__(self, value: object, role: str) -> list[Message]:
        """Messages of `value`: a string is plain text, an object is parsed by its provider format."""


def mapping(value: object) -> Mapping[str, object]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def string(value: object) -> str:
    """`value` if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def arguments_of(value: object) -> object:
    """Arguments of a tool call: JSON in a string is parsed, anything else stays as it is."""
    if isinstance(value, str):
        parsed = parse_json(value)
        return value if parsed is NOT_JSON else parsed
    return value


def tool_call(name: object, arguments: object, status: str = "") -> ToolCall:
    """A tool call, named `unnamed_tool` if it has no name."""
    return ToolCall(name if isinstance(name, str) and name else "unnamed_tool", arguments_of(arguments), status)


def result_text(value: object, read_nested: ReadNested) -> str:
    """A tool's result as text. None means that it was not recorded; 0, false and "" are results."""
    if value is None or value is MISSING:
        return NOT_RECORDED
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and is_part(value):
        return joined(read_nested(value, "tool"))
    if isinstance(value, list) and value and all(isinstance(item, str) or is_part(item) for item in value):
        return joined(read_nested(value, "tool"))
    return compact_json(value)


def denied(reason: object) -> Message:
    """The result of a tool call that a person or a rule did not allow."""
    return Message("tool", f"[denied] {string(reason)}".rstrip(), is_error=True)


def joined(messages: list[Message]) -> str:
    """The texts of `messages`, one a line."""
    return "\n".join(message.text for message in messages if message.text)


_PART_TYPES: Final = {
    "text", "input_text", "output_text", "image", "image_url", "input_image", "document", "file", "input_file",
    "audio", "input_audio", "video", "resource", "resource_link", "media", "search_result", "tool_reference",
    "web_search_result", "image-data", "file-data", "image-url", "file-url", "container_upload",
}  # fmt: skip


_RESULT_TYPES: Final = {
    "tool-result", "tool-error", "tool-approval-response", "tool_result", "tool_call_response", "function_call_output",
}  # fmt: skip
_RESULT_KEYS: Final = {"functionResponse", "function_response", "toolResult", "tool_call_result"}


def holds_results(content: object) -> bool:
    """Whether the content of a tool's message is a list of results in a provider format, and not one result."""
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and (part.get("type") in _RESULT_TYPES or not _RESULT_KEYS.isdisjoint(part))
        for part in content
        if isinstance(part, Mapping) and isinstance(part.get("type"), str | None)
    )


def is_part(value: object) -> bool:
    """Whether an object inside a tool's result is content and not the tool's own data."""
    if not isinstance(value, Mapping):
        return False
    kind = value.get("type")
    if isinstance(kind, str):
        return kind in _PART_TYPES and len(value) > 1
    return len(value) == 1 and next(iter(value)) in {"text", "json", "image", "document", "inlineData", "inline_data"}


def media(kind: str, name: object = "") -> str:
    """The marker of a picture, sound or file; a long name or a data URL is left out."""
    shown = name if isinstance(name, str) and len(name) <= 300 and not name.startswith("data:") else ""
    return media_marker(kind, shown)
