"""Objects around messages that belong to no provider: states, requests, prompts. What else they hold is shown too."""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.jsontext import compact_json
from llma_assets.rendering.message import Message
from llma_assets.rendering.shapes.inner import Inner, string
from llma_assets.rendering.shapes.transcripts import read_transcript

_WRAPPERS: Final = ("input", "output", "state", "values", "data", "request", "response", "result", "body")
_CONTENT: Final = {
    "content", "name", "id", "finish_reason", "stop_reason", "index", "isError", "is_error", "structuredContent",
    "_meta",
}  # fmt: skip
_LISTS: Final = ("messages", "input_messages", "output_messages", "chat_history", "history")
_SETTINGS: Final = {
    "model", "model_name", "temperature", "top_p", "top_k", "n", "stop", "stream", "stream_options", "max_tokens",
    "max_completion_tokens", "max_output_tokens", "tools", "tool_choice", "functions", "function_call",
    "parallel_tool_calls", "response_format", "seed", "user", "metadata", "usage", "id", "object", "created",
    "created_at",
    "frequency_penalty", "presence_penalty", "logprobs", "logit_bias", "system_fingerprint", "service_tier", "store",
    "stop_sequences", "stop_reason", "stop_sequence", "thinking", "reasoning_effort", "tool_definitions", "llm_output",
    "run", "type", "is_last_step", "remaining_steps", "lc_serializable",
}  # fmt: skip


def read(item: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:
    """Read a state, a request or a prompt.

    `{"messages": […], "documents": […]}`, `{"system": "…", "prompt": "…"}`, `{"content": "…"}`
    """
    used: set[str] = set()
    messages: list[Message] = []
    for key in ("system", "instructions", "system_prompt"):
        if isinstance(item.get(key), str | list) and any(k in item for k in (*_LISTS, "prompt", "input")):
            used.add(key)
            messages.extend(Message("system", m.text) for m in inner(item[key], "system") if m.text)
    for key in _LISTS:
        if isinstance(item.get(key), list) and _holds_messages(item[key]):
            used.add(key)
            messages.extend(message for part in _parts(item[key]) for message in _said(part, role, inner))
    if not used & set(_LISTS):
        key = next((key for key in ("prompt", "input") if _is_prompt(item, key)), "")
        if key:
            used.add(key)
            messages.extend(inner(item[key], "user"))
        elif "content" in item and set(item) <= _CONTENT:
            return inner(item["content"], role)
        else:
            key = next((key for key in _WRAPPERS if _wraps(item.get(key))), "")
            if not key:
                return None
            used.add(key)
            messages.extend(inner(item[key], "assistant" if key in {"output", "response", "result"} else role))
    rest = {key: value for key, value in item.items() if key not in used | _SETTINGS and value not in (None, [], {})}
    if rest:
        messages.append(Message("state", compact_json(rest)))
    return messages


def _parts(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _said(part: object, role: str, inner: Inner) -> list[Message]:
    """A message; one that a tracer wrote down as a string is read again."""
    return (read_transcript(part) if isinstance(part, str) else []) or inner(part, role)


def _holds_messages(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, Mapping | str | list) for part in value)


def _wraps(value: object) -> bool:
    """Whether `value` holds a conversation under a key of its own."""
    return isinstance(value, Mapping) and any(
        isinstance(value.get(key), list) and value[key] and isinstance(value[key][0], Mapping)
        for key in ("messages", "choices", "contents", "candidates")
    )


def _is_prompt(item: Mapping[str, object], key: str) -> bool:
    """A prompt is text or messages, alone or with a system prompt and settings beside it."""
    value = item.get(key)
    if isinstance(value, str):
        return set(item) <= _SETTINGS | {key, "system", "instructions", "system_prompt"} and string(value) != ""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(part, Mapping) and ("role" in part or "type" in part) for part in value)
