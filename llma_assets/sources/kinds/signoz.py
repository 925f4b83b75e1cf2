"""SigNoz: `distributed_signoz_index_v3`, spans of OpenTelemetry whose attributes are in three maps by type.

Columns and buckets as SigNoz/signoz-otel-collector writes them (schema_migrator/traces_migrations.go,
clickhousetracesexporter, read in November 2026): ids are hexadecimal, of a fixed length for traces; integers stand
among floating-point numbers; events are JSON objects with `name` and `attributeMap`; the service has its own column.
"""

from typing import Final

from llma_assets.sources.kinds.otel_spans import (
    DETAILS,
    LIGHT,
    LIGHT_OTHER,
    Span,
    columns,
    is_of_llm,
    light_attributes,
    light_column,
)
from llma_assets.sources.reading import LONGEST_WORK, Kind, Reading, between, wants_content, wants_facts
from llma_assets.sources.source import Source, column_sql, table_sql, text_sql
from llma_assets.sources.statement import Asked

_BUCKET_S: Final = 1_800
"""`ts_bucket_start`, the first column of the table's key, is the begin of such a span of time, in seconds."""

_ATTRIBUTES: Final = (
    "mapUpdate(mapUpdate(mapApply((k, v) -> (CAST(k, 'String'), toString(v)), s.attributes_number), "
    "mapApply((k, v) -> (CAST(k, 'String'), if(v, 'true', 'false')), s.attributes_bool)), "
    "CAST(s.attributes_string, 'Map(String, String)'))"
)
_EVENTS: Final = (
    "arrayMap(e -> (JSONExtractString(e, 'name'), JSONExtract(e, 'attributeMap', 'Map(String, String)')), s.events)"
)
_DETAILS: Final = f"tupleElement(arrayFirst(e -> tupleElement(e, 1) = {text_sql(DETAILS)}, llma_events), 2)"


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """Spans; buckets of time prune before all else."""
    if wants_facts(asked):
        attributes = f"mapUpdate({_DETAILS}, {_ATTRIBUTES})" if wants_content(asked) else _ATTRIBUTES
    else:
        attributes = light_attributes("s.attributes_string", source.others.get(LIGHT))
    keys = "arrayConcat(s.attributes_string.keys, s.attributes_number.keys)"
    span = Span(
        trace_id="toString(s.trace_id)",
        span_id="s.span_id",
        parent_id="s.parent_span_id",
        name="CAST(s.name, 'String')",
        ended="s.timestamp + toIntervalNanosecond(s.duration_nano)",
        latency_s="s.duration_nano / 1e9",
        is_error="(s.has_error OR s.status_code_string = 'Error')",
        message="s.status_message",
        attributes="llma_attributes",
        resource="CAST(s.resources_string, 'Map(String, String)')",
        events="llma_events",
        user=f"toString(s.{column_sql(source.user)})" if source.user else "",
        told=("s.attributes_string.keys", "length(s.events)"),
    )
    buckets = []
    if asked.since is not None:
        buckets.append(f"s.ts_bucket_start >= toUnixTimestamp({asked.since} - {LONGEST_WORK}) - {_BUCKET_S}")
    if asked.until is not None:
        buckets.append(f"s.ts_bucket_start <= toUnixTimestamp({asked.until})")
    conditions = (*buckets, *between(asked, "s.timestamp"), is_of_llm(keys))
    made, tables = f"{_EVENTS} AS llma_events, {attributes} AS llma_attributes", f"{table_sql(source.table)} AS s"
    setup = f"WITH {made}"
    if wants_content(asked):
        # A query of its own saves a third of what planning takes: an alias is planned anew wherever it is used. Without
        # content it would read whole maps instead of their keys.
        setup, tables = "", f"(SELECT s.*, {made} FROM {tables}) AS s"
    tenant = f"s.{column_sql(source.tenant or KIND.tenant)}"
    return (Reading(columns(span), tables, conditions, tenant, setup=setup),)


KIND: Final = Kind(
    name="signoz",
    what="SigNoz: distributed_signoz_index_v3",
    table="signoz_traces.distributed_signoz_index_v3",
    tenant="resource_string_service$$name",
    read=read,
    without_content=(
        "set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY in the application; messages in log records "
        "are not read from SigNoz"
    ),
    others={LIGHT: LIGHT_OTHER},
    light=light_column("{table}", "attributes_string"),
)
