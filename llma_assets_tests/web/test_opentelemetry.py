"""The real OpenTelemetry SDK, and the instrumentation of a real client, send a conversation that is then rendered."""

from collections.abc import Iterator

import pytest
from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

from llma_assets.clickhouse import Database
from llma_assets.rendering import render_trace
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer
from llma_assets.web import Access, Site, token_hash
from llma_assets.web.access import Entry
from llma_assets_tests.web.serving import serving

TOKENS = Access(
    entries=(Entry(name="shop", sha256=token_hash("secret"), teams=[4], rights="change"),),
    is_open=False,
)


@pytest.fixture
def provider(settings: Settings, database: Database) -> Iterator[TracerProvider]:
    """A tracer whose spans go to a server of ours, by protobuf and gzip."""
    site = Site(settings, TOKENS)
    site.opened = database
    with serving(site) as address:
        exporter = OTLPSpanExporter(
            f"{address}/v1/traces", headers={"authorization": "Bearer secret"}, compression=Compression.Gzip
        )
        made = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        made.add_span_processor(BatchSpanProcessor(exporter))
        yield made
        made.shutdown()


def text_of_the_trace(database: Database) -> str:
    rows = database.rows("SELECT uuid, event, timestamp, properties FROM events WHERE team_id = 4")
    return render_trace(rows).text


def test_spans_of_the_sdk_are_found_rendered(provider: TracerProvider, database: Database) -> None:
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent", "user.id": "ann"}):
        with tracer.start_as_current_span("chat") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.prompt.0.role": "user",
                    "gen_ai.prompt.0.content": "Please refund order 1042.",
                    "gen_ai.completion.0.role": "assistant",
                    "gen_ai.completion.0.content": "I refunded it.",
                }
            )
        with tracer.start_as_current_span("execute_tool", attributes={"gen_ai.tool.name": "refund"}) as span:
            span.record_exception(KeyError("1042"))
            span.set_status(Status(StatusCode.ERROR))
    assert provider.force_flush()
    text = text_of_the_trace(database)
    assert "Please refund order 1042." in text
    assert "I refunded it." in text
    assert "KeyError" in text
    assert database.value("SELECT groupUniqArray(distinct_id) FROM events WHERE team_id = 4") == ["ann"]


def test_a_conversation_of_the_openai_client_is_found_rendered(provider: TracerProvider, database: Database) -> None:
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with ChatServer(answer=lambda _: "I refunded order 1042.") as server:
            OpenAI(base_url=server.url, api_key="any").chat.completions.create(
                model="gpt-4.1",
                messages=[
                    {"role": "system", "content": "You help customers."},
                    {"role": "user", "content": "Please refund order 1042."},
                ],
            )
    finally:
        instrumentor.uninstrument()
    assert provider.force_flush()
    text = text_of_the_trace(database)
    assert "[GEN] ChatCompletion" in text
    for said in ("You help customers.", "Please refund order 1042.", "I refunded order 1042."):
        assert said in text
    assert database.value("SELECT count() FROM events WHERE team_id = 4 AND event = '$ai_generation'") == 1
