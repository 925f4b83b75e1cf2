"""Laminar: spans, as rows of its table or of its SQL and API exports."""

from collections.abc import Iterator
from typing import Final

from llma_assets.attribute_names import GENERATION, SPAN
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
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
_NONE: Final = ("00000000-0000-0000-0000-000000000000", "<null>")


def recognises(record: Record) -> bool:
    """A span with the type that only Laminar has."""
    return any(name in record for name in ("span_id", "spanId")) and any(
        name in record for name in ("span_type", "spanType")
    )


def read(record: Record) -> Iterator[Outcome]:
    """The event of a span."""
    yield one(record, "", _draft)


def _draft(span: Record) -> Draft:
    trace_id, identity = required_id(span, "trace_id", "traceId"), required_id(span, "span_id", "spanId")
    time_us, latency_s = times(span, ("start_time", "startTime"), ("end_time", "endTime"))
    event = GENERATION if text_field(span, "span_type", "spanType") in _CALLS else SPAN
    parent = text_field(span, "parent_span_id", "parentSpanId")
    attributes = mapping(span.get("attributes"))
    is_error = text_field(span, "status").lower() == "error"
    exception = mapping(attributes.get("exception"))
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
                "$ai_error": (text_field(exception, "message") or "error") if is_error else None,
                "$ai_model": _known(text_field(span, "model", "response_model", "request_model", "responseModel")),
                "$ai_provider": _known(text_field(span, "provider")),
                "$ai_input_tokens": field(span, "input_tokens", "inputTokens"),
                "$ai_output_tokens": field(span, "output_tokens", "outputTokens"),
                "$ai_total_cost_usd": field(span, "total_cost", "totalCost"),
                "laminar.tags": field(span, "tags_array", "tags"),
                "laminar.metadata": mapping(field(span, "trace_metadata", "metadata")),
                "$ai_input" if event == GENERATION else "$ai_input_state": decoded(span.get("input")),
                "$ai_output_choices" if event == GENERATION else "$ai_output_state": decoded(span.get("output")),
            }
        ),
    )


def _known(text: str) -> str:
    return "" if text in _NONE else text


FORMAT: Final = Format(
    "laminar",
    "Laminar",
    recognises,
    read,
    ("span_id", "spanId", "span_type", "spanType", "trace_id", "traceId", "input_tokens", "path"),
)
