"""Opik: `spans` and `traces`. A span that is sent again replaces the first, also where its parent changed."""

from typing import Final

from llma_assets.sources.kinds.rows import Row, beside, columns, needs_users, newest, positive, seconds, text
from llma_assets.sources.reading import Kind, Reading, between, first
from llma_assets.sources.source import Source, column_sql, table_sql
from llma_assets.sources.statement import Asked

_THREADS: Final = """
LEFT ANY JOIN
(
    SELECT id AS t_id, argMax(thread_id, last_updated_at) AS t_thread, argMax(name, last_updated_at) AS t_name
    FROM {table}
    WHERE __tenant__ AND {conditions}
    GROUP BY id
) AS t ON t.t_id = o.trace_id
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """Spans, and traces as the spans' parents."""
    return (_spans(source, asked), _traces(source, asked))


def _spans(source: Source, asked: Asked) -> Reading:
    quoted = table_sql(source.table)
    conditions = " AND ".join(between(asked, "start_time")) or "1"
    threads = _THREADS.format(table=table_sql(beside(source, "traces", "traces")), conditions=conditions)
    is_call = "o.type = 'llm'"
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(toString(o.project_id), toString(o.id)))",
        event=f"if({is_call}, '$ai_generation', '$ai_span')",
        ended="ifNull(o.end_time, o.start_time)",
        trace_id="toString(o.trace_id)",
        user="''",
        session=text("t.t_thread"),
        facts={
            "$ai_span_id": "toString(o.id)",
            "$ai_parent_id": "if(o.parent_span_id = '', toString(o.trace_id), o.parent_span_id)",
            "$ai_trace_name": text("t.t_name"),
            "$ai_model": "o.model",
            "$ai_provider": "o.provider",
            "$ai_input_tokens": positive("o.usage['prompt_tokens']"),
            "$ai_output_tokens": positive("o.usage['completion_tokens']"),
            "$ai_total_cost_usd": positive("o.total_estimated_cost"),
            **_FACTS,
        },
        content=("o.input", "o.output"),
        is_call=is_call,
    )
    latest = newest(quoted, "o", ("project_id", "id"), "last_updated_at", asked, "start_time")
    tables = f"{quoted} AS o {threads if needs_users(asked) else ''}"
    return Reading(columns(row), tables, (*between(asked, "o.start_time"), latest), _tenant(source))


def _traces(source: Source, asked: Asked) -> Reading:
    quoted = table_sql(beside(source, "traces", "traces"))
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(toString(o.project_id), 'trace', toString(o.id)))",
        event="'$ai_trace'",
        ended="ifNull(o.end_time, o.start_time)",
        trace_id="toString(o.id)",
        user="''",
        session="o.thread_id",
        facts={"$ai_span_id": "toString(o.id)", "$ai_trace_name": "o.name", **_FACTS},
        content=("o.input", "o.output"),
    )
    latest = newest(quoted, "o", ("project_id", "id"), "last_updated_at", asked, "start_time")
    return Reading(columns(row), f"{quoted} AS o", (*between(asked, "o.start_time"), latest), _tenant(source))


def _tenant(source: Source) -> str:
    return f"o.{column_sql(source.tenant or KIND.tenant)}"


_KIND, _MESSAGE = (f"JSONExtractString(o.error_info, '{name}')" for name in ("exception_type", "message"))
_FACTS: Final = {
    "$ai_span_name": "o.name",
    "$ai_latency": seconds("o.start_time", "o.end_time"),
    "$ai_is_error": "if(o.error_info = '', '', 'true')",
    "$ai_error": first(f"arrayStringConcat(arrayFilter(p -> p != '', [{_KIND}, {_MESSAGE}]), ': ')", "o.error_info"),
}

KIND: Final = Kind(
    name="opik",
    what="Opik: spans and traces",
    table="opik.spans",
    tenant="project_id",
    read=read,
    without_content="the application's decorators must not have capture_input=False or capture_output=False",
    others={"traces": "traces"},
)
