"""Amazon Bedrock's Converse blocks, whose single key names their type, and Cohere's chat turns."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.json_text import compact_json
from llma_assets.rendering.message import THINKING, Message, role_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.openai_chat import calls_of

_PARTS: Final = {"toolUse", "toolResult", "reasoningContent", "image", "document", "video", "json", "cachePoint"}


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    """Read a block, a response or a turn.

    `{"toolUse": {"name": "f", "input": {}}}`, `{"role": "CHATBOT", "message": "…"}`
    """
    if isinstance(item.get("role"), str) and isinstance(item.get("message"), str) and "content" not in item:
        turn = Message(role_of(item["role"], role), string(item["message"]), calls_of(item))
        results = item.get("tool_results")
        return [turn, *(read_nested(results, "tool") if isinstance(results, list) and results else [])]
    message = mapping(item.get("output")).get("message")
    if isinstance(message, Mapping) and "role" in message:
        return read_nested(message, "assistant")
    if len(item) != 1 or next(iter(item)) not in _PARTS:
        return None
    kind, value = next(iter(item.items()))
    body = mapping(value)
    match kind:
        case "toolUse":
            return [Message("assistant", "", (tool_call(body.get("name"), body.get("input")),))]
        case "toolResult":
            failed = body.get("status") == "error"
            return [Message("tool", result_text(body.get("content", MISSING), read_nested), is_error=failed)]
        case "reasoningContent":
            said = string(mapping(body.get("reasoningText")).get("text"))
            return [Message(THINKING, said)] if said else []
        case "json":
            return [Message(role, compact_json(value))]
        case "cachePoint":
            return []
        case "image" | "video" if "source" in body:
            return [Message(role, media(kind))]
        case "document" if "source" in body:
            return [Message(role, media("application", string(body.get("name")) or string(body.get("format"))))]
    return None
