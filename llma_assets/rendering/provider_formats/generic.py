"""Single messages, tool calls and results of frameworks without a module of their own, recognised by their keys.

Tried last before `containers`. Fields of a message other than its text are shown unless they are bookkeeping.
"""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.json_text import compact_json, parse_container
from llma_assets.rendering.message import THINKING, Message, known_role, merged
from llma_assets.rendering.provider_formats.detection import (
    CONTENT_KEYS,
    SPEAKER_KEYS,
    canonical,
    first_of,
    holds_messages,
    speaker_of,
)
from llma_assets.rendering.provider_formats.nested import (
    MISSING,
    ReadNested,
    arguments_of,
    mapping,
    result_text,
    string,
    tool_call,
)
from llma_assets.rendering.provider_formats.openai_chat import calls_of, reasoning_texts
from llma_assets.rendering.provider_formats.settings import says_something

ORDER: Final = 80

_CALL_NAMES: Final = ("tool_name", "function_name", "tool", "action", "name")
_ARGUMENTS: Final = (
    "arguments", "args", "tool_input", "tool_args", "tool_kwargs", "action_input", "params_as_json", "parameters",
    "raw_input", "input",
)  # fmt: skip
RESULTS: Final = (
    "tool_response", "tool_return", "tool_output", "tool_result", "result_value", "observation", "observations",
    "result", "output", "response", "content",
)  # fmt: skip
_CALL_IDS: Final = ("tool_call_id", "call_id", "tool_use_id")
_BOOKKEEPING: Final = {
    "id", "type", "kind", "name", "timestamp", "time", "created_at", "created", "date", "index", "uuid", "metadata",
    "meta", "models_usage", "usage", "invocation_id", "status", "state", "object", "message_id", "time_in_call_secs",
    "is_error", "run_id", "session_id", "thread_id", "run_step_id", "conversation_id", "channel_id", "locale",
    "gen_ai.message.index", "attributes", "finish_reason", "stop_reason", "raw", "request_id", "duration", "end_time",
    "recipient", "agent",
}  # fmt: skip


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read a message, a call with or without its result, or a result.

    `{"speaker": "user", "utterance": "…"}`, `{"tool": "f", "tool_input": {}}`, `{"tool_call_id": "1", "output": "…"}`
    """
    plain = canonical(item)
    if plain != item and "type" in plain and plain.get("type") != item.get("type"):
        return read_nested(plain, role)
    speaker = speaker_of(plain)
    for key in ("payload", "item", "raw_item", "body"):
        nested = plain.get(key)
        if isinstance(nested, Mapping) and ("type" in plain or speaker) and _is_message(nested, speaker):
            return read_nested(nested, speaker or role)
    attributes = plain.get("attributes")
    if isinstance(attributes, Mapping) and string(plain.get("name")).startswith("gen_ai."):
        return _span_event(string(plain["name"]), attributes, role, read_nested)
    alone = _role_as_key(plain, read_nested)
    if alone is not None:
        return alone
    return _call(plain, read_nested) or _message(plain, read_nested) or _result(plain, read_nested)


def _is_message(value: Mapping[str, object], speaker: str) -> bool:
    return holds_messages(value, 1) or "content" in value or (speaker != "" and "text" in value)


def _role_as_key(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    if len(item) != 1:
        return None
    (key, value), *_ = item.items()
    speaker = known_role(key) if isinstance(key, str) else ""
    return read_nested(value, speaker) if speaker and isinstance(value, str) and value else None


def _span_event(
    name: str, attributes: Mapping[str, object], role: str, read_nested: ReadNested
) -> list[Message] | None:
    """A span event of OpenTelemetry's earlier conventions, whose content is in the attributes."""
    speaker = known_role(name) or ("assistant" if name.endswith("completion") else role)
    found = next((attributes[k] for k in ("content", "message", "gen_ai.prompt", "gen_ai.completion", "tool_calls")
                  if k in attributes), None)  # fmt: skip
    parsed = parse_container(found) if isinstance(found, str) else found
    return read_nested(parsed if holds_messages(parsed) else found, speaker) or None


def _call(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    """A tool call, with its result if the same object holds it."""
    name = next((key for key in _CALL_NAMES if isinstance(item.get(key), str) and item[key]), "")
    given = next((key for key in _ARGUMENTS if key in item and key != name), "")
    if not name or not given or "role" in item:
        return None
    is_plain = name in {"name", "action"} and given in {"input", "parameters"}
    if is_plain or not _is_arguments(item[given]):
        return None
    arguments = arguments_of(item[given])
    if given == "raw_input" and set(mapping(arguments)) == {"kwargs"}:
        arguments = mapping(arguments)["kwargs"]
    messages = [Message(THINKING, text) for text in reasoning_texts(item)]
    if log := string(item.get("log")).strip():
        messages.append(Message(THINKING, log))
    messages.append(Message("assistant", "", (tool_call(item[name], arguments),)))
    result = next((key for key in RESULTS if key in item and key not in {name, given}), "")
    if result:
        failed = item.get("is_error") is True or bool(mapping(item[result]).get("is_error"))
        messages.append(Message("tool", _result_of(item[result], read_nested), is_error=failed))
    return messages


def _is_arguments(value: object) -> bool:
    """Whether `value` is the arguments of a call, and not the schema of a tool's parameters."""
    if isinstance(value, str):
        value = arguments_of(value)
        return isinstance(value, str | Mapping)
    if isinstance(value, Mapping):
        return not (value.get("type") == "object" and "properties" in value)
    return value is None


def _result_of(value: object, read_nested: ReadNested) -> str:
    for key in ("blocks", "content"):
        nested = mapping(value).get(key)
        if isinstance(nested, list) and nested:
            return "\n".join(message.text for message in read_nested(nested, "tool"))
    return result_text(value, read_nested)


def _message(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    speaker = speaker_of(item)
    kind = string(item.get("type"))
    if not speaker and isinstance(item.get("source"), str) and kind.endswith(("Message", "Event")):
        speaker = "assistant"  # an agent's own name
    if not speaker and isinstance(item.get("role"), str) and "content" not in item:
        speaker = string(item["role"]).lower()[:400] if calls_of(item) else ""
    if not speaker:
        return None
    if kind == "ThoughtEvent" or item.get("message_type") == "reasoning_message":
        speaker = THINKING
    messages = [Message(THINKING, text) for text in reasoning_texts(item) if speaker != THINKING]
    key = first_of(item, (*CONTENT_KEYS, "reasoning") if speaker == THINKING else CONTENT_KEYS)
    calls = calls_of(item)
    results = item.get("tool_results", item.get("results") if calls else None)
    results = results if isinstance(results, list) else None
    if speaker == "tool" and key not in {"parts", "items", "contents", "blocks"}:
        found = first_of(item, (*CONTENT_KEYS, *RESULTS))
        return [Message("tool", _result_of(item.get(found, MISSING) if found else MISSING, read_nested))]
    if key:
        called = _written_call(item[key]) if speaker == "assistant" else None
        messages.extend(read_nested(item[key] if called is None else called, speaker))
    elif not calls and not results and not messages:
        return None
    invocations = item.get("tool_invocations")
    for call in invocations if isinstance(invocations, list) else []:
        messages[:0] = read_nested(call, "assistant")
    if calls:
        messages.append(Message("assistant" if speaker == "tool" else speaker, "", calls))
    for result in results or []:
        messages.extend(_result(canonical(mapping(result)), read_nested) or [Message("tool", compact_json(result))])
    used = {
        key,
        "role",
        "tool_calls",
        "tool_call",
        "function_call",
        "tool_results",
        "results",
        "tool_invocations",
        "reasoning",
        "thought",
        *SPEAKER_KEYS,
        *_BOOKKEEPING,
    }
    rest = {
        name: value
        for name, value in item.items()
        if value not in (None, "", [], {}, False)
        and (name not in used or (name in {"metadata", "meta"} and says_something(value)))
    }
    found_messages = merged(messages)
    return [*found_messages, Message("state", compact_json(rest))] if rest and found_messages else found_messages


def _written_call(content: object) -> object:
    """A tool call that the content spells out as JSON, or None."""
    parsed = parse_container(content) if isinstance(content, str) and content.startswith("{") else None
    is_call = isinstance(parsed, Mapping) and set(parsed) in ({"name", "arguments"}, {"name", "parameters"})
    return (
        {"function_call": {"name": parsed["name"], "arguments": next(v for k, v in parsed.items() if k != "name")}}
        if (is_call and isinstance(parsed, Mapping))
        else None
    )


def _result(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    """A tool's result, recognised by the id of its call, by `result_value`, or by the call inside it."""
    if isinstance(item.get("call"), Mapping) and isinstance(item.get("outputs"), list):
        return [*read_nested(item["call"], "assistant"), Message("tool", compact_json(item["outputs"]))]
    known = any(key in item for key in _CALL_IDS) or "result_value" in item or "tool_return" in item
    found = next((key for key in RESULTS if key in item), "")
    if not known or not found:
        return None
    failed = item.get("is_error") is True or string(item.get("status")).lower() in {"error", "failed"}
    return [Message("tool", _result_of(item[found], read_nested), is_error=failed)]
