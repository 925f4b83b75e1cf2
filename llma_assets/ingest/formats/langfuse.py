"""Langfuse: the public API, the export of the pages, and the blob storage export; observations, traces and scores."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from llma_assets.attribute_names import EMBEDDING, GENERATION, SPAN, TRACE
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    decoded,
    each,
    evaluation,
    field,
    filled,
    mapping,
    one,
    required_id,
    seconds,
    text_field,
    times,
)

_KINDS: Final = {"GENERATION": GENERATION, "EMBEDDING": EMBEDDING}
_TYPES: Final = frozenset(
    "SPAN EVENT GENERATION AGENT TOOL CHAIN RETRIEVER EVALUATOR EMBEDDING GUARDRAIL".split()  # noqa: SIM905
)
_STARTS, _ENDS = ("startTime", "start_time"), ("endTime", "end_time")


def recognises(record: Record) -> bool:
    """An observation, a trace, a score, or `{"trace": …, "observations": […]}`."""
    return _is_page(record) or _is_observation(record) or _is_score(record) or _is_trace(record)


def read(record: Record) -> Iterator[Outcome]:
    """The events of a record; observations that stand below their trace have its user and session."""
    if _is_page(record):
        yield from _whole_trace(mapping(record["trace"]), record)
    elif _is_score(record):
        yield one(record, "", lambda part: _score(part, {}))
    elif _is_observation(record) or not _is_trace(record):
        yield one(record, "", lambda part: _observation(part, {}))
    else:
        yield from _whole_trace(record, record)


def _is_page(record: Record) -> bool:
    return isinstance(record.get("trace"), Mapping) and isinstance(record.get("observations"), list)


def _is_observation(record: Record) -> bool:
    return (
        any(name in record for name in ("traceId", "trace_id"))
        and any(name in record for name in _STARTS)
        and text_field(record, "type") in _TYPES
    )


def _is_score(record: Record) -> bool:
    return "value" in record and "name" in record and any(name in record for name in ("dataType", "data_type"))


def _is_trace(record: Record) -> bool:
    known = ("userId", "user_id", "sessionId", "session_id", "bookmarked", "public", "projectId", "project_id")
    return "id" in record and "timestamp" in record and "event" not in record and any(name in record for name in known)


def _whole_trace(trace: Record, holder: Record) -> Iterator[Outcome]:
    observations = holder.get("observations")
    # Where the observations come in another file, they do not know the user: the trace's event must then be the first.
    ends = isinstance(observations, list)
    yield one(trace, "trace" if trace is not holder else "", lambda part: _trace(part, ends=ends))
    if isinstance(observations, list) and all(isinstance(each, Mapping) for each in observations):
        yield from each(observations, "observations", lambda part: _observation(part, trace))
    scores = field(trace, "scores") or field(holder, "scores")
    if isinstance(scores, list) and all(isinstance(each, Mapping) for each in scores):
        yield from each(scores, "scores", lambda part: _score(part, trace))


def _trace(trace: Record, *, ends: bool) -> Draft:
    identity = required_id(trace, "id")
    start_us, _ = times(trace, ("timestamp",), ())
    latency_s = seconds(trace.get("latency")) if ends else None
    return Draft(
        identity,
        identity,
        TRACE,
        start_us + int((latency_s or 0) * 1_000_000),
        text_field(trace, "userId", "user_id"),
        filled(
            {
                **_shared(trace),
                "$ai_trace_id": identity,
                "$ai_span_id": identity,
                "$ai_trace_name": text_field(trace, "name"),
                "$ai_session_id": text_field(trace, "sessionId", "session_id"),
                "$ai_latency": latency_s,
                "$ai_input_state": _said(trace.get("input")),
                "$ai_output_state": _said(trace.get("output")),
            }
        ),
        tenant=_project(trace),
    )


def _observation(part: Record, trace: Record) -> Draft:
    trace_id = required_id(part, "traceId", "trace_id")
    span_id = required_id(part, "id", "span_id")
    time_us, latency_s = times(part, _STARTS, _ENDS)
    kind = text_field(part, "type")
    event = TRACE if span_id == f"t-{trace_id}" else _KINDS.get(kind, SPAN)
    is_call = event in (GENERATION, EMBEDDING)
    usage = mapping(field(part, "usageDetails", "usage_details", "usage"))
    cost = mapping(field(part, "costDetails", "cost_details"))
    is_error = part.get("level") == "ERROR"
    parent = text_field(part, "parentObservationId", "parent_observation_id", "parent_span_id")
    return Draft(
        trace_id,
        span_id,
        event,
        time_us,
        text_field(part, "userId", "user_id") or text_field(trace, "userId", "user_id"),
        filled(
            {
                **_shared(part),
                "$ai_trace_id": trace_id,
                "$ai_span_id": span_id,
                "$ai_parent_id": parent or (None if event == TRACE else trace_id),
                "$ai_span_name": text_field(part, "name"),
                "$ai_trace_name": text_field(part, "traceName", "trace_name") or text_field(trace, "name"),
                "$ai_session_id": text_field(part, "sessionId", "session_id")
                or text_field(trace, "sessionId", "session_id"),
                "$ai_latency": latency_s,
                "$ai_is_error": True if is_error else None,
                "$ai_error": (text_field(part, "statusMessage", "status_message") or "error") if is_error else None,
                "$ai_model": text_field(part, "model", "providedModelName", "provided_model_name"),
                "$ai_model_parameters": mapping(field(part, "modelParameters", "model_parameters")),
                "$ai_input_tokens": usage.get("input") or field(part, "inputUsage", "promptTokens"),
                "$ai_output_tokens": usage.get("output") or field(part, "outputUsage", "completionTokens"),
                "$ai_cache_read_input_tokens": field(usage, "input_cached_tokens", "cache_read_input_tokens"),
                "$ai_total_cost_usd": field(part, "totalCost", "total_cost", "calculatedTotalCost")
                or cost.get("total"),
                "$ai_tools": mapping(field(part, "toolDefinitions", "tool_definitions")),
                "$ai_input" if is_call else "$ai_input_state": _said(part.get("input")),
                "$ai_output_choices" if is_call else "$ai_output_state": _said(part.get("output")),
            }
        ),
        tenant=_project(part) or _project(trace),
    )


def _score(score: Record, trace: Record) -> Draft:
    trace_id = required_id(score, "traceId", "trace_id", "sessionId", "session_id")
    identity = required_id(score, "id")
    time_us, _ = times(score, ("timestamp", "createdAt", "created_at"), ())
    return Draft(
        trace_id,
        identity,
        "$ai_evaluation",
        time_us,
        "",
        filled(
            {
                "$ai_trace_id": trace_id,
                "$ai_span_id": identity,
                "$ai_parent_id": text_field(score, "observationId", "observation_id") or trace_id,
                "$ai_evaluation_name": text_field(score, "name"),
                **evaluation(_result(score)),
                "$ai_evaluation_reasoning": text_field(score, "comment"),
                "langfuse.score.source": text_field(score, "source"),
            }
        ),
        tenant=_project(score) or _project(trace),
    )


def _project(record: Record) -> str:
    return text_field(record, "projectId", "project_id")


def _result(score: Record) -> object:
    """The value by its type; of a yes or no both 1 and a word are written."""
    kind, value = text_field(score, "dataType", "data_type"), score.get("value")
    said = field(score, "stringValue", "string_value")
    if kind == "BOOLEAN":
        return said == "True" if isinstance(said, str) else value in (1, True)
    return said if value is None or (kind == "CATEGORICAL" and said is not None) else value


def _shared(record: Record) -> dict[str, Any]:
    """What people filter by."""
    return {
        "langfuse.environment": text_field(record, "environment"),
        "langfuse.release": text_field(record, "release"),
        "langfuse.version": text_field(record, "version"),
        "langfuse.tags": record.get("tags"),
        "langfuse.metadata": {
            name: value
            for name, value in mapping(record.get("metadata")).items()
            if name not in ("attributes", "resourceAttributes", "scope")  # OpenTelemetry's, with the content once more
        },
    }


def _said(value: object) -> Any:
    """Content; the export of a trace's page encodes its JSON twice."""
    if isinstance(value, str) and value[:1] == '"':
        return decoded(value)
    return value


FORMAT: Final = Format(
    "langfuse",
    "Langfuse",
    recognises,
    read,
    ("id", "traceId", "trace_id", "type", "startTime", "start_time", "parentObservationId", "observations"),
    tenant="project_id",
)
