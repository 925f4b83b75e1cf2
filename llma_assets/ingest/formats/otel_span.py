"""A span of OpenTelemetry as an event: whatever conventions its attributes follow (`attribute_names`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from llma_assets.attribute_names import (
    ALIASES,
    EVENTS_ATTRIBUTE,
    INPUT_EVENTS,
    INPUTS,
    OUTPUT_EVENTS,
    OUTPUTS,
    RESPONSE_CONTENT,
    SPAN,
    SYSTEM_INSTRUCTIONS,
    USERS,
    first_of,
    kind_of,
)
from llma_assets.ingest.formats.draft import Draft, Piece, Pieces, Waiting, decoded, filled, text_field

_WHOLE: Final = frozenset(name for name in (*INPUTS, *OUTPUTS, SYSTEM_INSTRUCTIONS) if not name.endswith("."))
_CONTENT: Final = _WHOLE | {EVENTS_ATTRIBUTE, *RESPONSE_CONTENT, "input.mime_type", "output.mime_type"}
_CONTENT_BELOW: Final = tuple(
    name for name in (*INPUTS, *OUTPUTS, *ALIASES["$ai_tools"]) if name.endswith(".") and name != "ai.response."
)
_DETAILS: Final = "gen_ai.client.inference.operation.details"
_OF_THE_PROCESS: Final = ("telemetry.", "process.", "host.", "os.")
_FLATTENED: Final = ("llm.input_messages", "llm.output_messages", "llm.tools", "gen_ai.prompt", "gen_ai.completion")
"""Lists below these names become numbered attributes, as OpenInference and OpenLLMetry write them on the wire."""


@dataclass(frozen=True, slots=True)
class Span:
    """One span.

    Attributes:
        trace_id: hexadecimal, as `span_id` and `parent_id`; the parent of a root is "".
        end_us: end in microseconds since 1970, as `start_us`; 0 while it is not over.
        attributes: names to values, nested or flat.
        events: names and attributes of its events.
        message: of its status.
        resource: attributes of what sent it.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_us: int
    end_us: int
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()
    is_error: bool = False
    message: str = ""
    resource: Mapping[str, Any] | None = None


def outcome_of(span: Span) -> Draft | Waiting:
    """The event that a span is; it waits for log records if it should have messages and lacks them."""
    draft = draft_of(span)
    held = draft.properties
    asks = draft.event != SPAN or "gen_ai.operation.name" in span.attributes
    said = any(name in held for name in ("$ai_input", "$ai_input_state"))
    answered = any(name in held for name in ("$ai_output_choices", "$ai_output_state"))
    if not asks or (said and answered):
        return draft
    return Waiting(
        draft, (_key(span.trace_id, span.span_id),), {each.name: getattr(span, each.name) for each in fields(Span)}
    )


def message_of_log(
    trace_id: str, span_id: str, time_us: int, name: str, body: object, attributes: Mapping[str, Any]
) -> Piece | None:
    """The message of a call that a log record holds (`EVENT_ONLY` of the instrumentations); None if it holds none.

    Args:
        name: of the event; "" if an attribute or the body says it.
    """
    body = decoded(body)
    name = name or text_field(attributes, "event.name") or (body if isinstance(body, str) else "")
    if not span_id or name not in (*INPUT_EVENTS, *OUTPUT_EVENTS):
        return None
    if isinstance(body, Mapping) and body:
        held = {**attributes, **body} if name == _DETAILS else {**body}
    else:
        held = {**attributes, **({"body": body} if body and body != name else {})}
    return Piece(_key(trace_id, span_id), time_us, [name, held])


def with_messages(draft: Draft, state: Mapping[str, Any], found: Pieces) -> Draft:
    """The event of a span and of its log records; the user may be known from another span of its trace."""
    events = [(name, held) for each in found.values() for name, held in each]
    made = draft_of(Span(**{**state, "events": [*map(tuple, state["events"]), *events]}))
    return made if made.user else replace(made, user=draft.user)


def _key(trace_id: str, span_id: str) -> str:
    return f"{trace_id}/{span_id}"


def draft_of(span: Span) -> Draft:
    """The event that a span is."""
    attributes = dict(_flat(span.attributes))
    for name, held in span.events:
        if name == _DETAILS:
            attributes = {**held, **attributes}
    event = kind_of(attributes)
    said, answered = _content(attributes, span.events)
    is_call = event != SPAN
    exception: Mapping[str, Any] = next((held for name, held in span.events if name == "exception"), {})
    is_error = span.is_error or bool(exception)
    found = {name: first_of(attributes, names) for name, names in ALIASES.items()}
    found["$ai_tools"] = _tools(found["$ai_tools"])
    found["$ai_stop_reason"] = _joined(found["$ai_stop_reason"])
    properties = filled(
        {
            **{key: value for key, value in (span.resource or {}).items() if not key.startswith(_OF_THE_PROCESS)},
            **{key: value for key, value in attributes.items() if not _is_content(key)},
            **{name: attributes.get(name, value) for name, value in found.items()},
            "$ai_trace_id": span.trace_id,
            "$ai_span_id": span.span_id,
            "$ai_parent_id": span.parent_id,
            "$ai_span_name": found["$ai_span_name"] or span.name,
            "$ai_latency": max(0, span.end_us - span.start_us) / 1e6 if span.end_us and span.start_us else None,
            "$ai_is_error": True if is_error else None,
            "$ai_error": _error(span, attributes, exception) if is_error else None,
            "$ai_input" if is_call else "$ai_input_state": said,
            "$ai_output_choices" if is_call else "$ai_output_state": answered,
        }
    )
    user = first_of(attributes, USERS)
    return Draft(
        span.trace_id,
        span.span_id,
        event,
        span.end_us or span.start_us,
        user if isinstance(user, str) else "",
        properties,
        tenant=text_field(span.resource or {}, "service.name"),
    )


def _tools(value: object) -> object:
    """Definitions of tools as a list; some conventions number them.

    >>> _tools({"llm.request.functions.0.name": "refund", "llm.request.functions.0.description": "Gives money back."})
    [{'name': 'refund', 'description': 'Gives money back.'}]
    >>> _tools({"llm.tools.0.tool.json_schema": "{}"})
    ['{}']
    """
    if not isinstance(value, Mapping):
        return value
    numbered: dict[str, dict[str, Any]] = {}
    for name, held in value.items():
        prefix = next((each for each in ALIASES["$ai_tools"] if each.endswith(".") and name.startswith(each)), "")
        number, _, key = name.removeprefix(prefix).partition(".")
        numbered.setdefault(number, {})[key] = held
    return [each.get("tool.json_schema", each) for each in numbered.values()]


def _joined(reasons: object) -> object:
    """The reasons of several choices as one text."""
    listed = decoded(reasons)
    return ", ".join(dict.fromkeys(map(str, listed))) if isinstance(listed, list) else listed


def _error(span: Span, attributes: Mapping[str, Any], exception: Mapping[str, Any]) -> str:
    kind, message = text_field(exception, "exception.type"), text_field(exception, "exception.message")
    told = f"{kind}: {message}" if kind and message else kind or message
    return span.message or told or text_field(attributes, "error.message", "error.type")


def _content(attributes: Mapping[str, Any], events: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Any, Any]:
    """What went in and what came out."""
    held: list[Mapping[str, Any]] = [{**values, "event.name": name} for name, values in events if name != _DETAILS]
    logged = decoded(attributes.get(EVENTS_ATTRIBUTE))
    if isinstance(logged, list):
        held += [each for each in logged if isinstance(each, Mapping)]
    into = [each for each in held if each.get("event.name") in INPUT_EVENTS]
    out = [each for each in held if each.get("event.name") in OUTPUT_EVENTS]
    answer = {name: attributes[name] for name in RESPONSE_CONTENT if attributes.get(name)}
    outputs = {key: value for key, value in attributes.items() if not key.startswith("ai.response.")}
    return (
        _with_system(attributes) or first_of(attributes, INPUTS) or into,
        first_of(outputs, OUTPUTS) or (_vercel_answer(answer) if answer else None) or out,
    )


def _vercel_answer(answer: Mapping[str, Any]) -> Any:
    """Text and tool calls of an answer as one message."""
    calls = decoded(answer.get("ai.response.toolCalls"))
    parts = [
        *(
            [{"type": "reasoning", "text": answer["ai.response.reasoning"]}]
            if "ai.response.reasoning" in answer
            else []
        ),
        *([{"type": "text", "text": answer["ai.response.text"]}] if "ai.response.text" in answer else []),
        *(
            [{"type": "tool-call", **call} for call in calls if isinstance(call, Mapping)]
            if isinstance(calls, list)
            else []
        ),
    ]
    return [{"role": "assistant", "content": parts}] if parts else answer.get("ai.response.object")


def _with_system(attributes: Mapping[str, Any]) -> Any:
    """The messages of the current conventions, after the instructions, which may stand beside them."""
    messages = attributes.get("gen_ai.input.messages")
    system = decoded(attributes.get(SYSTEM_INSTRUCTIONS))
    if not system:
        return messages
    parts = system if isinstance(system, list) else [{"type": "text", "content": system}]
    first = {"role": "system", "parts": parts}
    listed = decoded(messages) or []
    if not isinstance(listed, list):
        return [first, {"role": "user", "content": listed}]
    begins = listed[0] if listed and isinstance(listed[0], Mapping) else {}
    return messages if begins.get("role") == "system" else [first, *listed]


def _is_content(name: str) -> bool:
    return name in _CONTENT or name.startswith(_CONTENT_BELOW)


def _flat(attributes: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested attributes under their dotted names."""
    for key, value in attributes.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and name not in _WHOLE:
            yield from _flat(value, f"{name}.")
        elif (
            isinstance(value, list) and name.startswith(_FLATTENED) and any(isinstance(each, Mapping) for each in value)
        ):
            yield from _flat({str(number): each for number, each in enumerate(value)}, f"{name}.")
        else:
            yield name, value
