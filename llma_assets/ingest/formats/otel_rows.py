"""Rows of `otel_traces` and `otel_logs`, the tables of the collector's ClickHouse exporter, as exports hold them."""

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
    mapping,
    one,
    required_id,
    text_field,
    whole_number,
)
from llma_assets.ingest.formats.otel_span import Span, message_of_log, outcome_of, with_messages
from llma_assets.ingest.moments import micros


def recognises(record: Record) -> bool:
    """A row with ids and attributes in the tables' own columns."""
    return "TraceId" in record and "SpanId" in record and ("SpanAttributes" in record or "LogAttributes" in record)


def read(record: Record) -> Iterator[Outcome]:
    """The event of a span, or the message that a log record holds."""
    if "LogAttributes" not in record:
        yield one(record, "", _outcome)
        return
    piece = message_of_log(
        text_field(record, "TraceId"),
        text_field(record, "SpanId"),
        micros(record["Timestamp"], "Timestamp") if record.get("Timestamp") is not None else 0,
        text_field(record, "EventName"),
        record.get("Body"),
        mapping(record.get("LogAttributes")),
    )
    if piece is not None:
        yield piece


def _outcome(row: Record) -> Draft | Waiting:
    if row.get("Timestamp") is None:
        raise LineError("missing_field", "Timestamp is missing")
    start_us = micros(row["Timestamp"], "Timestamp")
    duration_ns = whole_number(text_field(row, "Duration"))
    if duration_ns is None:
        raise LineError("wrong_type", "Duration must be a number of nanoseconds")
    return outcome_of(
        Span(
            trace_id=required_id(row, "TraceId"),
            span_id=required_id(row, "SpanId"),
            parent_id=text_field(row, "ParentSpanId"),
            name=text_field(row, "SpanName"),
            start_us=start_us,
            end_us=start_us + duration_ns // 1_000,
            attributes=mapping(row.get("SpanAttributes")),
            events=list(_events(row)),
            is_error=text_field(row, "StatusCode") in ("Error", "STATUS_CODE_ERROR"),
            message=text_field(row, "StatusMessage"),
            resource={
                **mapping(row.get("ResourceAttributes")),
                **({"service.name": row["ServiceName"]} if row.get("ServiceName") else {}),
            },
        )
    )


def _events(row: Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Events in columns of their own (`Events.Name`), or as a list of objects."""
    names, held = decoded(row.get("Events.Name")), decoded(row.get("Events.Attributes"))
    if isinstance(names, list):
        attributes = held if isinstance(held, list) else []
        for number, name in enumerate(names):
            yield str(name), mapping(attributes[number]) if number < len(attributes) else {}
        return
    listed = decoded(row.get("Events"))
    for event in listed if isinstance(listed, list) else []:
        if isinstance(event, Mapping):
            yield text_field(event, "Name", "name"), mapping(event.get("Attributes") or event.get("attributes"))


FORMAT: Final = Format(
    "otel-rows",
    "rows of otel_traces",
    recognises,
    read,
    ("TraceId", "SpanId", "ParentSpanId", "SpanName", "SpanAttributes", "Timestamp", "Duration", "StatusCode"),
    tenant="service.name",
    kind="otel",
    finish=with_messages,
)
