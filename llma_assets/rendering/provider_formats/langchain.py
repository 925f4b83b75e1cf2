"""LangChain and LangGraph: messages by `type`, serialized constructors, generations of a model's result."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.message import Message, merged, role_of
from llma_assets.rendering.provider_formats.nested import MISSING, ReadNested, mapping, result_text, string, tool_call
from llma_assets.rendering.provider_formats.openai_chat import calls_of, reasoning_texts

ORDER: Final = 40

_TYPES: Final = {
    "human": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "HumanMessageChunk": "user",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "",
    "developer": "developer",
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
    "UserMessage": "user",
    "AssistantMessage": "assistant",
    "FunctionExecutionResultMessage": "tool",
}


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    """Read a message, a serialized one, or a model's result.

    `{"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}}]}`, `{"lc": 1, "kwargs": {…}}`
    """
    if "lc" in item and isinstance(item.get("kwargs"), Mapping):
        return _serialized(item, role, read_nested)
    kind = item.get("type")
    if isinstance(kind, str) and kind in _TYPES and isinstance(item.get("data"), Mapping):
        return _message(mapping(item["data"]), _TYPES[kind] or role, read_nested)
    if isinstance(kind, str) and kind in _TYPES and "content" in item and "role" not in item:
        return _message(item, _TYPES[kind] or role, read_nested)
    if kind in ("tool_call", "server_tool_call", "invalid_tool_call") and "args" in item:
        error = string(item.get("error"))
        status = f"invalid: {error}" if error else ""
        return [Message("assistant", "", (tool_call(item.get("name"), item["args"], status),))]
    if kind == "server_tool_result" and "output" in item:
        failed = item.get("status") == "error"
        return [Message("tool", result_text(item["output"], read_nested), is_error=failed)]
    if kind == "non_standard" and isinstance(item.get("value"), Mapping):
        return read_nested(item["value"], role)
    if isinstance(item.get("return_values"), Mapping):
        return _finished(item, read_nested)
    generations = item.get("generations")
    if isinstance(generations, list):
        return [message for batch in generations for message in read_nested(batch, "assistant")]
    if isinstance(item.get("text"), str) and ("generation_info" in item or "message" in item):
        nested = item.get("message")
        found = read_nested(nested, "assistant") if isinstance(nested, Mapping) else []
        return found or [Message("assistant", string(item["text"]))]
    return None


def _finished(item: Mapping[str, object], read_nested: ReadNested) -> list[Message]:
    """The end of an agent's run: its log, which is its thinking, and its answer."""
    values = mapping(item["return_values"])
    answer = string(values.get("output")) if set(values) == {"output"} else ""
    log = string(item.get("log")).strip()
    thinking = [Message("thinking", log)] if log and log != answer.strip() else []
    return [*thinking, *(read_nested(answer, "assistant") if answer else read_nested(values, "assistant"))]


def _serialized(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message]:
    kwargs = mapping(item["kwargs"])
    path = item.get("id")
    name = path[-1] if isinstance(path, list) and path and isinstance(path[-1], str) else ""
    if name in _TYPES:
        return _message(kwargs, _TYPES[name] or role, read_nested)
    if name.endswith("PromptValue") or "messages" in kwargs:
        return read_nested(kwargs.get("messages", kwargs.get("text")), role)
    return read_nested(kwargs, role)


def _message(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message]:
    role = role_of(item.get("role"), role)
    content = item.get("content")
    if role == "tool":
        failed = item.get("status") == "error"
        if isinstance(content, list) and content and all(_is_execution(part) for part in content):
            return [
                Message(
                    "tool", result_text(part.get("content", MISSING), read_nested), is_error=bool(part.get("is_error"))
                )
                for part in map(mapping, content)
            ]
        return [Message("tool", result_text(content, read_nested), is_error=failed)]
    extra = mapping(item.get("additional_kwargs"))
    messages = [Message("thinking", text) for text in reasoning_texts(extra) or reasoning_texts(item)]
    if isinstance(content, list) and content and all(_is_call(part) for part in content):
        calls = tuple(tool_call(part.get("name"), part.get("arguments")) for part in map(mapping, content))
        return [*messages, Message(role, "", calls)]
    messages.extend([Message(role, "")] if content is None else read_nested(content, role))
    # Content blocks may repeat the calls that LangChain puts beside the content.
    shown = Counter(call.name for message in messages for call in message.tool_calls)
    calls = tuple(call for call in calls_of(item) or calls_of(extra) if not _counted(shown, call.name))
    if calls or not messages:
        messages.append(Message(role, "", calls))
    return merged(messages)


def _counted(shown: Counter[str], name: str) -> bool:
    """Whether one more call of `name` is among those shown; takes it out."""
    if shown[name] <= 0:
        return False
    shown[name] -= 1
    return True


def _is_execution(part: object) -> bool:
    return isinstance(part, Mapping) and "call_id" in part and "content" in part


def _is_call(part: object) -> bool:
    return isinstance(part, Mapping) and "type" not in part and "name" in part and "arguments" in part
