"""OTLP as protobuf: a request, or what the collector's file exporter writes, requests with their length before them.

A file is cut into its `ResourceSpans`, so that memory holds one of them.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from llma_assets.ingest.decompression import DamagedSource
from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats.draft import Draft, Format, Outcome, Piece, Waiting, each_of, with_users
from llma_assets.ingest.formats.otel_span import Span, message_of_log, outcome_of, with_messages
from llma_assets.ingest.frames import LENGTH_BYTES, ByteReader

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

_FIELD_1: Final = 0x0A
"""The byte before the first field of a message, if it is a message, too."""

_INSIDE_RESOURCE_SPANS: Final = (0x0A, 0x12, 0x1A)
_ERROR: Final = 2


def begins(head: bytes) -> bool:
    """Whether content begins as a request in protobuf does, with or without its length before it.

    >>> begins(b'\\n{"a": 1}'), begins(bytes.fromhex("0a100a0c"))
    (False, True)
    """
    return _begins(head) or (head[:1] == b"\0" and _begins(head[LENGTH_BYTES:]))


def _begins(head: bytes) -> bool:
    if head[:1] != bytes([_FIELD_1]):
        return False
    try:
        length, at = _varint(head, 1)
    except IndexError:
        return False
    return length > 0 and head[at : at + 1] in [bytes([tag]) for tag in _INSIDE_RESOURCE_SPANS] and not _is_blank(head)


def _is_blank(head: bytes) -> bool:
    """Whether it is rather text that begins with an empty line."""
    return head.lstrip()[:1] in (b"{", b"[") and b'"' in head


def resource_spans(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """The messages `ResourceSpans` of a file.

    Raises:
        DamagedSource: the file is truncated, or is something else; the messages before that have been yielded.
    """
    reader = ByteReader(chunks)
    framed = reader.peek(1) == b"\0"
    while reader.peek(1):
        if framed:
            reader.take(LENGTH_BYTES)  # the fields of requests that follow each other are those of one request
        yield from _fields(reader, max_bytes, framed)


def _fields(reader: ByteReader, max_bytes: int, framed: bool) -> Iterator[bytes]:
    while (tag := reader.peek(1)) and not (framed and tag == b"\0"):
        if tag != bytes([_FIELD_1]):
            raise DamagedSource("it is no OTLP protobuf of traces (ExportTraceServiceRequest)")
        reader.take(1)
        length = _length(reader)
        if length > max_bytes:
            raise DamagedSource(f"a ResourceSpans of {length:,} bytes is more than the limit of {max_bytes:,}")
        yield reader.take(length)


def _length(reader: ByteReader) -> int:
    """A number as protobuf writes lengths."""
    try:
        value, at = _varint(reader.peek(10), 0)
    except IndexError:
        raise DamagedSource("the protobuf file is truncated") from None
    reader.take(at)
    return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and the index after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def recognises(record: object) -> bool:
    """Never of an object: the bytes of a file tell, see `begins`."""
    return isinstance(record, bytes)


def read(record: Any) -> Iterator[Outcome]:
    """The spans of the bytes of a `ResourceSpans`.

    Raises:
        LineError: they are not one.
    """
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

    if not isinstance(record, bytes):
        raise LineError("wrong_type", "OTLP protobuf is binary; of JSON the format is otlp")
    try:
        message = ResourceSpans.FromString(record)
    except DecodeError:
        # Ids of log records stand where spans have attributes, and their bodies where spans have a name.
        yield from _messages(record, LineError("broken_protobuf", "it is no ResourceSpans of OTLP"))
        return
    if _is_of_logs(message):
        yield from _messages(record, LineError("missing_field", "traceId is missing"))
        return
    yield from with_users(spans_of(message))


def _is_of_logs(message: "ResourceSpans") -> bool:
    """Whether it is rather `ResourceLogs`: as that, the first field of what would be a span is a time, not an id."""
    spans = [span for scope in message.scope_spans for span in scope.spans]
    return bool(spans) and not any(span.trace_id for span in spans)


def _messages(record: bytes, otherwise: LineError) -> Iterator[Piece]:
    """The messages of calls among the log records of a `ResourceLogs`.

    Args:
        otherwise: is raised where it is none.
    """
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs

    try:
        message = ResourceLogs.FromString(record)
    except DecodeError:
        raise otherwise from None
    logs = [log for scope in message.scope_logs for log in scope.log_records]
    if not any(log.time_unix_nano or log.observed_time_unix_nano for log in logs):
        raise otherwise
    for log in logs:
        piece = message_of_log(
            log.trace_id.hex(),
            log.span_id.hex(),
            (log.time_unix_nano or log.observed_time_unix_nano) // 1_000,
            log.event_name,
            _value(log.body),
            _attributes(log.attributes),
        )
        if piece is not None:
            yield piece


def spans_of(message: "ResourceSpans", place: str = "") -> Iterator[Outcome]:
    """The events of a message; the spans are told by their place."""
    sender = _attributes(message.resource.attributes)
    for number, scope in enumerate(message.scope_spans):

        def draft(span: "SpanMessage") -> Draft | Waiting:
            return outcome_of(_span(span, sender))

        yield from each_of(scope.spans, f"{place}scopeSpans[{number}].spans", draft)


def _span(span: "SpanMessage", resource: Mapping[str, Any]) -> Span:
    for name, held in (("traceId", span.trace_id), ("spanId", span.span_id)):
        if not held.strip(b"\0"):
            raise LineError("missing_field", f"{name} is missing")
    if not span.start_time_unix_nano:
        raise LineError("missing_field", "startTimeUnixNano is missing")
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        start_us=span.start_time_unix_nano // 1_000,
        end_us=span.end_time_unix_nano // 1_000,
        attributes=_attributes(span.attributes),
        events=[(event.name, _attributes(event.attributes)) for event in span.events],
        is_error=span.status.code == _ERROR,
        message=span.status.message,
        resource=resource,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: "AnyValue") -> Any:
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case _:
            return getattr(value, kind)


FORMAT: Final = Format(
    "otlp-protobuf", "OTLP protobuf", recognises, read, (), tenant="service.name", kind="otel", finish=with_messages
)
