"""OpenAI Responses: the items of its input and output, and the response object around them."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import THINKING, Message, ToolCall, merged, role_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    arguments_of,
    joined,
    mapping,
    result_text,
    string,
    tool_call,
)

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
            said = joined(read_nested(item.get("summary") or [], THINKING)) or joined(
                read_nested(item.get("content") or [], THINKING)
            )
            return [Message(THINKING, said)] if said else []
        case "item_reference" | "compaction":
            return []
        case _ if kind in _BUILT_IN:
            return _built_in(kind, item, read_nested)
        case _ if kind.endswith("_call_output") or kind == "mcp_approval_response":
            output = item.get("output", {key: item[key] for key in item if key not in {"type", "id", "call_id"}})
            return [Message("tool", _screenshot(output) or result_text(output, read_nested))]
    return _response(item, read_nested)


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
