"""Laminar: spans, as rows of its table or of its SQL and API exports.

Newer rows hold messages of calls by their hashes alone; rows of `deduped_content` and `llm_messages` have the texts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from llma_assets.attribute_names import GENERATION, SPAN
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Piece,
    Pieces,
    Record,
    Waiting,
    decoded,
    field,
    filled,
    mapping,
    one,
    required_id,
    text_field,
    times,
)

_CALLS: Final = ("1", "LLM", "8", "CACHED")
_HASHES: Final = ("content_hash", "contentHash", "message_hash", "messageHash")
_NONE: Final = ("00000000-0000-0000-0000-000000000000", "<null>")


def recognises(record: Record) -> bool:
    """A span with the type that only Laminar has; rows of PostHog's `ai_events` have one, too, beside an event."""
    return (
        any(name in record for name in ("span_id", "spanId"))
        and any(name in record for name in ("span_type", "spanType"))
        and "event" not in record
    ) or _is_content(record)


def read(record: Record) -> Iterator[Outcome]:
    """The event of a span, or a message under its hash."""
    if _is_content(record):
        project, found = text_field(record, "project_id", "projectId"), text_field(record, *_HASHES)
        yield Piece(f"{project}/{found.lower()}", 0, record["content"])
    else:
        yield one(record, "", _outcome)


def _is_content(record: Record) -> bool:
    return "content" in record and any(name in record for name in _HASHES)


def _outcome(span: Record) -> Draft | Waiting:
    draft = _draft(span)
    project = text_field(span, "project_id", "projectId")
    named = (("input_message_hashes", "inputMessageHashes"), ("output_message_hashes", "outputMessageHashes"))
    listed = [decoded(field(span, *names)) for names in named]
    hashes = [[f"{project}/{each}".lower() for each in some] if isinstance(some, list) else [] for some in listed]
    keys = tuple(dict.fromkeys(key for some in hashes for key in some))
    return Waiting(draft, keys, {"hashes": hashes}) if keys else draft


def _with_messages(draft: Draft, state: Record, found: Pieces) -> Draft:
    """The event with the messages of its hashes, in their order."""
    is_call = draft.event == GENERATION
    names = ("$ai_input", "$ai_output_choices") if is_call else ("$ai_input_state", "$ai_output_state")
    texts = [[str(found[key][0]) for key in keys if key in found] for keys in state["hashes"]]
    held = {name: f"[{','.join(some)}]" for name, some in zip(names, texts, strict=True) if some}
    return replace(draft, properties={**draft.properties, **held})


def _draft(span: Record) -> Draft:
    trace_id, identity = required_id(span, "trace_id", "traceId"), required_id(span, "span_id", "spanId")
    time_us, latency_s = times(span, ("start_time", "startTime"), ("end_time", "endTime"))
    event = GENERATION if text_field(span, "span_type", "spanType") in _CALLS else SPAN
    parent = text_field(span, "parent_span_id", "parentSpanId")
    attributes = mapping(span.get("attributes"))
    is_error = text_field(span, "status").lower() == "error"
    return Draft(
        trace_id,
        identity,
        event,
        time_us,
        _known(text_field(span, "user_id", "userId")),
        filled(
            {
                "$ai_trace_id": trace_id,
                "$ai_span_id": identity,
                "$ai_parent_id": _known(parent),
                "$ai_span_name": text_field(span, "name"),
                "$ai_session_id": _known(text_field(span, "session_id", "sessionId")),
                "$ai_latency": latency_s,
                "$ai_is_error": True if is_error else None,
                "$ai_error": _error(span, attributes) if is_error else None,
                "$ai_model": _known(text_field(span, "model", "response_model", "request_model", "responseModel")),
                "$ai_provider": _known(text_field(span, "provider")),
                "$ai_input_tokens": field(span, "input_tokens", "inputTokens"),
                "$ai_output_tokens": field(span, "output_tokens", "outputTokens"),
                "$ai_total_cost_usd": field(span, "total_cost", "totalCost"),
                "laminar.tags": field(span, "tags_array", "tags"),
                "laminar.metadata": mapping(field(span, "trace_metadata", "metadata")),
                "$ai_input" if event == GENERATION else "$ai_input_state": span.get("input"),
                "$ai_output_choices" if event == GENERATION else "$ai_output_state": span.get("output"),
            }
        ),
        tenant=text_field(span, "project_id", "projectId"),
    )


def _error(span: Record, attributes: Record) -> str:
    """What an event `exception` of the span says, or its attributes."""
    events = decoded(span.get("events"))
    found: Record = mapping(attributes.get("exception"))
    for event in events if isinstance(events, list) else []:
        if isinstance(event, list) and len(event) == 3:  # a tuple of ClickHouse: time, name, attributes
            event = {"name": event[1], "attributes": event[2]}  # noqa: PLW2901
        if isinstance(event, Mapping) and event.get("name") == "exception":
            found = mapping(event.get("attributes"))
            break
    kind = text_field(found, "exception.type", "type")
    message = text_field(found, "exception.message", "message")
    return f"{kind}: {message}" if kind and message else kind or message or "error"


def _known(text: str) -> str:
    return "" if text in _NONE else text


FORMAT: Final = Format(
    "laminar",
    "Laminar",
    recognises,
    read,
    ("span_id", "spanId", "span_type", "spanType", "trace_id", "traceId", "input_tokens", "path"),
    tenant="project_id",
    finish=_with_messages,
)
