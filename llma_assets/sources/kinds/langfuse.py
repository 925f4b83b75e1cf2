"""Langfuse: `observations` and `traces` of version 3, `events_full` and `events_core` of version 4.

A row that is sent again replaces the first (`event_ts`), and one with `is_deleted` removes it. The key of a table has
the day in it, so that a row whose start moved to another day stands there twice: the newest version counts, wherever it
is. `events_core` cuts messages to 200 characters: it is read where no messages are asked for.
"""

from typing import Final

from llma_assets.sources.kinds.rows import Row, beside, columns, needs_users, newest, positive, seconds, text
from llma_assets.sources.reading import Kind, Reading, between, first, state_of, wants_content
from llma_assets.sources.source import Source, column_sql, table_sql
from llma_assets.sources.statement import Asked

_USAGE_IN, _USAGE_OUT = "o.usage_details['input']", "o.usage_details['output']"

# The traces of a time, each once, for the names and users of their observations.
_TRACES = """
LEFT ANY JOIN
(
    SELECT project_id AS t_project, id AS t_id, ifNull(argMax(user_id, event_ts), '') AS t_user,
        ifNull(argMax(session_id, event_ts), '') AS t_session, argMax(name, event_ts) AS t_name
    FROM {table}
    WHERE __tenant__ AND {conditions}
    GROUP BY project_id, id
) AS t ON t.t_project = o.project_id AND t.t_id = o.trace_id
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """Observations and traces, or the one table of events, by the name of the table."""
    scores = source.others.get("scores")
    evaluations = (_scores(source, scores, asked),) if scores else ()
    if source.table.rpartition(".")[2].startswith("events"):
        return (_events(source, asked), *evaluations)
    return (_observations(source, asked), _traces(source, asked), *evaluations)


def _events(source: Source, asked: Asked) -> Reading:
    table = source.table if wants_content(asked) else beside(source, "core", "events_core")
    quoted = table_sql(table)
    is_trace = "o.span_id = concat('t-', o.trace_id)"
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(o.project_id, o.span_id))",
        event=f"multiIf({is_trace}, '$ai_trace', {_EVENT})",
        ended="ifNull(o.end_time, o.start_time)",
        trace_id="o.trace_id",
        user="o.user_id",
        session="o.session_id",
        facts={
            "$ai_span_id": "o.span_id",
            "$ai_parent_id": "o.parent_span_id",
            "$ai_trace_name": "o.trace_name",
            **_FACTS,
            "$ai_latency": f"if({is_trace}, '', {_FACTS['$ai_latency']})",
            "$ai_total_cost_usd": positive("o.cost_details['total']"),
        },
        content=("o.input", "o.output"),
        is_call=f"{_IS_CALL} AND NOT {is_trace}",
        beside="mapFromArrays(arrayMap(n -> concat('metadata.', n), o.metadata_names), o.metadata_values)",
        further={"$ai_tools": _TOOLS},
        size="toUInt64(greatest(o.event_bytes, 1))",
        state=state_of("o.event_ts", "o.event_bytes"),
    )
    latest = newest(quoted, "o", ("project_id", "span_id"), "event_ts", asked, "start_time")
    conditions = (*between(asked, "o.start_time"), "o.is_deleted = 0", latest)
    return Reading(columns(row), f"{quoted} AS o", conditions, f"o.{column_sql(source.tenant or KIND.tenant)}")


def _observations(source: Source, asked: Asked) -> Reading:
    quoted = table_sql(source.table)
    with_users = needs_users(asked)
    conditions = " AND ".join(between(asked, "timestamp")) or "1"
    traces = _TRACES.format(table=table_sql(beside(source, "traces", "traces")), conditions=conditions)
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(o.project_id, o.id))",
        event=f"multiIf({_EVENT})",
        ended="ifNull(o.end_time, o.start_time)",
        trace_id="o.trace_id",
        user="t.t_user",
        session="t.t_session",
        facts={
            "$ai_span_id": "o.id",
            "$ai_parent_id": "ifNull(o.parent_observation_id, o.trace_id)",
            "$ai_trace_name": "t.t_name",
            **_FACTS,
            "$ai_total_cost_usd": text("o.total_cost"),
        },
        content=(text("o.input"), text("o.output")),
        is_call=_IS_CALL,
        beside="mapApply((k, v) -> (concat('metadata.', k), v), CAST(o.metadata, 'Map(String, String)'))",
        state=_STATE,
    )
    latest = newest(quoted, "o", ("project_id", "id"), "event_ts", asked, "start_time")
    return Reading(
        columns(row),
        f"{quoted} AS o {traces if with_users else ''}",
        (*between(asked, "o.start_time"), "o.is_deleted = 0", latest),
        f"o.{column_sql(source.tenant or KIND.tenant)}",
    )


def _traces(source: Source, asked: Asked) -> Reading:
    quoted = table_sql(beside(source, "traces", "traces"))
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(o.project_id, 'trace', o.id))",
        event="'$ai_trace'",
        ended="o.timestamp",
        trace_id="o.id",
        user=text("o.user_id"),
        session=text("o.session_id"),
        facts={"$ai_span_id": "o.id", "$ai_trace_name": "o.name"},
        content=(text("o.input"), text("o.output")),
        beside="mapApply((k, v) -> (concat('metadata.', k), v), CAST(o.metadata, 'Map(String, String)'))",
        state=_STATE,
    )
    latest = newest(quoted, "o", ("project_id", "id"), "event_ts", asked, "timestamp")
    conditions = (*between(asked, "o.timestamp"), "o.is_deleted = 0", latest)
    return Reading(columns(row), f"{quoted} AS o", conditions, f"o.{column_sql(source.tenant or KIND.tenant)}")


def _scores(source: Source, table: str, asked: Asked) -> Reading:
    quoted = table_sql(table)
    is_number = "o.data_type NOT IN ('BOOLEAN', 'CATEGORICAL')"
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(o.project_id, 'score', o.id))",
        event="'$ai_evaluation'",
        ended="o.timestamp",
        trace_id=text("o.trace_id"),
        user="''",
        session="''",
        facts={
            "$ai_span_id": "o.id",
            "$ai_parent_id": first(text("o.observation_id"), text("o.trace_id")),
            "$ai_evaluation_name": "o.name",
            "$ai_evaluation_result": "if(o.data_type = 'BOOLEAN', if(o.value = 1, 'true', 'false'), '')",
            "$ai_evaluation_numeric_result": f"if({is_number}, toString(o.value), '')",
            "$ai_evaluation_categorical_result": f"if(o.data_type = 'CATEGORICAL', {text('o.string_value')}, '')",
            "$ai_evaluation_reasoning": text("o.comment"),
        },
        content=("''", "''"),
        state=state_of("o.event_ts"),
    )
    latest = newest(quoted, "o", ("project_id", "id"), "event_ts", asked, "timestamp")
    conditions = (*between(asked, "o.timestamp"), "o.is_deleted = 0", "ifNull(o.trace_id, '') != ''", latest)
    return Reading(columns(row), f"{quoted} AS o", conditions, f"o.{column_sql(source.tenant or KIND.tenant)}")


_STATE: Final = state_of("o.event_ts", "o.input IS NULL", "o.output IS NULL")
_IS_CALL: Final = "o.type IN ('GENERATION', 'EMBEDDING')"
_EVENT: Final = "o.type = 'GENERATION', '$ai_generation', o.type = 'EMBEDDING', '$ai_embedding', '$ai_span'"
_TOOLS: Final = (
    "if(empty(o.tool_definitions), '', concat('[', arrayStringConcat(mapValues(o.tool_definitions), ','), ']'))"
)
_FACTS: Final = {
    "$ai_span_name": "o.name",
    "$ai_latency": seconds("o.start_time", "o.end_time"),
    "$ai_is_error": "if(o.level = 'ERROR', 'true', '')",
    "$ai_error": f"if(o.level = 'ERROR', {text('o.status_message')}, '')",
    "$ai_model": text("o.provided_model_name"),
    "$ai_input_tokens": positive(_USAGE_IN),
    "$ai_output_tokens": positive(_USAGE_OUT),
}

KIND: Final = Kind(
    name="langfuse",
    what="Langfuse: observations and traces (version 3), or events_full and events_core (version 4)",
    table="default.observations",
    tenant="project_id",
    read=read,
    without_content="the application masks inputs and outputs, or its SDK does not capture them (capture_input)",
    others={
        "traces": "traces, of version 3",
        "core": "events_core, of version 4",
        "scores": "scores, to be read as evaluations",
    },
)
