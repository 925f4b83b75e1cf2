"""What the real OpenTelemetry SDK writes of the same spans is the same events: printed, as OTLP JSON, as protobuf."""

import json
import time
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llma_assets_tests.ingest.test_formats import converted


@pytest.fixture(scope="module")
def spans() -> tuple[ReadableSpan, ...]:
    """A conversation with a tool that fails, by OpenInference's conventions."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    attributes = {"openinference.span.kind": "AGENT", "user.id": "ann", "session.id": "s-1"}
    with tracer.start_as_current_span("agent", attributes=attributes):
        with tracer.start_as_current_span("chat") as span:
            span.set_attributes(
                {
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "gpt-4o",
                    "llm.input_messages.0.message.role": "user",
                    "llm.input_messages.0.message.content": "Please refund order 1042.",
                    "llm.output_messages.0.message.role": "assistant",
                    "llm.output_messages.0.message.content": "I refunded it.",
                    "llm.token_count.prompt": 20,
                    "llm.cost.total": 0.25,
                    "tag.tags": ["eu", "beta"],
                }
            )
        with (
            pytest.raises(KeyError),
            tracer.start_as_current_span("refund", attributes={"openinference.span.kind": "TOOL"}),
        ):
            raise KeyError("1042")
    return exporter.get_finished_spans()


def events(content: bytes, name: str) -> list[tuple[Any, ...]]:
    converter, found = converted(BytesIO(content), latest=datetime.max.replace(tzinfo=UTC))
    assert converter.name == name
    return [(e.uuid, e.event, e.distinct_id, e.timestamp_us, orjson.loads(e.properties)) for e in found]


def test_protobuf_and_json_hold_the_same_events(spans: tuple[ReadableSpan, ...]) -> None:
    request = encode_spans(spans)
    found = events(request.SerializeToString(), "otlp-protobuf")
    assert [event for _, event, *_ in found] == ["$ai_generation", "$ai_span", "$ai_span"]
    assert {user for _, _, user, *_ in found} == {"ann"}
    assert found[1][4]["$ai_error"] == "KeyError: '1042'"
    # MessageToDict writes ids in base64, as some exporters do.
    assert events(json.dumps(MessageToDict(request)).encode(), "otlp") == found
    assert events(json.dumps(MessageToDict(request), indent=2).encode(), "otlp") == found


def test_what_the_console_exporter_prints_holds_the_same_events(spans: tuple[ReadableSpan, ...]) -> None:
    wanted = events(encode_spans(spans).SerializeToString(), "otlp-protobuf")
    printed = events("\n".join(span.to_json() for span in spans).encode(), "openinference")
    assert [each[:2] for each in printed] == [each[:2] for each in wanted]
    for (*_, time_us, mine), (*_, wanted_us, theirs) in zip(printed, wanted, strict=True):
        assert abs(time_us - wanted_us) <= 1
        for properties in (mine, theirs):
            properties.pop("$ai_latency")
        assert mine == theirs


def test_messages_that_the_sdk_sends_as_log_records_are_found_in_protobuf() -> None:
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}
    for number in range(20):  # ids and long bodies that would be read as something else
        with tracers.get_tracer("shop").start_as_current_span("chat", attributes=attributes):
            body = {"content": f"Please refund order {number}. {'Again: please! ' * 20 * (number % 2)}"}
            loggers.get_logger("shop").emit(
                LogRecord(timestamp=time.time_ns(), event_name="gen_ai.user.message", body=body)
            )
    parts = (encode_spans(spans.get_finished_spans()), encode_logs(logs.get_finished_logs()))
    found = events(b"".join(part.SerializeToString() for part in parts), "otlp-protobuf")
    asked = sorted(str(each[4]["$ai_input"]) for each in found)
    assert len(asked) == 20
    assert all(any(f"Please refund order {number}." in each for each in asked) for number in range(20))
