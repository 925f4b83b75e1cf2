"""Amazon Bedrock's Converse blocks, whose single key names their type, and Cohere's chat turns."""

from collections.abc import Mapping, Sequence
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
from llma_assets.rendering.provider_formats.streams import extend, parsed_or_text, place_of

ORDER: Final = 52

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
        assessed = item.get("trace", item.get("amazon-bedrock-trace"))
        rest = [Message("state", compact_json({"trace": assessed}))] if assessed else []
        return [*read_nested(message, "assistant"), *rest]
    guarded = mapping(item.get("guardContent")).get("text")
    if isinstance(guarded, Mapping) and "text" in guarded:
        return [Message(role, string(guarded["text"]))]
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


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The message that the events of ConverseStream add up to; the text of RetrieveAndGenerateStream."""
    if _EVENTS.isdisjoint(mapping(items[0])):
        return _retrieved(items)
    blocks: dict[int, dict[str, object]] = {}
    calls: dict[int, dict[str, object]] = {}
    whole: dict[str, object] = {}
    for item in map(mapping, items):
        event = next((mapping(value) for key, value in item.items() if key in _EVENTS), {})
        place = place_of(event, "contentBlockIndex")
        whole["stopReason"] = event.get("stopReason") or whole.get("stopReason")
        whole["trace"] = event.get("trace") or item.get("amazon-bedrock-trace") or whole.get("trace")
        started, delta = mapping(mapping(event.get("start")).get("toolUse")), mapping(event.get("delta"))
        if started:
            calls[place] = dict(started)
        extend(calls.setdefault(place, {}), "input", mapping(delta.get("toolUse")).get("input"))
        block = blocks.setdefault(place, {})
        extend(block, "text", delta.get("text"))
        extend(block, "thought", mapping(delta.get("reasoningContent")).get("text"))
    content: list[object] = []
    for place, block in sorted(blocks.items()):
        if "thought" in block:
            content.append({"reasoningContent": {"reasoningText": {"text": block["thought"]}}})
        if "text" in block:
            content.append({"text": block["text"]})
        if call := calls.get(place):
            content.append({"toolUse": {**call, "input": parsed_or_text(string(call.get("input")) or "{}")}})
    return {**whole, "output": {"message": {"role": "assistant", "content": content}}} if content else None


_EVENTS: Final = {
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
}


def _retrieved(items: Sequence[object]) -> Mapping[str, object] | None:
    first = mapping(items[0])
    if len(items) < 2 or not isinstance(mapping(first.get("output")).get("text"), str) or len(first) > 1:
        return None
    texts = [string(mapping(item.get("output")).get("text")) for item in map(mapping, items)]
    rest = [item for item in map(mapping, items) if "output" not in item]
    return {"output_text": "".join(texts), **({"citations": rest} if rest else {})}
