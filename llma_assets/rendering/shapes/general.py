"""Single messages, calls and results of frameworks that nobody named: told by what their keys mean.

The last shape before containers. What a message says beside its words and what is no bookkeeping is shown, too.
"""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.jsontext import compact_json, parse_container
from llma_assets.rendering.message import THINKING, Message, known_role, merged
from llma_assets.rendering.shapes.inner import MISSING, Inner, arguments_of, mapping, result_text, string, tool_call
from llma_assets.rendering.shapes.openai_chat import calls_of, thoughts
from llma_assets.rendering.shapes.speaking import (
    CONTENT_KEYS,
    SPEAKER_KEYS,
    canonical,
    first_of,
    speaker_of,
    speaks,
)

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


def read(item: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:
    """Read a message, a call with or without its result, or a result.

    `{"speaker": "user", "utterance": "…"}`, `{"tool": "f", "tool_input": {}}`, `{"tool_call_id": "1", "output": "…"}`
    """
    plain = canonical(item)
    if plain != item and "type" in plain and plain.get("type") != item.get("type"):
        return inner(plain, role)
    speaker = speaker_of(plain)
    for key in ("payload", "item", "raw_item", "body"):
        nested = plain.get(key)
        if isinstance(nested, Mapping) and ("type" in plain or speaker) and _is_message(nested, speaker):
            return inner(nested, speaker or role)
    attributes = plain.get("attributes")
    if isinstance(attributes, Mapping) and string(plain.get("name")).startswith("gen_ai."):
        return _span_event(string(plain["name"]), attributes, role, inner)
    alone = _role_as_key(plain, inner)
    if alone is not None:
        return alone
    return _call(plain, inner) or _message(plain, inner) or _result(plain, inner)


def _is_message(value: Mapping[str, object], speaker: str) -> bool:
    return speaks(value, 1) or "content" in value or (speaker != "" and "text" in value)


def _role_as_key(item: Mapping[str, object], inner: Inner) -> list[Message] | None:
    if len(item) != 1:
        return None
    (key, value), *_ = item.items()
    speaker = known_role(key) if isinstance(key, str) else ""
    return inner(value, speaker) if speaker and isinstance(value, str) and value else None


def _span_event(name: str, attributes: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:
    """An event of a span as OpenTelemetry's earlier conventions had it: the words are attributes."""
    speaker = known_role(name) or ("assistant" if name.endswith("completion") else role)
    found = next((attributes[k] for k in ("content", "message", "gen_ai.prompt", "gen_ai.completion", "tool_calls")
                  if k in attributes), None)  # fmt: skip
    parsed = parse_container(found) if isinstance(found, str) else found
    return inner(parsed if speaks(parsed) else found, speaker) or None


def _call(item: Mapping[str, object], inner: Inner) -> list[Message] | None:
    """A call, and its result where that stands beside it."""
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
    messages = [Message(THINKING, text) for text in thoughts(item)]
    thought = string(item.get("thought"))
    if thought:
        messages.append(Message(THINKING, thought))
    messages.append(Message("assistant", "", (tool_call(item[name], arguments),)))
    result = next((key for key in RESULTS if key in item and key not in {name, given}), "")
    if result:
        failed = item.get("is_error") is True or bool(mapping(item[result]).get("is_error"))
        messages.append(Message("tool", _result_of(item[result], inner), is_error=failed))
    return messages


def _is_arguments(value: object) -> bool:
    """Whether `value` is what a tool was given, and not the schema of what it takes."""
    if isinstance(value, str):
        value = arguments_of(value)
        return isinstance(value, str | Mapping)
    if isinstance(value, Mapping):
        return not (value.get("type") == "object" and "properties" in value)
    return value is None


def _result_of(value: object, inner: Inner) -> str:
    for key in ("blocks", "content"):
        nested = mapping(value).get(key)
        if isinstance(nested, list) and nested:
            return "\n".join(message.text for message in inner(nested, "tool"))
    return result_text(value, inner)


def _message(item: Mapping[str, object], inner: Inner) -> list[Message] | None:
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
    messages = [Message(THINKING, text) for text in thoughts(item) if speaker != THINKING]
    key = first_of(item, (*CONTENT_KEYS, "reasoning") if speaker == THINKING else CONTENT_KEYS)
    calls = calls_of(item)
    results = item.get("tool_results", item.get("results") if calls else None)
    results = results if isinstance(results, list) else None
    if speaker == "tool" and key not in {"parts", "items", "contents", "blocks"}:
        found = first_of(item, (*CONTENT_KEYS, *RESULTS))
        return [Message("tool", _result_of(item.get(found, MISSING) if found else MISSING, inner))]
    if key:
        called = _written_call(item[key]) if speaker == "assistant" else None
        messages.extend(inner(item[key] if called is None else called, speaker))
    elif not calls and not results and not messages:
        return None
    invocations = item.get("tool_invocations")
    for call in invocations if isinstance(invocations, list) else []:
        messages[:0] = inner(call, "assistant")
    if calls:
        messages.append(Message("assistant" if speaker == "tool" else speaker, "", calls))
    for result in results or []:
        messages.extend(_result(canonical(mapping(result)), inner) or [Message("tool", compact_json(result))])
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
        *SPEAKER_KEYS,
        *_BOOKKEEPING,
    }
    rest = {name: value for name, value in item.items() if name not in used and value not in (None, "", [], {}, False)}
    found_messages = merged(messages)
    return [*found_messages, Message("state", compact_json(rest))] if rest and found_messages else found_messages


def _written_call(content: object) -> object:
    """A call that was written down as JSON in the place of words, or None."""
    parsed = parse_container(content) if isinstance(content, str) and content.startswith("{") else None
    is_call = isinstance(parsed, Mapping) and set(parsed) in ({"name", "arguments"}, {"name", "parameters"})
    return (
        {"function_call": {"name": parsed["name"], "arguments": next(v for k, v in parsed.items() if k != "name")}}
        if (is_call and isinstance(parsed, Mapping))
        else None
    )


def _result(item: Mapping[str, object], inner: Inner) -> list[Message] | None:
    """What a tool gave back, told by the id of its call, by `result_value`, or by the call inside it."""
    if isinstance(item.get("call"), Mapping) and isinstance(item.get("outputs"), list):
        return [*inner(item["call"], "assistant"), Message("tool", compact_json(item["outputs"]))]
    known = any(key in item for key in _CALL_IDS) or "result_value" in item or "tool_return" in item
    found = next((key for key in RESULTS if key in item), "")
    if not known or not found:
        return None
    failed = item.get("is_error") is True or string(item.get("status")).lower() in {"error", "failed"}
    return [Message("tool", _result_of(item[found], inner), is_error=failed)]
