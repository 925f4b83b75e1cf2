"""MLflow: traces as JSON (`Trace.to_json`), and rows of `search_traces`; their spans have OpenTelemetry's ids."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any, Final

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats.draft import (
    Draft,
    Fault,
    Format,
    Outcome,
    Record,
    decoded,
    each,
    field,
    mapping,
    required_id,
    text_field,
)
from llma_assets.ingest.formats.otel_span import Span, draft_of
from llma_assets.ingest.moments import micros

_PREFIX: Final = "mlflow."
_OF_THE_TRACE: Final = ("mlflow.trace.session", "mlflow.trace.user", "mlflow.traceName")
_STARTS: Final = ("start_time_unix_nano", "start_time", "start_time_ns")
_ENDS: Final = ("end_time_unix_nano", "end_time", "end_time_ns")


def recognises(record: Record) -> bool:
    """A trace: its spans beside what is known of it."""
    return (isinstance(record.get("info"), Mapping) and "data" in record) or (
        "spans" in record and any(name in record for name in ("trace_metadata", "request_metadata"))
    )


def read(record: Record) -> Iterator[Outcome]:
    """The spans of a trace; session, user and name of the trace stand on each."""
    info = mapping(record.get("info")) or record
    spans = decoded(mapping(record.get("data")).get("spans", record.get("spans")))
    if spans is None:
        yield Fault(LineError("missing_field", "data.spans is missing"), record)
        return
    shared = {
        **mapping(field(info, "tags")),
        **mapping(field(info, "trace_metadata", "request_metadata")),
    }
    named: dict[str, Any] = {name: shared[name] for name in _OF_THE_TRACE if name in shared}
    identity = text_field(info, "trace_id", "request_id").removeprefix("tr-").rpartition("/")[2]
    yield from each(
        [decoded(span) for span in spans] if isinstance(spans, list) else spans,
        "data.spans",
        lambda span: _draft(span, named, identity),
    )


def _draft(span: Record, shared: Mapping[str, Any], trace_id: str) -> Draft:
    context = mapping(span.get("context"))
    start, end = field(span, *_STARTS), field(span, *_ENDS)
    if start is None:
        raise LineError("missing_field", "start_time_unix_nano is missing")
    status, events = mapping(span.get("status")), span.get("events")
    code = text_field(span, "status_code") or text_field(status, "code")
    attributes = {name: _value(value) for name, value in mapping(span.get("attributes")).items()}
    usage, cost = mapping(attributes.get("mlflow.chat.tokenUsage")), mapping(attributes.get("mlflow.llm.cost"))
    own = {
        "gen_ai.usage.input_tokens": usage.get("input_tokens"),
        "gen_ai.usage.output_tokens": usage.get("output_tokens"),
        "gen_ai.usage.cost": cost.get("total_cost"),
    }
    found = trace_id or text_field(context, "trace_id") or required_id(span, "trace_id")
    return draft_of(
        Span(
            trace_id=_id(found.removeprefix("tr-")),
            span_id=_id(text_field(context, "span_id") or required_id(span, "span_id")),
            parent_id=_id(text_field(span, "parent_span_id", "parent_id")),
            name=text_field(span, "name"),
            start_us=micros(start, "start_time_unix_nano"),
            end_us=0 if end is None else micros(end, "end_time_unix_nano"),
            attributes={**shared, **own, **{name: value for name, value in attributes.items() if _is_shown(name)}},
            events=[
                (text_field(event, "name"), mapping(event.get("attributes")))
                for event in (events if isinstance(events, list) else [])
                if isinstance(event, Mapping)
            ],
            is_error=code.upper().endswith("ERROR"),
            message=text_field(span, "status_message") or text_field(status, "message", "description"),
        )
    )


def _is_shown(name: str) -> bool:
    """Whether an attribute is the user's, or one that says something here."""
    return not name.startswith(_PREFIX) or name in {
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "mlflow.spanType",
        "mlflow.chat.tools",
        "mlflow.llm.model",
        "mlflow.llm.provider",
    }


def _value(value: object) -> Any:
    """Attributes are written as JSON, strings as well."""
    return decoded(value)


def _id(text: str) -> str:
    """An id in hexadecimal; newer versions write it in base64."""
    if text.endswith("="):
        try:
            return b64decode(text, validate=True).hex()
        except (Base64Error, ValueError):
            return text
    return text.removeprefix("0x")


FORMAT: Final = Format(
    "mlflow", "MLflow", recognises, read, ("info", "data", "spans", "trace_metadata", "request_metadata", "trace_id")
)
