"""Write spans into the tables of each tool, as the tool would."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.sources import Source
from llma_assets_tests.sources import stores
from llma_assets_tests.sources.spans import Span

TABLES = Path(__file__).parent / "tables"
Write = Callable[[Database, Iterable[Span]], None]


@dataclass(frozen=True)
class Tool:
    """A kind of source in one of its shapes.

    Attributes:
        ddl: file of tables.
        has_versions: a span that is sent again replaces the first, also on another day.
        user: who is known to have done it.
        numbered: tenants are team numbers.
    """

    name: str
    kind: str
    ddl: str
    table: str
    write: Write
    others: dict[str, str] = field(default_factory=dict)
    has_versions: bool = False
    user: str = "ann"
    numbered: bool = False

    def source(self, store: Database) -> Source:
        others = {name: f"{store.name}.{table}" for name, table in self.others.items()}
        return Source(self.name, self.kind, f"{store.name}.{self.table}", others=others)

    def create(self, store: Database) -> None:
        for statement in (TABLES / f"{self.ddl}.sql").read_text().replace("__db__", f"`{store.name}`").split(";\n"):
            if statement.strip():
                store.execute(statement)


def _semconv(span: Span, *, content: bool) -> dict[str, str]:
    operation = {"llm": "chat", "tool": "execute_tool", "agent": "invoke_agent", "embedding": "embeddings"}[span.kind]
    attributes = {"gen_ai.operation.name": operation, "gen_ai.conversation.id": span.session, "user.id": span.user}
    if span.kind == "llm":
        attributes |= {
            "gen_ai.request.model": span.model,
            "gen_ai.usage.input_tokens": str(span.tokens[0]),
            "gen_ai.usage.output_tokens": str(span.tokens[1]),
            "llm.cost.total": str(span.cost),
        }
        if content:
            attributes |= {
                "gen_ai.input.messages": json.dumps(
                    [{"role": "user", "parts": [{"type": "text", "content": span.said}]}]
                ),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": span.answered}]}]
                ),
            }
    if span.kind == "tool":
        attributes |= {"gen_ai.tool.name": span.name, "gen_ai.tool.call.arguments": span.said}
    return attributes


def _otel_row(span: Span, attributes: dict[str, str], events: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    if span.error:
        events = [*events, ("exception", {"exception.type": "ServiceError", "exception.message": span.error})]
    return {
        "Timestamp": span.start,
        "TraceId": span.trace_id,
        "SpanId": span.span_id,
        "ParentSpanId": span.parent_id,
        "SpanName": span.name,
        "ServiceName": span.tenant,
        "ResourceAttributes": {"deployment.environment": "production", "process.pid": "7"},
        "SpanAttributes": attributes,
        "Duration": int(span.seconds * 1e9),
        "StatusCode": "Error" if span.error else "Unset",
        "Events.Timestamp": [span.start for _ in events],
        "Events.Name": [name for name, _ in events],
        "Events.Attributes": [held for _, held in events],
    }


def write_otel(store: Database, spans: Iterable[Span]) -> None:
    store.insert_rows("otel_traces", [_otel_row(span, _semconv(span, content=True), []) for span in spans])


def write_otel_events(store: Database, spans: Iterable[Span]) -> None:
    """Messages in events of the span, as older instrumentations have them."""
    rows = []
    for span in spans:
        events = []
        if span.kind == "llm":
            events = [
                ("gen_ai.user.message", {"content": span.said}),
                (
                    "gen_ai.choice",
                    {"index": "0", "message": json.dumps({"role": "assistant", "content": span.answered})},
                ),
            ]
        rows.append(_otel_row(span, _semconv(span, content=False), events))
    store.insert_rows("otel_traces", rows)


def write_otel_logs(store: Database, spans: Iterable[Span]) -> None:
    """Messages in log records: EVENT_ONLY."""
    spans = list(spans)
    store.insert_rows("otel_traces", [_otel_row(span, _semconv(span, content=False), []) for span in spans])
    logs = []
    for span in spans:
        if span.kind != "llm":
            continue
        for name, body in (
            ("gen_ai.user.message", {"role": "user", "content": span.said}),
            ("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": span.answered}}),
        ):
            logs.append(
                {
                    "Timestamp": span.end,
                    "TraceId": span.trace_id,
                    "SpanId": span.span_id,
                    "ServiceName": span.tenant,
                    "Body": json.dumps(body),
                    "LogAttributes": {"event.name": name, "gen_ai.system": "openai"},
                }
            )
    store.insert_rows("otel_logs", logs)


def write_otel_details(store: Database, spans: Iterable[Span]) -> None:
    """Messages in one event, as the newest conventions have them, in log records."""
    spans = list(spans)
    store.insert_rows("otel_traces", [_otel_row(span, _semconv(span, content=False), []) for span in spans])
    store.insert_rows(
        "otel_logs",
        [
            {
                "Timestamp": span.end,
                "TraceId": span.trace_id,
                "SpanId": span.span_id,
                "ServiceName": span.tenant,
                "Body": "",
                "LogAttributes": {
                    "event.name": "gen_ai.client.inference.operation.details",
                    **{k: v for k, v in _semconv(span, content=True).items() if k.endswith(".messages")},
                },
            }
            for span in spans
            if span.kind == "llm"
        ],
    )


OTEL = [
    Tool("otel", "otel", "otel", "otel_traces", write_otel),
    Tool("otel-events", "otel", "otel", "otel_traces", write_otel_events),
    Tool("otel-logs", "otel", "otel", "otel_traces", write_otel_logs, {"logs": "otel_logs"}),
    Tool("otel-details", "otel", "otel", "otel_traces", write_otel_details, {"logs": "otel_logs"}),
]


def _write_signoz(store: Database, spans: Iterable[Span]) -> None:
    stores.write_signoz(store, spans, lambda span: _semconv(span, content=True))


TOOLS = [
    *OTEL,
    Tool("signoz", "signoz", "signoz", "distributed_signoz_index_v3", _write_signoz),
    Tool("langfuse", "langfuse", "langfuse", "observations", stores.write_langfuse, has_versions=True),
    Tool("langfuse4", "langfuse", "langfuse4", "events_full", stores.write_langfuse4, has_versions=True),
    Tool("posthog", "posthog", "posthog", "events", stores.write_posthog, numbered=True),
    Tool("posthog-ai", "posthog", "posthog", "ai_events", stores.write_posthog_ai, numbered=True),
    Tool("laminar", "laminar", "laminar", "spans", stores.write_laminar),
    Tool("opik", "opik", "opik", "spans", stores.write_opik, has_versions=True, user="session-1"),
]
