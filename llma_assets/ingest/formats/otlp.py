"""OTLP as JSON: what `otlp_json` exporters and the collector's file exporter write, one request a record.

Log records hold messages where instrumentations send content as events; they are joined to their spans.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any, Final

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats.draft import (
    Format,
    Outcome,
    Piece,
    Record,
    field,
    mapping,
    one,
    required_id,
    text_field,
    whole_number,
    with_users,
)
from llma_assets.ingest.formats.otel_span import Span, message_of_log, outcome_of, with_messages
from llma_assets.ingest.moments import micros

_RESOURCES: Final = ("resourceSpans", "resource_spans", "batches")
_SCOPES: Final = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_LOGS: Final = ("resourceLogs", "resource_logs")
_BASE64_IDS: Final = (24, 12)
_ERROR: Final = (2, "2", "STATUS_CODE_ERROR")


def recognises(record: Record) -> bool:
    """A request with spans, logs or metrics; the latter hold no event."""
    return any(isinstance(record.get(name), list) for name in (*_RESOURCES, *_LOGS, "resourceMetrics"))


def read(record: Record) -> Iterator[Outcome]:
    """The spans of a request, and the messages among its log records."""
    yield from with_users(_spans(record))
    yield from _messages(record)


def _messages(record: Record) -> Iterator[Piece]:
    for _, resource in _items(record, _LOGS, ""):
        for _, scope in _items(resource, ("scopeLogs", "scope_logs"), ""):
            for _, log in _items(scope, ("logRecords", "log_records"), ""):
                moment = field(log, "timeUnixNano", "time_unix_nano", "observedTimeUnixNano")
                piece = message_of_log(
                    _id(text_field(log, "traceId", "trace_id")),
                    _id(text_field(log, "spanId", "span_id")),
                    int(moment) // 1_000 if str(moment).isdigit() else 0,
                    text_field(log, "eventName", "event_name"),
                    _value(log.get("body")),
                    _attributes(log.get("attributes")),
                )
                if piece is not None:
                    yield piece


def _spans(record: Record) -> Iterator[Outcome]:
    for at, resource in _items(record, _RESOURCES, ""):
        sender = _attributes(mapping(resource.get("resource")).get("attributes"))
        for within, scope in _items(resource, _SCOPES, f"{at}."):
            for place, span in _items(scope, ("spans",), f"{within}."):
                yield one(span, place, lambda span, sender=sender: outcome_of(_span(span, sender)))  # type: ignore[misc]


def _items(record: Record, names: tuple[str, ...], prefix: str) -> Iterator[tuple[str, Any]]:
    """The objects of the first of some lists, with their place; what is no object is given as an empty one."""
    name = next((name for name in names if record.get(name) is not None), None)
    found = record[name] if name is not None else []
    for number, item in enumerate(found if isinstance(found, list) else [found]):
        yield f"{prefix}{name}[{number}]", item if isinstance(item, dict) else {}


def _span(span: Record, resource: dict[str, Any]) -> Span:
    status = mapping(span.get("status"))
    start = field(span, "startTimeUnixNano", "start_time_unix_nano")
    if start is None:
        raise LineError("missing_field", "startTimeUnixNano is missing")
    end = field(span, "endTimeUnixNano", "end_time_unix_nano")
    events = span.get("events")
    return Span(
        trace_id=_id(required_id(span, "traceId", "trace_id")),
        span_id=_id(required_id(span, "spanId", "span_id")),
        parent_id=_id(text_field(span, "parentSpanId", "parent_span_id")),
        name=text_field(span, "name"),
        start_us=micros(start, "startTimeUnixNano"),
        end_us=0 if end in (None, "0", 0) else micros(end, "endTimeUnixNano"),
        attributes=_attributes(span.get("attributes")),
        events=[
            (text_field(event, "name"), _attributes(event.get("attributes")))
            for event in (events if isinstance(events, list) else [])
            if isinstance(event, dict)
        ],
        is_error=status.get("code") in _ERROR,
        message=text_field(status, "message"),
        resource=resource,
    )


def _id(text: str) -> str:
    """An id in hexadecimal; some exporters write it in base64, as protobuf's own JSON does."""
    if len(text) in _BASE64_IDS and text.endswith("="):
        try:
            return b64decode(text, validate=True).hex()
        except (Base64Error, ValueError):
            return text
    return text.lower()


def _attributes(pairs: object) -> dict[str, Any]:
    if isinstance(pairs, dict):  # written by hand: names to values
        return pairs
    return {
        pair["key"]: _value(pair.get("value"))
        for pair in (pairs if isinstance(pairs, list) else [])
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def _value(value: object) -> Any:
    if not isinstance(value, dict):
        return value
    for kind, held in value.items():
        match kind:
            case "intValue" | "int_value":
                return _integer(held)
            case "arrayValue" | "array_value":
                items = held.get("values") if isinstance(held, dict) else None
                return [_value(item) for item in items] if isinstance(items, list) else []
            case "kvlistValue" | "kvlist_value":
                return _attributes(held.get("values") if isinstance(held, dict) else None)
            case _:
                return held
    return None


def _integer(held: object) -> object:
    """An integer, which JSON of protobuf writes as text."""
    if not isinstance(held, str):
        return held
    number = whole_number(held.removeprefix("-"))
    return held if number is None else -number if held.startswith("-") else number


FORMAT: Final = Format(
    "otlp",
    "OTLP JSON",
    recognises,
    read,
    (*_RESOURCES, *_SCOPES, "spans", "traceId", "spanId"),
    if_empty="metrics and other logs hold no spans; export the traces",
    tenant="service.name",
    kind="otel",
    finish=with_messages,
)
