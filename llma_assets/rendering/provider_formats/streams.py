"""Joins the events of a streamed answer to one message. Parsing that message is left to the other modules."""

from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, parse_json
from llma_assets.rendering.provider_formats.nested import mapping, string

_LOOKED_AT: Final = 50


def joined_stream(items: Sequence[object]) -> Mapping[str, object] | None:
    """The message that the events of a stream add up to, or None if `items` are not such events."""
    first = mapping(items[0])
    if isinstance(first.get("choices"), list):
        return joined_chunks(list(items))
    kinds = {string(mapping(item).get("type")) for item in items[:_LOOKED_AT]}
    if kinds & {"content_block_delta", "content_block_start", "message_start"}:
        return _anthropic(items)
    if any(kind.startswith("response.") for kind in kinds) and any(kind.endswith(".delta") for kind in kinds):
        return _responses(items)
    return None


def _anthropic(items: Sequence[object]) -> Mapping[str, object] | None:
    """Anthropic's events: a block starts, deltas extend it, it stops."""
    blocks: dict[object, dict[str, object]] = {}
    role = "assistant"
    for item in map(mapping, items):
        index = item.get("index")
        place = index if isinstance(index, int) else 0
        if item.get("type") == "message_start":
            role = string(mapping(item.get("message")).get("role")) or role
        elif item.get("type") == "content_block_start":
            blocks[place] = dict(mapping(item.get("content_block")))
        elif item.get("type") == "content_block_delta":
            delta = mapping(item.get("delta"))
            block = blocks.setdefault(place, {"type": "text"})
            for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "partial")):
                if isinstance(delta.get(source), str):
                    block[target] = string(block.get(target)) + string(delta[source])
    for block in blocks.values():
        if "partial" in block:
            text = string(block.pop("partial"))
            parsed = parse_json(text)
            block["input"] = text if parsed is NOT_JSON else parsed
    return {"role": role, "content": [blocks[place] for place in sorted(blocks, key=str)]} if blocks else None


def _responses(items: Sequence[object]) -> Mapping[str, object] | None:
    """OpenAI's Responses events: the last complete response, else the joined text deltas."""
    for item in map(mapping, reversed(items)):
        response = mapping(item.get("response"))
        if isinstance(response.get("output"), list) and response["output"]:
            return response
    deltas = [string(item.get("delta")) for item in map(mapping, items)
              if item.get("type") == "response.output_text.delta"]  # fmt: skip
    return {"role": "assistant", "content": "".join(deltas)} if deltas else None


def joined_chunks(items: list[object]) -> Mapping[str, object] | None:
    """The message that chunks of a chat completion add up to, or None if `items` are not chunks."""
    deltas: list[Mapping[str, object]] = []
    for item in items:
        choices = mapping(item).get("choices")
        if not isinstance(choices, list):
            return None
        for choice in choices:
            delta = mapping(choice).get("delta")
            if not isinstance(delta, Mapping):
                return None
            deltas.append(delta)
    if not deltas:
        return None
    calls: dict[object, dict[str, str]] = {}
    for delta in deltas:
        for part in map(mapping, list_of(delta.get("tool_calls"))):
            index = part.get("index")
            call = calls.setdefault(index if isinstance(index, int) else 0, {"name": "", "arguments": ""})
            function = mapping(part.get("function"))
            call["name"] += string(function.get("name"))
            call["arguments"] += string(function.get("arguments"))
    return {
        "role": next((delta["role"] for delta in deltas if isinstance(delta.get("role"), str)), "assistant"),
        "content": "".join(string(delta.get("content")) for delta in deltas),
        "tool_calls": [{"function": call} for call in calls.values()],
    }


def list_of(value: object) -> list[object]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
