"""Write spans into the tables of each tool, as the tool would."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.sources import Source
from llma_assets_tests.sources import stores
from llma_assets_tests.sources.spans import Span, identity

TABLES = Path(__file__).parent / "tables"
HASHES = (
    "* REPLACE (arrayMap(h -> lower(hex(h)), input_message_hashes) AS input_message_hashes, "
    "arrayMap(h -> lower(hex(h)), output_message_hashes) AS output_message_hashes, '' AS tool_definitions_hash)"
)
CONTENT_COLUMNS = {"deduped_content": "* REPLACE (lower(hex(content_hash)) AS content_hash)"}
TABLES_WITH_ROWS = "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'"
Write = Callable[[Database, Iterable[Span]], None]


@dataclass(frozen=True)
class Tool:
    """A kind of source in one of its shapes.

    Attributes:
        ddl: file of tables.
        has_versions: a span that is sent again replaces the first, also on another day.
        user: who is known to have done it.
        numbered: tenants are team numbers.
        exports: further tables that an export of the tool has.
        hex_ids: trace ids are 32 hexadecimal digits, as OpenTelemetry has them.
        repaired_version: of a span that was repaired: tools that tell versions apart raise it.
        columns: what an export selects instead of binary columns.
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
    exports: tuple[str, ...] = ()
    columns: str = "*"
    hex_ids: bool = False
    repaired_version: int = 1

    def trace(self, name: str) -> str:
        """The id of the trace that `spans.refund` calls so, as the tool stores it."""
        return identity(name).replace("-", "") if self.hex_ids else identity(name)

    def source(self, store: Database) -> Source:
        others = {name: f"{store.name}.{table}" for name, table in self.others.items()}
        return Source(self.name, self.kind, f"{store.name}.{self.table}", others=others)

    def create(self, store: Database) -> None:
        for statement in (TABLES / f"{self.ddl}.sql").read_text().replace("__db__", f"`{store.name}`").split(";\n"):
            if statement.strip():
                store.execute(statement)

    def empty(self, store: Database) -> None:
        """Remove all rows, so that the tool's tables can be written anew."""
        for table in store.rows(TABLES_WITH_ROWS, database=store.name):
            store.execute("TRUNCATE TABLE {table:Identifier}", table=table["name"])

    def export(self, store: Database) -> bytes:
        """All rows of the tool's tables as lines of JSON, as `FORMAT JSONEachRow` writes them."""
        lines: list[str] = []
        for table in (self.table, *self.exports):
            columns = self.columns if table == self.table else CONTENT_COLUMNS.get(table, "*")
            lines += [
                row["line"] for row in store.rows(f"SELECT formatRow('JSONEachRow', {columns}) AS line FROM {table}")
            ]
        return "".join(lines).encode()


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
        if content and (span.messages or span.answer):
            attributes |= {
                "gen_ai.input.messages": span.asked
                if isinstance(span.asked, str)
                else json.dumps(
                    [{"role": "user", "parts": [{"type": "text", "content": span.said}]}]
                    if span.asked is None
                    else span.asked
                ),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": span.answered}]}]
                ),
            }
    if span.kind == "tool":
        attributes |= {"gen_ai.tool.name": span.name, "gen_ai.tool.call.arguments": span.said}
        attributes |= {"gen_ai.tool.call.result": span.answered} if span.answered else {}
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


def _turns(span: Span) -> Iterator[tuple[str, str]]:
    """Roles and texts of the messages of a call, for conventions that have an event a message."""
    for message in span.messages if isinstance(span.messages, list) else [span.messages]:
        content = message.get("content") if isinstance(message, dict) else message
        role = message.get("role", "user") if isinstance(message, dict) else "user"
        yield role, content if isinstance(content, str) else json.dumps(content)


def write_otel(store: Database, spans: Iterable[Span]) -> None:
    store.insert_rows("otel_traces", [_otel_row(span, _semconv(span, content=True), []) for span in spans])


def write_otel_events(store: Database, spans: Iterable[Span]) -> None:
    """Messages in events of the span, as older instrumentations have them."""
    rows = []
    for span in spans:
        events = []
        if span.kind == "llm" and span.answer:
            events = [
                *((f"gen_ai.{role}.message", {"role": role, "content": content}) for role, content in _turns(span)),
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
        if span.kind != "llm" or not span.answer:
            continue
        turns = [(f"gen_ai.{role}.message", {"role": role, "content": content}) for role, content in _turns(span)]
        choice = {"index": 0, "message": {"role": "assistant", "content": span.answered}}
        for number, (name, body) in enumerate([*turns, ("gen_ai.choice", choice)]):
            logs.append(
                {
                    "Timestamp": span.end + timedelta(microseconds=number),
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
            if span.kind == "llm" and span.answer
        ],
    )


OTEL = [
    Tool("otel", "otel", "otel", "otel_traces", write_otel),
    Tool("otel-events", "otel", "otel", "otel_traces", write_otel_events),
    Tool("otel-logs", "otel", "otel", "otel_traces", write_otel_logs, {"logs": "otel_logs"}, exports=("otel_logs",)),
    Tool(
        "otel-details", "otel", "otel", "otel_traces", write_otel_details, {"logs": "otel_logs"}, exports=("otel_logs",)
    ),
]


def _write_signoz(store: Database, spans: Iterable[Span]) -> None:
    stores.write_signoz(store, spans, lambda span: _semconv(span, content=True))


TOOLS = [
    *OTEL,
    Tool("signoz", "signoz", "signoz", "distributed_signoz_index_v3", _write_signoz, hex_ids=True),
    Tool(
        "langfuse",
        "langfuse",
        "langfuse",
        "observations",
        stores.write_langfuse,
        {"scores": "scores"},
        has_versions=True,
        exports=("traces", "scores"),
    ),
    Tool(
        "langfuse4",
        "langfuse",
        "langfuse4",
        "events_full",
        stores.write_langfuse4,
        {"scores": "scores"},
        has_versions=True,
        exports=("scores",),
    ),
    Tool("posthog", "posthog", "posthog", "events", stores.write_posthog, numbered=True),
    Tool("posthog-ai", "posthog", "posthog", "ai_events", stores.write_posthog_ai, numbered=True),
    Tool("laminar", "laminar", "laminar", "spans", stores.write_laminar, exports=("deduped_content",), columns=HASHES),
    Tool(
        "opik",
        "opik",
        "opik",
        "spans",
        stores.write_opik,
        {"scores": "feedback_scores"},
        has_versions=True,
        user="session-1",
        exports=("traces", "feedback_scores"),
        repaired_version=2,
    ),
]
