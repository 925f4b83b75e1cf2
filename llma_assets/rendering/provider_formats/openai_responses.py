"""OpenAI Responses: the items of its input and output, and the response object around them."""

from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.message import THINKING, Message, ToolCall, merged, role_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    arguments_of,
    denied,
    joined,
    mapping,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.streams import extend, in_order, kinds_of, place_of

ORDER: Final = 10

_BUILT_IN: Final = {
    "web_search_call", "file_search_call", "computer_call", "code_interpreter_call", "image_generation_call",
    "local_shell_call", "shell_call", "apply_patch_call", "mcp_call", "mcp_list_tools", "mcp_approval_request",
    "tool_search_call",
}  # fmt: skip
_NOT_ARGUMENTS: Final = {
    "type", "status", "id", "call_id", "results", "outputs", "output", "result", "action", "error",
    "pending_safety_checks", "container_id", "approval_request_id", "tools",
}  # fmt: skip


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    """Read an item or a response.

    `{"type": "function_call", "name": "f", "arguments": "{}"}`, `{"type": "function_call_output", "output": "…"}`
    """
    kind = item.get("type")
    if not isinstance(kind, str):
        return _response(item, read_nested)
    match kind:
        case "message" if "content" in item:
            return merged(read_nested(item["content"], role_of(item.get("role"), role)))
        case "function_call" | "custom_tool_call" if "name" in item:
            arguments = item.get("arguments", item.get("input", item.get("args")))
            status = string(item.get("status"))
            call = tool_call(item.get("name"), arguments, "" if status == "completed" else status)
            return [Message("assistant", "", (call,))]
        case "function_call_output" | "custom_tool_call_output" | "function_result" | "function_call_result":
            output = item.get("output", item.get("result", MISSING))
            return [Message("tool", result_text(output, read_nested))]
        case "reasoning" if "summary" in item or "encrypted_content" in item:
            parts = (joined(read_nested(item.get(key) or [], THINKING)) for key in ("summary", "content"))
            said = "\n".join(dict.fromkeys(part for part in parts if part))
            return [Message(THINKING, said)] if said else []
        case "item_reference" | "compaction" if not isinstance(item.get("content"), str):
            return []
        case _ if kind in _BUILT_IN:
            return _built_in(kind, item, read_nested)
        case "mcp_approval_response" if item.get("approve") is False:
            return [denied(item.get("reason"))]
        case _ if kind.endswith("_call_output") or kind == "mcp_approval_response":
            output = item.get("output", {key: item[key] for key in item if key not in {"type", "id", "call_id"}})
            return [Message("tool", _screenshot(output) or result_text(output, read_nested))]
    return _response(item, read_nested)


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The response that events add up to: its last complete form, else items as far as they came."""
    if not all(kind.startswith("response.") or kind == "error" for kind in kinds_of(items)):
        return None
    parts: dict[int, dict[str, object]] = {}
    whole: Mapping[str, object] = {}
    complete = False
    for item in map(mapping, items):
        kind, place = string(item.get("type")), place_of(item, "output_index")
        whole = mapping(item.get("response")) or whole
        if kind.startswith("response.output_item."):
            complete = complete or kind.endswith(".done")
            filled = {key: value for key, value in mapping(item.get("item")).items() if value not in ([], "", None)}
            parts[place] = {**parts.get(place, {}), **filled}
        elif target := _GROWING.get(kind.removeprefix("response.").removesuffix(".delta")):
            extend(parts.setdefault(place, {"type": "message", "role": "assistant"}), target, item.get("delta"))
    final = whole.get("output")
    if not parts and not final:
        return None
    return {**whole, "object": "response", "output": in_order(parts) if complete or not final else final}


_GROWING: Final = {
    "output_text": "content", "refusal": "content", "function_call_arguments": "arguments",
    "mcp_call_arguments": "arguments", "custom_tool_call_input": "input", "reasoning_summary_text": "summary",
    "reasoning_text": "content",
}  # fmt: skip
"""Which field of an item the deltas of a kind add to."""


def _built_in(kind: str, item: Mapping[str, object], read_nested: ReadNested) -> list[Message]:
    name = string(item.get("name")) if kind.startswith("mcp_") else ""
    arguments: dict[str, object]
    if kind == "mcp_call":
        call = tool_call(name or kind, item.get("arguments"), _unless_done(item))
    else:
        arguments = {key: value for key, value in item.items() if key not in _NOT_ARGUMENTS and value is not None}
        action = arguments_of(item.get("action"))
        if isinstance(action, Mapping):
            arguments = {**action, **arguments}
        call = ToolCall(name or kind, arguments, string(item.get("status")))
    messages = [Message("assistant", "", (call,))]
    messages.extend(
        Message("tool", result_text(item[key], read_nested), is_error=key == "error")
        for key in ("output", "outputs", "results", "error")
        if item.get(key)
    )
    if kind == "image_generation_call" and item.get("result"):
        messages.append(Message("tool", "[image]"))
    return messages


def _unless_done(item: Mapping[str, object]) -> str:
    status = string(item.get("status"))
    return "" if status == "completed" else status


def _screenshot(output: object) -> str:
    kind = string(mapping(output).get("type"))
    return "[image]" if kind in {"computer_screenshot", "input_image"} else ""


def _response(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    output = item.get("output")
    if not isinstance(output, list) or not (item.get("object") == "response" or _looks_like_items(output)):
        return None
    messages = [message for part in output for message in read_nested(part, "assistant")]
    if not messages and item.get("error"):
        return None
    return messages


def _looks_like_items(output: list[object]) -> bool:
    return any(isinstance(part, Mapping) and ("role" in part or "type" in part) for part in output)
