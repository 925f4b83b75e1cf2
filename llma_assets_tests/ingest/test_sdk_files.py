"""What the real OpenTelemetry SDK writes of the same spans is the same events: printed, as OTLP JSON, as protobuf."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
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
