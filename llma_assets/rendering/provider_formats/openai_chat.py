"""OpenAI chat completions: messages with tool calls and parts, choices. And compatible servers (Mistral, Ollama)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.cleaning import media_marker
from llma_assets.rendering.json_text import parse_container
from llma_assets.rendering.message import THINKING, Message, ToolCall, merged, role_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    holds_results,
    is_part,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.streams import extend, in_order, place_of
from llma_assets.rendering.provider_formats.transcripts import written_calls

ORDER: Final = 70

_CHOICE_KEYS: Final = 4
"""More keys beside a text say more than how it ended."""

_WRITTEN: Final = re.compile(r"([\w.-]{1,120})\((.*)\)", re.DOTALL)
"""A tool call as a text: `get_weather(city="Oslo")`."""


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read a message, a choice, a completion or a part of content.

    `{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}`
    """
    if isinstance(item.get("choices"), list):
        return [message for choice in _list(item["choices"]) for message in read_nested(choice, "assistant")]
    if isinstance(item.get("text"), str) and _is_choice(item):
        return [Message("assistant", string(item["text"]))]
    nested = item.get("message", item.get("delta"))
    if isinstance(nested, Mapping) and "role" not in item:
        return read_nested(nested, "assistant")
    if isinstance(item.get("role", MISSING), str | None) and any(
        key in item for key in ("content", "tool_calls", "function_call", "refusal", "reasoning_content")
    ):
        return _message(item, role, read_nested)
    return _part(item, role)


def _is_choice(item: Mapping[str, object]) -> bool:
    """Whether an object with a text is a choice of the older completions, and says no more than how it ended."""
    return (
        "type" not in item
        and ("index" in item or len(item) <= _CHOICE_KEYS)
        and ("finish_reason" in item or "logprobs" in item)
    )


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The completion that chunks add up to, choice by choice: chat (`delta`) and the older `text`."""
    if not isinstance(mapping(items[0]).get("choices"), list):
        return None
    choices: dict[int, dict[str, object]] = {}
    calls: dict[int, dict[tuple[int, str], dict[str, object]]] = {}
    for item in items:
        chunks = mapping(item).get("choices")
        if not isinstance(chunks, list):
            return None
        for chunk in map(mapping, chunks):
            delta = chunk.get("delta", chunk.get("message") if "chunk" in string(mapping(item).get("object")) else None)
            text = chunk.get("text")
            if not isinstance(delta, Mapping) and not isinstance(text, str):
                return None
            place = place_of(chunk)
            choice = choices.setdefault(place, {"role": "assistant", "content": ""})
            choice["finish_reason"] = chunk.get("finish_reason") or choice.get("finish_reason")
            extend(choice, "content", text)
            for key in ("content", "refusal", "reasoning_content", "reasoning"):
                extend(choice, key, mapping(delta).get(key))
            choice["role"] = mapping(delta).get("role") or choice["role"]
            for part in map(mapping, _list(mapping(delta).get("tool_calls"))):
                _add_call(calls.setdefault(place, {}), part)
    for place, found in calls.items():
        choices[place]["tool_calls"] = [{"function": call} for call in found.values()]
    whole = [{"finish_reason": choice.pop("finish_reason"), "message": choice} for choice in in_order(choices)]
    return {"choices": whole} if whole else None


def _add_call(calls: dict[tuple[int, str], dict[str, object]], part: Mapping[str, object]) -> None:
    """Add a fragment of a tool call; some servers send calls whole, with new ids under the same index."""
    place, identity = place_of(part), string(part.get("id"))
    known = next((key for key in reversed(calls) if key[0] == place and identity in ("", key[1])), None)
    call = calls.setdefault(known or (place, identity), {"name": "", "arguments": ""})
    function = mapping(part.get("function"))
    extend(call, "name", function.get("name"))
    extend(call, "arguments", function.get("arguments"))


def _message(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message]:
    role = role_of(item.get("role"), role)
    content = item.get("content")
    if role == "tool":
        if is_definition(content):
            return []
        if holds_results(content):
            return read_nested(content, role)
        text = result_text(content, read_nested)
        failed = item.get("is_error") is True or item.get("status") == "error"
        return [Message("tool", text, is_error=failed)]
    messages = [Message(THINKING, text) for text in reasoning_texts(item)]
    written: tuple[ToolCall, ...] = ()
    if isinstance(content, str) and role == "assistant":
        content, written = written_calls(content)
    messages.extend([Message(role, "")] if content is None else read_nested(_parts(content), role))
    refusal = string(item.get("refusal"))
    if refusal:
        messages.append(Message(role, f"[refusal] {refusal}"))
    audio = mapping(item.get("audio"))
    if audio:
        messages.append(Message(role, string(audio.get("transcript")) or "[audio]"))
    images = item.get("images")
    if isinstance(images, list):
        messages.extend(Message(role, "[image]") for _ in images)
    invocations = [part for call in _list(item.get("toolInvocations")) for part in read_nested(call, "assistant")]
    if invocations:
        return [*invocations, *merged(messages)]
    calls = calls_of(item) or calls_of(mapping(item.get("additional_kwargs"))) or written
    if calls or not messages:
        messages.append(Message(role, "", calls))
    return merged(messages)


def _parts(content: object) -> object:
    """The content; parts that a tracer serialized as JSON are parsed."""
    if isinstance(content, str) and content.startswith('[{"type":'):
        parsed = parse_container(content)
        if isinstance(parsed, list) and all(is_part(part) for part in parsed):
            return parsed
    return content


def reasoning_texts(item: Mapping[str, object]) -> list[str]:
    """Reasoning that a server sends beside the content."""
    for key in ("reasoning_content", "reasoning", "thinking", "tool_plan", "thought"):
        if text := string(item.get(key)):
            return [text]
    return []


def calls_of(item: Mapping[str, object]) -> tuple[ToolCall, ...]:
    """Tool calls of a message: `tool_calls` and the older `function_call`, nested as OpenAI does or flat."""
    calls: list[ToolCall] = []
    for key in ("tool_calls", "toolCalls", "invalid_tool_calls"):
        for entry in _list(item.get(key)):
            if isinstance(entry, str):
                parsed = parse_container(entry)
                calls.extend(calls_of({key: [parsed]}) if isinstance(parsed, Mapping) else [_named(entry)])
            if not isinstance(entry, Mapping):
                continue
            call = mapping(entry.get("tool_call")) or entry
            inside = mapping(call.get("function")) or mapping(call.get("custom")) or call
            names = ("name", "tool_name", "toolName", "function_name", "function")
            name = next((inside[k] for k in names if isinstance(inside.get(k), str)), None)
            keys = (
                "arguments", "args", "input", "parameters", "tool_args", "kwargs", "tool_kwargs", "tool_input",
                "params_as_json",
            )  # fmt: skip
            arguments = next((inside[k] for k in keys if k in inside), None)
            error = string(call.get("error"))
            calls.append(tool_call(name, arguments, f"invalid: {error}" if error else ""))
    for key in ("function_call", "tool_call"):
        function = item.get(key)
        if not calls and isinstance(function, Mapping) and "name" in function:
            calls.append(tool_call(function.get("name"), function.get("arguments", function.get("args"))))
    return tuple(calls)


def _named(text: str) -> ToolCall:
    """A tool call that is only a text: the name of the tool, or words about the call."""
    if found := _WRITTEN.fullmatch(text[:2_000]):
        return tool_call(found.group(1), found.group(2))
    is_name = all(part.isalnum() for part in text.replace("-", "_").replace(".", "_").split("_"))
    return tool_call(text, None) if is_name else tool_call("", text)


def is_definition(value: object) -> bool:
    """Whether `value` is the definition of a tool, and not its result: some tracers list tools among the messages."""
    if not isinstance(value, Mapping) or value.get("type") != "function":
        return False
    function = value.get("function")
    return isinstance(function, Mapping) and "name" in function and "arguments" not in function


def _part(item: Mapping[str, object], role: str) -> list[Message] | None:
    kind = item.get("type")
    text: str | None = None
    match kind:
        case "text" | "input_text" | "output_text" | "summary_text" | "thinking_text":
            found = item.get("text", item.get("content"))
            nested = mapping(found)
            text = string(nested.get("value")) if nested else found if isinstance(found, str) else None
            titles = [string(mapping(each).get("title")) for each in _list(item.get("annotations"))]
            if text is not None and any(titles):
                text = "\n".join([text, *(f"[source: {title}]" for title in dict.fromkeys(titles) if title)])
        case "refusal":
            text = f"[refusal] {string(item.get('refusal'))}"
        case "image_url" | "input_image" | "image-url" | "image_file":
            text = "[image]"
        case "input_audio" | "audio" | "output_audio":
            text = string(item.get("transcript")) or "[audio]"
        case "video_url" | "input_video":
            text = "[video]"
        case "file" | "input_file":
            text = _file(item)
        case "resource" if isinstance(item.get("resource"), Mapping):
            resource = mapping(item["resource"])
            text = string(resource.get("text")) or media("application", resource.get("uri"))
        case "function" if "arguments" in mapping(item.get("function")):
            return [Message("assistant", "", calls_of({"tool_calls": [item]}))]
        case _:
            return None
    return None if text is None else [Message(role, text)]


def _file(item: Mapping[str, object]) -> str | None:
    inside = mapping(item.get("file")) or item
    for key in ("filename", "file_id", "fileId", "file_name", "name", "file_url", "url"):
        if isinstance(inside.get(key), str):
            return media("application", inside[key])
    if any(key in inside for key in ("file_data", "data", "fileData")):
        kind = string(inside.get("mediaType")) or string(inside.get("mimeType")) or string(inside.get("mime_type"))
        return media_marker(kind)
    return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
