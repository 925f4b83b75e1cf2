"""Anthropic messages: content blocks of text, tool use, tool results, thinking, pictures and documents."""

from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.message import THINKING, Message
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    joined,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.streams import (
    extend,
    in_order,
    kinds_of,
    parsed_or_text,
    place_of,
)

ORDER: Final = 30


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    """Read one block.

    `{"type": "tool_use", "name": "f", "input": {}}`, `{"type": "tool_result", "content": "…"}`
    """
    kind = item.get("type")
    if not isinstance(kind, str):
        return None
    match kind:
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            return [Message("assistant", "", (tool_call(item.get("name"), item.get("input")),))]
        case _ if kind == "tool_result" or kind.endswith("_tool_result"):
            if not ("content" in item or "tool_use_id" in item):
                return None
            content = item.get("content", MISSING)
            failed = item.get("is_error") is True or string(mapping(content).get("type")).endswith("_error")
            return [Message("tool", result_text(content, read_nested), is_error=failed)]
        case "thinking" if "thinking" in item:
            thought = item.get("thinking")
            said = joined(read_nested(thought, THINKING)) if isinstance(thought, list) else string(thought)
            return [Message(THINKING, said)] if said else []
        case "compaction" if "content" in item:
            said = string(item["content"])
            return [Message(role, f"[compaction] {said}")] if said else []
        case "redacted_thinking":
            return [Message(THINKING, "[redacted thinking]")]
        case "image" | "document" | "video" | "container_upload" if "source" in item or "file_id" in item:
            return [Message(role, _source(kind, item, read_nested))]
        case "search_result" if "content" in item:
            lines = [string(item.get("title")), string(item.get("source")), result_text(item["content"], read_nested)]
            return [Message(role, "\n".join(line for line in lines if line))]
    return None


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The message that events add up to: a block starts, deltas extend it, it stops."""
    if not kinds_of(items) & {"content_block_delta", "content_block_start", "message_start"}:
        return None
    blocks: dict[int, dict[str, object]] = {}
    whole: dict[str, object] = {"role": "assistant"}
    for item in map(mapping, items):
        kind, place = item.get("type"), place_of(item)
        if kind == "message_start":
            whole["role"] = string(mapping(item.get("message")).get("role")) or "assistant"
        elif kind == "message_delta":
            whole["stop_reason"] = mapping(item.get("delta")).get("stop_reason")
        elif kind == "content_block_start":
            blocks[place] = dict(mapping(item.get("content_block")))
        elif kind == "content_block_delta":
            block, delta = blocks.setdefault(place, {"type": "text"}), mapping(item.get("delta"))
            for source, target in (
                ("text", "text"), ("thinking", "thinking"), ("partial_json", "partial"), ("content", "content"),
            ):  # fmt: skip
                extend(block, target, delta.get(source))
        elif kind == "error":
            said = string(mapping(item.get("error")).get("message"))
            blocks[len(items) + len(blocks)] = {"type": "text", "text": f"[error] {said}"}
    for block in blocks.values():
        if "partial" in block:
            block["input"] = parsed_or_text(string(block.pop("partial")))
    return {**whole, "content": in_order(blocks)} if blocks else None


def _source(kind: str, item: Mapping[str, object], read_nested: ReadNested) -> str:
    source = mapping(item.get("source"))
    if kind in {"image", "video"}:
        return media(kind)
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        return f"[file: {string(item.get('title')) or 'text'}]\n{source['data']}"
    if source.get("type") == "content":
        return result_text(source.get("content"), read_nested)
    for name in (item.get("title"), item.get("file_id"), source.get("file_id"), source.get("url")):
        if isinstance(name, str) and name:
            return media("application", name)
    return media(string(source.get("media_type")) or "application")
