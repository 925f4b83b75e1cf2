"""Spans as JSON: what OpenTelemetry's SDKs print, and Phoenix's API, tables and DataFrames (OpenInference).

Annotations of Phoenix, which know a span alone, become evaluations of its trace.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    Waiting,
    decoded,
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
from llma_assets.ingest.formats.otel_span import Span, draft_of
from llma_assets.ingest.moments import micros

_PREFIX: Final = "attributes."
_COUNTS: Final = {
    "llm_token_count_prompt": "llm.token_count.prompt",
    "llm_token_count_completion": "llm.token_count.completion",
}
"""Columns of Phoenix's table that its attributes may lack."""


def recognises(record: Record) -> bool:
    """A span with its ids in `context`, or in columns named after it; an annotation of one."""
    if _is_annotation(record):
        return True
    context = record.get("context")
    has_ids = "context.trace_id" in record or (isinstance(context, Mapping) and "trace_id" in context)
    return has_ids and ("start_time" in record or "startTime" in record)


def read(record: Record) -> Iterator[Outcome]:
    """The event of a span, or of an annotation."""
    if _is_annotation(record):
        yield one(record, "", _annotation)
        return
    outcome = one(record, "", _draft)
    if isinstance(outcome, Draft):
        yield known_span(outcome.trace_id, outcome.span_id)
    yield outcome


def _is_annotation(record: Record) -> bool:
    has_result = "result" in record or "result.score" in record or "result.label" in record
    return "annotator_kind" in record and "span_id" in record and has_result


def _annotation(record: Record) -> Waiting:
    """An evaluation. A label is what was found, beside which its score stays as a property of its own."""
    span_id = _id(required_id(record, "span_id"))
    name = text_field(record, "annotation_name", "name") or "annotation"
    time_us, _ = times(record, ("created_at", "updated_at"), ())
    columns = {key.removeprefix("result."): held for key, held in record.items() if key.startswith("result.")}
    result = {**mapping(record.get("result")), **columns}
    label, score = text_field(result, "label"), field(result, "score")
    identity = ":".join(filter(None, (span_id, name, text_field(record, "id", "identifier"))))
    return of_span(
        Draft(
            "",
            identity,
            "$ai_evaluation",
            time_us,
            "",
            filled(
                {
                    "$ai_span_id": identity,
                    "$ai_parent_id": span_id,
                    "$ai_evaluation_name": name,
                    **(evaluation(label or score) if label or score is not None else {}),
                    "$ai_evaluation_reasoning": text_field(result, "explanation"),
                    "phoenix.score": score if label else None,
                    "phoenix.annotator_kind": text_field(record, "annotator_kind"),
                }
            ),
        ),
        span_id,
    )


def _draft(record: Record) -> Draft:
    context = mapping(record.get("context"))
    start, end = field(record, "start_time", "startTime"), field(record, "end_time", "endTime")
    if start is None:
        raise LineError("missing_field", "start_time is missing")
    status = mapping(record.get("status"))
    code = text_field(record, "status_code") or text_field(status, "status_code", "code")
    return draft_of(
        Span(
            trace_id=_id(required_id(context, "trace_id") if context else required_id(record, "context.trace_id")),
            span_id=_id(required_id(context, "span_id") if context else required_id(record, "context.span_id")),
            parent_id=_id(text_field(record, "parent_id", "parentId")),
            name=text_field(record, "name"),
            start_us=micros(start, "start_time"),
            end_us=0 if end is None else micros(end, "end_time"),
            attributes=_attributes(record),
            events=list(_events(record.get("events"))),
            is_error=code.upper().endswith("ERROR"),
            message=text_field(record, "status_message") or text_field(status, "description", "message"),
            resource=mapping(mapping(record.get("resource")).get("attributes")),
        )
    )


def _id(text: str) -> str:
    return text.removeprefix("0x").lower()


def _attributes(record: Record) -> dict[str, Any]:
    """Attributes of a span, and columns of a DataFrame that hold one each."""
    columns = {
        name.removeprefix(_PREFIX): decoded(value) if name.endswith(("_messages", ".tools")) else value
        for name, value in record.items()
        if name.startswith(_PREFIX) and value is not None
    }
    counts = {ours: record[name] for name, ours in _COUNTS.items() if record.get(name) is not None}
    kind = text_field(record, "span_kind")
    return {
        **counts,
        **({"openinference.span.kind": kind} if kind and kind != "UNKNOWN" else {}),
        **columns,
        **mapping(record.get("attributes")),
    }


def _events(events: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = decoded(events)
    for event in found if isinstance(found, list) else []:
        if isinstance(event, Mapping):
            yield text_field(event, "name"), mapping(event.get("attributes"))


FORMAT: Final = Format(
    "openinference",
    "OpenInference or Phoenix",
    recognises,
    read,
    (
        "context",
        "context.trace_id",
        "context.span_id",
        "span_kind",
        "parent_id",
        "start_time",
        "end_time",
        "attributes",
    ),
    tenant="service.name",
    kind="otel",
    finish=with_trace,
)
