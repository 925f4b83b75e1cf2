"""Opik: traces and spans, alone or as `{"trace": …, "spans": […]}`, with their feedback scores; rows of its tables."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from llma_assets.attribute_names import GENERATION, SPAN, TRACE
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    Waiting,
    decoded,
    each,
    evaluation,
    field,
    filled,
    known_span,
    mapping,
    of_span,
    one,
    required_id,
    text_field,
    times,
    with_trace,
)

_TYPES: Final = frozenset({"unknown", "general", "tool", "llm", "guardrail"})
_OWN: Final = (
    "last_updated_at",
    "created_at",
    "thread_id",
    "error_info",
    "project_id",
    "feedback_scores",
    "workspace_id",
)


def recognises(record: Record) -> bool:
    """A trace or span of it, or both, or a row of `feedback_scores`."""
    return _is_whole(record) or _is_span(record) or _is_trace(record) or _is_score(record)


def read(record: Record) -> Iterator[Outcome]:
    """The events of a record."""
    if _is_whole(record):
        trace = mapping(record["trace"])
        yield from _with_scores(trace, "trace", _trace)
        for number, span in enumerate(record["spans"]):
            yield from _with_scores(span, f"spans[{number}]", lambda part: _span(part, trace))
    elif _is_score(record):
        yield one(record, "", _row_of_score)
    elif _is_span(record):
        yield known_span(text_field(record, "trace_id"), text_field(record, "id"))
        yield from _with_scores(record, "", lambda part: _span(part, {}))
    else:
        yield from _with_scores(record, "", _trace)


def _is_whole(record: Record) -> bool:
    return isinstance(record.get("trace"), Mapping) and isinstance(record.get("spans"), list)


def _is_span(record: Record) -> bool:
    return "trace_id" in record and "start_time" in record and text_field(record, "type") in _TYPES


def _is_trace(record: Record) -> bool:
    has_times = "id" in record and "start_time" in record
    return has_times and "trace_id" not in record and "run_type" not in record and any(each in record for each in _OWN)


def _is_score(record: Record) -> bool:
    return "entity_id" in record and "entity_type" in record


def _with_scores(part: Any, place: str, read_part: Any) -> Iterator[Outcome]:
    outcome = one(part, place, read_part)
    yield outcome
    scores = decoded(part.get("feedback_scores")) if isinstance(part, Mapping) else None
    if isinstance(outcome, Draft) and isinstance(scores, list):
        yield from each(scores, f"{place}.feedback_scores".lstrip("."), lambda score: _score(score, outcome))


def _trace(trace: Record) -> Draft:
    identity = required_id(trace, "id")
    time_us, latency_s = times(trace, ("start_time",), ("end_time",))
    return Draft(
        identity,
        identity,
        TRACE,
        time_us,
        text_field(mapping(trace.get("metadata")), "user_id", "userId"),
        filled(
            {
                **_shared(trace, latency_s),
                "$ai_trace_id": identity,
                "$ai_span_id": identity,
                "$ai_trace_name": text_field(trace, "name"),
                "$ai_session_id": text_field(trace, "thread_id"),
                "$ai_input_state": trace.get("input"),
                "$ai_output_state": trace.get("output"),
            }
        ),
        tenant=text_field(trace, "project_id"),
    )


def _span(span: Record, trace: Record) -> Draft:
    trace_id = required_id(span, "trace_id") if "trace_id" in span or not trace else required_id(trace, "id")
    identity = required_id(span, "id")
    time_us, latency_s = times(span, ("start_time",), ("end_time",))
    event = GENERATION if span.get("type") == "llm" else SPAN
    usage = mapping(span.get("usage"))
    return Draft(
        trace_id,
        identity,
        event,
        time_us,
        text_field(mapping(trace.get("metadata")), "user_id", "userId"),
        filled(
            {
                **_shared(span, latency_s),
                "$ai_trace_id": trace_id,
                "$ai_span_id": identity,
                "$ai_parent_id": text_field(span, "parent_span_id") or trace_id,
                "$ai_span_name": text_field(span, "name"),
                "$ai_session_id": text_field(trace, "thread_id"),
                "$ai_model": text_field(span, "model"),
                "$ai_provider": text_field(span, "provider"),
                "$ai_input_tokens": usage.get("prompt_tokens"),
                "$ai_output_tokens": usage.get("completion_tokens"),
                "$ai_total_cost_usd": field(span, "total_estimated_cost", "total_cost"),
                "$ai_input" if event == GENERATION else "$ai_input_state": span.get("input"),
                "$ai_output_choices" if event == GENERATION else "$ai_output_state": span.get("output"),
            }
        ),
        tenant=text_field(span, "project_id") or text_field(trace, "project_id"),
    )


def _shared(part: Record, latency_s: float | None) -> dict[str, Any]:
    error = mapping(part.get("error_info"))
    kind, message = text_field(error, "exception_type"), text_field(error, "message")
    return {
        "$ai_latency": latency_s,
        "$ai_is_error": True if error else None,
        "$ai_error": f"{kind}: {message}" if kind and message else kind or message,
        "opik.tags": decoded(part.get("tags")),
        "opik.metadata": mapping(part.get("metadata")),
    }


def _row_of_score(score: Record) -> Draft | Waiting:
    entity = required_id(score, "entity_id")
    is_trace = text_field(score, "entity_type") == "trace"
    time_us, _ = times(score, ("created_at", "last_updated_at"), ())
    trace_id = entity if is_trace else ""
    draft = _score(score, Draft(trace_id, entity, "", time_us, "", {}, tenant=text_field(score, "project_id")))
    return draft if is_trace else of_span(draft, entity)


def _score(score: Record, of: Draft) -> Draft:
    name = required_id(score, "name")
    return Draft(
        of.trace_id,
        f"{of.span_id}:{name}",
        "$ai_evaluation",
        of.time_us,
        of.user,
        filled(
            {
                "$ai_trace_id": of.trace_id,
                "$ai_span_id": f"{of.span_id}:{name}",
                "$ai_parent_id": of.span_id,
                "$ai_evaluation_name": name,
                **evaluation(_result(score)),
                "$ai_evaluation_reasoning": text_field(score, "reason"),
            }
        ),
        tenant=of.tenant,
    )


def _result(score: Record) -> object:
    """A category, else a number, which exports may write as text."""
    value = field(score, "category_name") or score.get("value")
    try:
        return float(value) if isinstance(value, str) and not field(score, "category_name") else value
    except ValueError:
        return value


FORMAT: Final = Format(
    "opik",
    "Opik",
    recognises,
    read,
    ("trace_id", "parent_span_id", "start_time", "end_time", "type", "usage", "feedback_scores", "thread_id"),
    tenant="project_id",
    finish=with_trace,
)
