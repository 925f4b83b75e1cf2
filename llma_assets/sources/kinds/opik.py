"""Opik: `spans` and `traces`. A span that is sent again replaces the first, also where its parent changed."""

from typing import Final

from llma_assets.sources.kinds.rows import Row, beside, columns, needs_users, newest, positive, seconds, text
from llma_assets.sources.reading import Kind, Reading, between, first, state_of
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


# Which trace a span is of, for scores of spans.
_SPANS: Final = """
LEFT ANY JOIN
(
    SELECT id AS s_id, any(trace_id) AS s_trace
    FROM {table}
    WHERE __tenant__ AND {conditions}
    GROUP BY id
) AS s ON s.s_id = o.entity_id
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """Spans, traces as the spans' parents, and scores where their table is named."""
    scores = source.others.get("scores")
    return (_spans(source, asked), _traces(source, asked), *((_scores(source, scores, asked),) if scores else ()))


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
        state=_STATE,
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
        state=_STATE,
    )
    latest = newest(quoted, "o", ("project_id", "id"), "last_updated_at", asked, "start_time")
    return Reading(columns(row), f"{quoted} AS o", (*between(asked, "o.start_time"), latest), _tenant(source))


def _scores(source: Source, table: str, asked: Asked) -> Reading:
    quoted = table_sql(table)
    entity, conditions = "toString(o.entity_id)", " AND ".join(between(asked, "start_time")) or "1"
    spans = _SPANS.format(table=table_sql(source.table), conditions=conditions)
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(toString(o.project_id), 'score', toString(o.entity_id), o.name))",
        event="'$ai_evaluation'",
        ended="o.created_at",
        trace_id=f"if(o.entity_type = 'trace', {entity}, toStringCutToZero(s.s_trace))",
        user="''",
        session="''",
        facts={
            "$ai_span_id": f"concat({entity}, ':', o.name)",
            "$ai_parent_id": entity,
            "$ai_evaluation_name": "o.name",
            "$ai_evaluation_numeric_result": "if(o.category_name = '', toString(o.value), '')",
            "$ai_evaluation_categorical_result": "o.category_name",
            "$ai_evaluation_reasoning": "o.reason",
        },
        content=("''", "''"),
        state=_STATE,
    )
    latest = newest(
        quoted, "o", ("project_id", "entity_type", "entity_id", "name"), "last_updated_at", asked, "created_at"
    )
    is_known = "(o.entity_type = 'trace' OR toStringCutToZero(s.s_trace) != '')"
    conditions_of_scores = (*between(asked, "o.created_at"), is_known, latest)
    return Reading(columns(row), f"{quoted} AS o {spans}", conditions_of_scores, _tenant(source))


def _tenant(source: Source) -> str:
    return f"o.{column_sql(source.tenant or KIND.tenant)}"


_STATE: Final = state_of("o.last_updated_at")
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
    others={"traces": "traces", "scores": "feedback_scores, to be read as evaluations"},
)
