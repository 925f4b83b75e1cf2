"""Messages of Pydantic AI, Haystack and LlamaIndex, which name the kind of a part by a key of their own."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import THINKING, Message, merged, role_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    denied,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.openai_chat import calls_of

ORDER: Final = 50


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read a part by `part_kind`, a block by `block_type`, or a message with `_content` or `blocks`.

    `{"part_kind": "tool-call", "tool_name": "f", "args": {}}`, `{"role": "user", "blocks": [{"block_type": "text"}]}`
    """
    if isinstance(item.get("part_kind"), str):
        return _part(item, read_nested)
    if isinstance(item.get("block_type"), str):
        return _block(item, role)
    for key in ("blocks", "_content"):
        content = item.get(key)
        if isinstance(content, list):
            role = role_of(item.get("role", item.get("_role")), role)
            messages = merged(read_nested(content, role))
            calls = () if any(m.tool_calls for m in messages) else calls_of(mapping(item.get("additional_kwargs")))
            return merged([*messages, Message(role, "", calls)]) if calls or not messages else messages
    if len(item) == 1:
        return _haystack(item, read_nested)
    return None


def _part(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a kind
    content = item.get("content", MISSING)
    match item["part_kind"]:
        case "system-prompt" | "user-prompt" | "text" as kind:
            speaker = {"system-prompt": "system", "user-prompt": "user"}.get(kind, "assistant")
            return read_nested(content, speaker) if content is not MISSING else None
        case "tool-call" | "builtin-tool-call":
            return [Message("assistant", "", (tool_call(item.get("tool_name"), item.get("args")),))]
        case "tool-return" | "builtin-tool-return":
            if item.get("outcome") == "denied":
                return [denied(content)]
            return [Message("tool", result_text(content, read_nested), is_error=item.get("outcome") == "failed")]
        case "retry-prompt":
            speaker = "tool" if item.get("tool_name") else "user"
            return [Message(speaker, result_text(content, read_nested), is_error=True)]
        case "thinking":
            said = string(content)
            return [Message(THINKING, said)] if said else []
    return None


def _block(item: Mapping[str, object], role: str) -> list[Message] | None:
    match item["block_type"]:
        case "text" if isinstance(item.get("text"), str):
            return [Message(role, string(item["text"]))]
        case "tool_call":
            return [Message("assistant", "", (tool_call(item.get("tool_name"), item.get("tool_kwargs")),))]
        case "thinking":
            said = string(item.get("content"))
            return [Message(THINKING, said)] if said else []
        case "image" | "audio" | "video" as kind:
            return [Message(role, media(kind))]
        case "document":
            return [Message(role, media("application", string(item.get("title"))))]
    return None


def _haystack(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    call = mapping(item.get("tool_call"))
    if "tool_name" in call:
        return [Message("assistant", "", (tool_call(call["tool_name"], call.get("arguments")),))]
    result = mapping(item.get("tool_call_result"))
    if "result" in result:
        return [Message("tool", result_text(result["result"], read_nested), is_error=result.get("error") is True)]
    return None
