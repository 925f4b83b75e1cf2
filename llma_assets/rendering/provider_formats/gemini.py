"""Google Gemini and Vertex AI: contents with parts, candidates, function calls and responses."""

from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.message import THINKING, Message, merged, role_of
from llma_assets.rendering.provider_formats.detection import speaker_of
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    mapping,
    media,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.streams import extend, in_order, kinds_of, place_of

ORDER: Final = 56


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read a request, a response, a content or a part, in camel or snake case.

    `{"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}`
    """
    if isinstance(item.get("parts"), list):
        role = role_of(item.get("role"), role)
        return merged(read_nested(item["parts"], role)) or [Message(role, "")]
    if isinstance(item.get("candidates"), list):
        return [message for candidate in _list(item["candidates"]) for message in read_nested(candidate, "model")]
    if isinstance(item.get("content"), Mapping) and "role" not in item and "parts" in mapping(item["content"]):
        return read_nested(item["content"], speaker_of(item) or role)
    if "contents" in item and "role" not in item:
        system = _either(item, "systemInstruction", "system_instruction")
        if system is MISSING:
            system = _either(mapping(item.get("config")), "systemInstruction", "system_instruction")
        before = [] if system in (MISSING, None) else read_nested(system, "system")
        return [Message("system", m.text) if m.role == "user" else m for m in before] + read_nested(
            item["contents"], role
        )
    return _part(item, role, read_nested)


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The answer that chunks add up to: each candidate's texts joined, thoughts apart, calls as they came."""
    if any(kind.startswith(("interaction.", "step.")) for kind in kinds_of(items, "event_type")):
        return _interaction(items)
    first = mapping(items[0])
    if len(items) < 2 or not isinstance(first.get("candidates"), list):
        return None
    candidates: dict[int, dict[str, object]] = {}
    for item in map(mapping, items):
        for candidate in map(mapping, _list(item.get("candidates"))):
            whole = candidates.setdefault(place_of(candidate), {})
            parts = whole.setdefault("parts", [])
            whole["finishReason"] = _either(candidate, "finishReason", "finish_reason")
            for part in _list(mapping(candidate.get("content")).get("parts")):
                _add_part(_list(parts), part)
    return {
        "candidates": [{"finishReason": c.get("finishReason"), "content": {"role": "model", "parts": c["parts"]}}
                       for c in in_order(candidates)]
    }  # fmt: skip


def _add_part(parts: list[object], part: object) -> None:
    """Add a part; text that goes on with a text of the same kind is joined to it."""
    last, found = parts[-1] if parts else None, mapping(part)
    texts = {"text", "thought", "thoughtSignature", "thought_signature"}
    goes_on = isinstance(last, dict) and set(found) <= texts and set(last) <= texts and "text" in last
    if isinstance(last, dict) and goes_on and bool(last.get("thought")) == bool(found.get("thought")):
        extend(last, "text", found.get("text"))
    else:
        parts.append(dict(found) if found else part)


def _interaction(items: Sequence[object]) -> Mapping[str, object] | None:
    """The steps of an interaction: thoughts, texts, calls of functions with their arguments."""
    steps: dict[int, dict[str, object]] = {}
    for item in map(mapping, items):
        delta = mapping(item.get("delta"))
        if item.get("event_type") == "step.start":
            steps[place_of(item)] = dict(mapping(item.get("step")))
        elif delta:
            step = steps.setdefault(place_of(item), {})
            extend(step, "text", delta.get("text", mapping(delta.get("content")).get("text")))
            extend(step, "arguments", delta.get("arguments"))
    parts: list[object] = []
    for step in in_order(steps):
        if step.get("type") == "thought" and "text" in step:
            parts.append({"text": step["text"], "thought": True})
        elif set(step) - {"type", "text"}:
            parts.append(step)
        elif "text" in step:
            parts.append({"text": step["text"]})
    return {"role": "model", "parts": parts} if parts else None


def _part(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:  # noqa: PLR0911 - one return a structure
    call = _either(item, "functionCall", "function_call")
    if isinstance(call, Mapping):
        # Gemini's other key beside the call is at most a signature; an OpenAI message has a role.
        if "role" in item:
            return None
        return [Message("assistant" if role == "user" else role, "", (tool_call(call.get("name"), _args(call)),))]
    answer = _either(item, "functionResponse", "function_response")
    if isinstance(answer, Mapping):
        response = answer.get("response", MISSING)
        return [Message("tool", result_text(response, read_nested))]
    blob = _either(item, "inlineData", "inline_data")
    if isinstance(blob, Mapping):
        return [Message(role, media(_mime(blob), string(_either(blob, "displayName", "display_name"))))]
    file = _either(item, "fileData", "file_data")
    if isinstance(file, Mapping):
        return [Message(role, media(_mime(file), _either(file, "fileUri", "file_uri")))]
    code = _either(item, "executableCode", "executable_code")
    if isinstance(code, Mapping):
        return [Message(role, "", (tool_call("executable_code", dict(code)),))]
    outcome = _either(item, "codeExecutionResult", "code_execution_result")
    if isinstance(outcome, Mapping):
        failed = "OK" not in string(outcome.get("outcome")).upper()
        return [Message("tool", result_text(outcome.get("output", MISSING), read_nested), is_error=failed)]
    text = item.get("text")
    if isinstance(text, str) and set(item) <= {"text", "thought", "thoughtSignature", "thought_signature"}:
        return [Message(THINKING if item.get("thought") is True else role, text)]
    return None


def _args(call: Mapping[str, object]) -> object:
    return call.get("args", call.get("arguments"))


def _mime(value: Mapping[str, object]) -> str:
    return string(_either(value, "mimeType", "mime_type")) or "application"


def _either(item: Mapping[str, object], camel: str, snake: str) -> object:
    return item.get(camel, item.get(snake, MISSING))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
