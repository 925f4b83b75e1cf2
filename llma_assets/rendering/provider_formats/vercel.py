"""Vercel AI SDK: parts of model messages and of UI messages, results of generateText."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import THINKING, Message, ToolCall, merged
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

ORDER: Final = 20


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911, PLR0912 - one return a structure
    """Read a part or a result.

    `{"type": "tool-call", "toolName": "f", "input": {}}`, `{"type": "tool-result", "output": {"type": "json", …}}`
    """
    kind = item.get("type")
    if not isinstance(kind, str):
        return _result(item, read_nested)
    if kind == "tool-call" and ("toolName" in item or "tool_name" in item):
        return [Message("assistant", "", (_call(item),))]
    if kind == "tool-result" and "toolName" in item:
        return [
            _tool_message(item.get("output", item.get("result", MISSING)), read_nested, item.get("isError") is True)
        ]
    if kind == "tool-approval-response" and "approved" in item:
        said = string(item.get("reason"))
        return [Message("tool", f"[approved] {said}".rstrip()) if item["approved"] is True else denied(said)]
    if kind == "tool-error":
        return [_tool_message(item.get("error", MISSING), read_nested, failed=True)]
    if kind == "tool-invocation" and isinstance(item.get("toolInvocation"), Mapping):
        return _invocation(mapping(item["toolInvocation"]), read_nested)
    if (kind.startswith("tool-") or kind == "dynamic-tool") and "toolCallId" in item:
        name = item.get("toolName") or kind.removeprefix("tool-")
        return _invocation({**item, "toolName": name}, read_nested)
    if kind == "reasoning" and ("text" in item or "reasoning" in item):
        said = string(item.get("text")) or string(item.get("reasoning"))
        return [Message(THINKING, said)] if said else []
    if kind == "redacted-reasoning":
        return [Message(THINKING, "[redacted thinking]")]
    if kind in {"step-start", "step-finish"}:
        return []
    if kind == "image" and "image" in item:
        return [Message(role, "[image]")]
    if kind == "file" and ("mediaType" in item or "mimeType" in item):
        media_type = string(item.get("mediaType")) or string(item.get("mimeType"))
        return [Message(role, media(media_type, string(item.get("filename"))))]
    if kind in {"source-url", "source-document"}:
        detail = string(item.get("title")) or string(item.get("url"))
        return [Message(role, f"[source: {detail}]")]
    return None


def _call(item: Mapping[str, object]) -> ToolCall:
    arguments = item.get("input", item.get("args"))
    return tool_call(item.get("toolName", item.get("tool_name")), arguments)


def _tool_message(output: object, read_nested: ReadNested, failed: bool) -> Message:
    wrapped = mapping(output)
    kind = string(wrapped.get("type"))
    if kind in {"text", "json", "error-text", "error-json", "content"} and "value" in wrapped:
        return Message("tool", result_text(wrapped["value"], read_nested), is_error=failed or kind.startswith("error"))
    if kind == "execution-denied":
        return denied(wrapped.get("reason"))
    return Message("tool", result_text(output, read_nested), is_error=failed)


def _invocation(item: Mapping[str, object], read_nested: ReadNested) -> list[Message]:
    messages = [Message("assistant", "", (_call(item),))]
    approval = mapping(item.get("approval"))
    if item.get("state") == "output-denied" or approval.get("approved") is False:
        messages.append(denied(approval.get("reason")))
    elif "errorText" in item:
        messages.append(Message("tool", string(item["errorText"]), is_error=True))
    elif "output" in item or "result" in item:
        messages.append(_tool_message(item.get("output", item.get("result")), read_nested, failed=False))
    elif string(item.get("state")) in {"result", "output-available"}:
        messages.append(_tool_message(MISSING, read_nested, failed=False))
    return messages


def _result(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    """A result, `{"text": "…", "toolCalls": [{"toolName": "f", "args": {}}]}`, or a tool part without a type."""
    if "toolName" in item and ("args" in item or "input" in item):
        if "result" in item or "output" in item:
            return _invocation(item, read_nested)
        return [Message("assistant", "", (_call(item),))]
    calls = item.get("toolCalls")
    if not isinstance(calls, list) or "role" in item:
        return None
    messages: list[Message] = []
    if thought := string(item.get("reasoning")) or string(item.get("reasoningText")):
        messages.append(Message(THINKING, thought))
    messages.append(Message("assistant", string(item.get("text"))))
    for call in calls:
        messages.extend(read_nested(call, "assistant"))
    return merged(messages)
