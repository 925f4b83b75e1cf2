"""`otel_traces` of the OpenTelemetry collector's ClickHouse exporter; ClickStack and HyperDX have the same columns.

Not deduplicated: an event's uuid follows from the ids of its span, and readers count each uuid once. The attributes are
a map, whose keys are stored apart from its values: that a span is about a model is known by its keys, without content.
With a table of logs, messages are also found in log records (`EVENT_ONLY` of the instrumentations).
"""

from typing import Final

from llma_assets.sources.kinds.otel_spans import (
    DETAILS,
    LIGHT,
    LIGHT_OTHER,
    MESSAGE_EVENTS,
    NOT_LOGGED,
    Span,
    columns,
    is_of_llm,
    light_attributes,
    light_column,
)
from llma_assets.sources.reading import Kind, Reading, between, wants_content, wants_facts, wants_state
from llma_assets.sources.source import Source, column_sql, table_sql, text_sql
from llma_assets.sources.statement import Asked

# What stands in an event or log record with the messages of a call counts as attributes of the span.
_ATTRIBUTES = "CAST(SpanAttributes, 'Map(String, String)')"
_SERVICE = "map('service.name', CAST(ServiceName, 'String'))"
_RESOURCE = f"mapUpdate(CAST(ResourceAttributes, 'Map(String, String)'), {_SERVICE})"
_EVENTS = "arrayZip(CAST(Events.Name, 'Array(String)'), CAST(Events.Attributes, 'Array(Map(String, String))'))"
_DETAILS = f"CAST(arrayFirst((t, n) -> n = {text_sql(DETAILS)}, Events.Attributes, Events.Name), 'Map(String, String)')"

# Records are found by their event's name, which stands in a column of its own in newer tables; the attribute is older.
_LOGS = """
(
    SELECT TraceId AS log_trace_id, SpanId AS log_span_id,
        arrayMap(r -> r.2, arraySort(groupArrayIf((Timestamp, record), name != {details}))) AS log_records,
        anyIf(CAST(LogAttributes, 'Map(String, String)'), name = {details}) AS log_details
    FROM
    (
        SELECT Timestamp, TraceId, SpanId, LogAttributes,
            if(LogAttributes['event.name'] != '', LogAttributes['event.name'], Body) AS name,
            concat('{{"event.name":', toJSONString(name),
                if(startsWith(Body, '{{') AND Body != '{{}}', concat(',', substring(Body, 2)),
                    concat(',', substring(toJSONString(mapUpdate(CAST(LogAttributes, 'Map(String, String)'),
                        map('body', Body))), 2)))) AS record
        FROM {table}
        WHERE {conditions}
    )
    WHERE name IN ({names}) AND SpanId != ''
    GROUP BY TraceId, SpanId
)
"""

# How many log records a span has, without reading them: records may come after their span.
_LOG_COUNTS = """
(
    SELECT TraceId AS counted_trace_id, SpanId AS counted_span_id, count() AS log_count
    FROM {table}
    WHERE {conditions} AND SpanId != ''
    GROUP BY TraceId, SpanId
)
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """What is read of spans, and of log records where messages are asked for."""
    tables, logged = f"{table_sql(source.table)} AS spans", NOT_LOGGED
    attributes = _ATTRIBUTES if wants_facts(asked) else light_attributes("SpanAttributes", source.others.get(LIGHT))
    told = ["spans.SpanAttributes.keys", "Events.Name"]
    if wants_state(asked) and "logs" in source.others:
        tables += f" LEFT JOIN {_log_counts(source.others['logs'], asked)} AS counts"
        tables += " ON counts.counted_trace_id = spans.TraceId AND counts.counted_span_id = spans.SpanId"
        told.append("log_count")
    if wants_content(asked):
        details = _DETAILS
        if "logs" in source.others:
            tables += f" LEFT JOIN {_logs(source.others['logs'], asked)} AS logs"
            tables += " ON logs.log_trace_id = spans.TraceId AND logs.log_span_id = spans.SpanId"
            details, logged = f"mapUpdate(log_details, {_DETAILS})", "log_records"
        attributes = f"mapUpdate({details}, {_ATTRIBUTES})"
    span = Span(
        trace_id="TraceId",
        span_id="SpanId",
        parent_id="ParentSpanId",
        name="CAST(SpanName, 'String')",
        ended="Timestamp + toIntervalNanosecond(Duration)",
        latency_s="Duration / 1e9",
        is_error="StatusCode IN ('Error', 'STATUS_CODE_ERROR')",
        message="StatusMessage",
        attributes="llma_attributes",
        resource=_RESOURCE,
        events="llma_events",
        logged=logged,
        user=f"toString({column_sql(source.user)})" if source.user else "",
        told=tuple(told),
    )
    conditions = (*between(asked, "spans.Timestamp"), "TraceId != ''", is_of_llm("spans.SpanAttributes.keys"))
    made = f"{attributes} AS llma_attributes, {_EVENTS} AS llma_events"
    setup = f"WITH {made}"
    if wants_content(asked) and "logs" not in source.others:  # as in signoz.py
        setup, tables = "", f"(SELECT spans.*, {made} FROM {tables}) AS spans"
    return (Reading(columns(span), tables, conditions, column_sql(source.tenant or KIND.tenant), setup=setup),)


def _log_counts(table: str, asked: Asked) -> str:
    return _LOG_COUNTS.format(table=table_sql(table), conditions=" AND ".join(between(asked, "Timestamp")) or "1")


def _logs(table: str, asked: Asked) -> str:
    return _LOGS.format(
        details=text_sql(DETAILS),
        table=table_sql(table),
        conditions=" AND ".join(between(asked, "Timestamp")) or "1",
        names=", ".join(map(text_sql, MESSAGE_EVENTS)),
    )


KIND: Final = Kind(
    name="otel",
    what="OpenTelemetry: otel_traces of the collector's ClickHouse exporter, ClickStack, HyperDX",
    table="otel.otel_traces",
    tenant="ServiceName",
    read=read,
    without_content=(
        "official OpenTelemetry instrumentations record no content by themselves: set "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY (or EVENT_ONLY, with --logs for otel_logs) in "
        "the application; OpenLLMetry needs TRACELOOP_TRACE_CONTENT=true; OpenInference must not have "
        "OPENINFERENCE_HIDE_INPUTS or OPENINFERENCE_HIDE_OUTPUTS"
    ),
    others={"logs": "otel_logs, where instrumentations write messages as log records", LIGHT: LIGHT_OTHER},
    light=light_column("{table}", "SpanAttributes"),
)
