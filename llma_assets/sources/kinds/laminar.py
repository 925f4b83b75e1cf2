"""Laminar: `spans`; messages of newer rows are stored once under a hash, in `deduped_content` and `llm_messages`.

Not deduplicated: readers count by uuid, which follows from the ids. A row knows its size, so that it is not guessed.
"""

from typing import Final

from llma_assets.sources.kinds.rows import Row, beside, columns, positive
from llma_assets.sources.reading import Kind, Reading, between, first, state_of, wants_content
from llma_assets.sources.source import Source, column_sql, table_sql
from llma_assets.sources.statement import Asked

NONE: Final = "none"
"""Given as `content`: the table is older than messages under hashes."""

_MODELS: Final = ("response_model", "request_model", "model")
_NIL: Final = "toUUID('00000000-0000-0000-0000-000000000000')"
_HASHES: Final = (
    "arrayConcat(arrayMap((h, i) -> (1, i, h), input_message_hashes, arrayEnumerate(input_message_hashes)), "
    "arrayMap((h, i) -> (2, i, h), output_message_hashes, arrayEnumerate(output_message_hashes)))"
)
_CONTENT: Final = """
LEFT JOIN
(
    SELECT hashed.project_id AS c_project, hashed.trace_id AS c_trace, hashed.span_id AS c_span,
        arrayMap(m -> m.2, arraySort(groupArrayIf((place, content), side = 1))) AS c_input,
        arrayMap(m -> m.2, arraySort(groupArrayIf((place, content), side = 2))) AS c_output
    FROM
    (
        SELECT DISTINCT project_id, trace_id, span_id, h.1 AS side, h.2 AS place, h.3 AS hash
        FROM {spans} ARRAY JOIN {hashes} AS h
        WHERE __tenant__ AND {conditions}
    ) AS hashed
    INNER JOIN
    (
        SELECT project_id, hash, argMin(content, origin) AS content
        FROM
        (
            SELECT project_id, content_hash AS hash, content, 1 AS origin
            FROM {content}
            WHERE __tenant__ AND content_hash IN ({wanted})
            {older}
        )
        GROUP BY project_id, hash
    ) AS held ON held.project_id = hashed.project_id AND held.hash = hashed.hash
    GROUP BY hashed.project_id, hashed.trace_id, hashed.span_id
) AS c ON c.c_project = s.project_id AND c.c_trace = s.trace_id AND c.c_span = s.span_id
"""
_OLDER: Final = """
UNION ALL
SELECT project_id, message_hash AS hash, content, 2 AS origin
FROM {messages}
WHERE __tenant__ AND message_hash IN ({wanted})
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """Spans of the application, without evaluations and playground."""
    with_hashes = wants_content(asked) and source.others.get("content") != NONE
    exception = "arrayFirst(e -> tupleElement(e, 2) = 'exception', s.events)"
    told = ", ".join(
        f"JSONExtractString(tupleElement({exception}, 3), 'exception.{name}')" for name in ("type", "message")
    )
    error = first(f"arrayStringConcat(arrayFilter(p -> p != '', [{told}]), ': ')", "'error'")
    is_call = "s.span_type = 1"
    row = Row(
        uuid="reinterpretAsUUID(sipHash128(s.project_id, s.trace_id, s.span_id))",
        event=f"if({is_call}, '$ai_generation', '$ai_span')",
        ended="s.end_time",
        trace_id="toString(s.trace_id)",
        user="nullIf(s.user_id, '<null>')",
        session="ifNull(nullIf(s.session_id, '<null>'), '')",
        facts={
            "$ai_span_id": "toString(s.span_id)",
            "$ai_parent_id": f"if(s.parent_span_id = {_NIL}, '', toString(s.parent_span_id))",
            "$ai_span_name": "s.name",
            "$ai_latency": "toString(greatest(0, dateDiff('microsecond', s.start_time, s.end_time)) / 1e6)",
            "$ai_is_error": "if(s.status = 'error', 'true', '')",
            "$ai_error": f"if(s.status = 'error', {error}, '')",
            "$ai_model": first(
                *(f"nullIf({name}, '<null>')" for name in ("s.response_model", "s.request_model", "s.model"))
            ),
            "$ai_provider": "ifNull(nullIf(s.provider, '<null>'), '')",
            "$ai_input_tokens": positive("s.input_tokens"),
            "$ai_output_tokens": positive("s.output_tokens"),
            "$ai_total_cost_usd": positive("s.total_cost"),
        },
        content=tuple(_side(side, with_hashes) for side in ("input", "output")),  # type: ignore[arg-type]
        is_call=is_call,
        size="toUInt64(greatest(s.size_bytes, 1))",
        state=state_of("s.size_bytes", "length(s.input_message_hashes)", "length(s.output_message_hashes)"),
    )
    tables = f"{table_sql(source.table)} AS s {_content(source, asked) if with_hashes else ''}"
    conditions = (*between(asked, "s.start_time"), "s.trace_type = 0")
    tenant = f"s.{column_sql(source.tenant or KIND.tenant)}"
    return (Reading(columns(row), tables, conditions, tenant, tenant_type="UUID"),)


def _side(side: str, with_hashes: bool) -> str:
    plain = f"if(s.{side} = '<null>', '', s.{side})"
    if not with_hashes:
        return plain
    return f"if(empty(c.c_{side}), {plain}, concat('[', arrayStringConcat(c.c_{side}, ','), ']'))"


def _content(source: Source, asked: Asked) -> str:
    spans = table_sql(source.table)
    conditions = " AND ".join(between(asked, "start_time")) or "1"
    hashes = "arrayJoin(arrayConcat(input_message_hashes, output_message_hashes))"
    wanted = f"SELECT {hashes} FROM {spans} WHERE __tenant__ AND {conditions}"
    messages = source.others.get("messages")
    return _CONTENT.format(
        spans=spans,
        hashes=_HASHES,
        conditions=conditions,
        content=table_sql(beside(source, "content", "deduped_content")),
        wanted=wanted,
        older=_OLDER.format(messages=table_sql(messages), wanted=wanted) if messages else "",
    )


KIND: Final = Kind(
    name="laminar",
    what="Laminar: spans, with messages in deduped_content and llm_messages",
    table="default.spans",
    tenant="project_id",
    read=read,
    without_content="Laminar.initialize must not switch content off, nor TRACELOOP_TRACE_CONTENT=false",
    others={
        "content": "deduped_content; none where the table is older than it",
        "messages": "llm_messages, for rows of before deduped_content",
    },
)
