"""OpenTelemetry's GenAI conventions: typed parts of messages, and the several forms of reasoning."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import THINKING, Message
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    is_part,
    joined,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)

ORDER: Final = 54


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    """Read one part.

    `{"type": "tool_call", "name": "f", "arguments": {}}`, `{"type": "tool_call_response", "response": "…"}`
    """
    kind = item.get("type")
    if not isinstance(kind, str) or "role" in item:
        return None
    match kind:
        case "text" if isinstance(item.get("content"), str):
            return [Message(role, string(item["content"]))]
        case "tool_call" | "server_tool_call" if "name" in item:
            keys = ("arguments", "input", "parameters", "args", "server_tool_call")
            arguments = next((item[k] for k in keys if k in item), None)
            return [Message("assistant", "", (tool_call(item["name"], _untyped(arguments)),))]
        case "tool_call_response" | "server_tool_call_response":
            keys = ("response", "result", "output", "content", "server_tool_call_response")
            output = _untyped(next((item[key] for key in keys if key in item), MISSING))
            return [Message("tool", result_text(output, read_nested), is_error=item.get("is_error") is True)]
        case "blob":
            kind = string(item.get("mime_type")) or string(item.get("modality"))
            return [Message(role, media(kind or "application"))]
        case "uri" if "uri" in item:
            return [Message(role, media(string(item.get("mime_type")) or string(item.get("modality")), item["uri"]))]
        case "file" if "file_id" in item:
            return [Message(role, media("application", item["file_id"]))]
        case _ if "reasoning" in kind.lower() or kind == "thought":
            said = _reasoning(item, read_nested)
            return [Message(THINKING, said)] if said else []
    return None


def _untyped(value: object) -> object:
    """A server tool's call or response without the type, which its name says already."""
    if isinstance(value, Mapping) and isinstance(value.get("type"), str) and len(value) > 1 and not is_part(value):
        return {key: child for key, child in value.items() if key != "type"}
    return value


def _reasoning(item: Mapping[str, object], read_nested: ReadNested) -> str:
    """The readable part of a reasoning block, without signatures and encrypted text."""
    for key in ("content", "text", "reasoning", "summary"):
        value = item.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping):
            return string(value.get("text")) or string(mapping(value.get("reasoningText")).get("text"))
        if isinstance(value, list):
            return joined(read_nested(value, THINKING))
    return ""
