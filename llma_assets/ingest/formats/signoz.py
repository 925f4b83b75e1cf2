"""SigNoz: rows of `signoz_index_v3`, spans of OpenTelemetry whose attributes are in three maps by type."""

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
    field,
    mapping,
    one,
    required_id,
    text_field,
    whole_number,
)
from llma_assets.ingest.formats.otel_span import Span, outcome_of, with_messages
from llma_assets.ingest.moments import micros


def recognises(record: Record) -> bool:
    """A row with the map of texts that only SigNoz has."""
    return "trace_id" in record and "span_id" in record and "attributes_string" in record


def read(record: Record) -> Iterator[Outcome]:
    """The event of a row."""
    yield one(record, "", _outcome)


def _outcome(row: Record) -> Draft | Waiting:
    moment = field(row, "timestamp")
    if moment is None:
        raise LineError("missing_field", "timestamp is missing")
    duration_ns = whole_number(text_field(row, "duration_nano"))
    if duration_ns is None:
        raise LineError("wrong_type", "duration_nano must be a number of nanoseconds")
    start_us = micros(moment, "timestamp")
    return outcome_of(
        Span(
            trace_id=required_id(row, "trace_id"),
            span_id=required_id(row, "span_id"),
            parent_id=text_field(row, "parent_span_id"),
            name=text_field(row, "name"),
            start_us=start_us,
            end_us=start_us + duration_ns // 1_000,
            attributes=_attributes(row),
            events=list(_events(row)),
            is_error=text_field(row, "status_code_string") == "Error" or row.get("has_error") in (True, 1),
            message=text_field(row, "status_message"),
            resource=mapping(row.get("resources_string")),
        )
    )


def _attributes(row: Record) -> dict[str, Any]:
    """The attributes of all types; whole numbers as such, which the table holds as floating-point numbers."""
    numbers = mapping(row.get("attributes_number"))
    return {
        **{
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in numbers.items()
        },
        **mapping(row.get("attributes_bool")),
        **mapping(row.get("attributes_string")),
    }


def _events(row: Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Events, which the table holds as JSON, each by itself."""
    listed = decoded(row.get("events"))
    for each in listed if isinstance(listed, list) else []:
        event = mapping(each)
        if event:
            yield text_field(event, "name"), mapping(event.get("attributeMap"))


FORMAT: Final = Format(
    "signoz",
    "SigNoz",
    recognises,
    read,
    ("trace_id", "span_id", "attributes_string", "attributes_number", "resources_string", "duration_nano", "has_error"),
    tenant="service.name",
    finish=with_messages,
)
