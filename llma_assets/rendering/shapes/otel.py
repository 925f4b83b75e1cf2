"""OpenTelemetry's GenAI conventions: typed parts of messages, reasoning in any of its spellings."""

from collections.abc import Mapping

from llma_assets.rendering.message import THINKING, Message
from llma_assets.rendering.shapes.inner import MISSING, Inner, joined, mapping, media, result_text, string, tool_call


def read(item: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
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
            arguments = next((item[k] for k in ("arguments", "input", "parameters") if k in item), None)
            return [Message("assistant", "", (tool_call(item["name"], arguments),))]
        case "tool_call_response" | "server_tool_call_response":
            output = next((item[key] for key in ("response", "result", "output", "content") if key in item), MISSING)
            return [Message("tool", result_text(output, inner), is_error=item.get("is_error") is True)]
        case "blob":
            kind = string(item.get("mime_type")) or string(item.get("modality"))
            return [Message(role, media(kind or "application"))]
        case "uri" if "uri" in item:
            return [Message(role, media(string(item.get("mime_type")) or string(item.get("modality")), item["uri"]))]
        case "file" if "file_id" in item:
            return [Message(role, media("application", item["file_id"]))]
        case _ if "reasoning" in kind.lower() or kind == "thought":
            said = _reasoning(item, inner)
            return [Message(THINKING, said)] if said else []
    return None


def _reasoning(item: Mapping[str, object], inner: Inner) -> str:
    """What can be read of it; signatures and encrypted text cannot."""
    for key in ("content", "text", "reasoning", "summary"):
        value = item.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping):
            return string(value.get("text")) or string(mapping(value.get("reasoningText")).get("text"))
        if isinstance(value, list):
            return joined(inner(value, THINKING))
    return ""
