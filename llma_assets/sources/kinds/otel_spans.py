"""Attributes of OpenTelemetry spans as properties of events, in SQL: for every table that has them in maps.

Names are those of `attribute_names`. Texts are passed on as they are stored: which shapes of messages there are belongs
in `rendering`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llma_assets.attribute_names import (
    ALIASES,
    EMBEDDING,
    EVENTS_ATTRIBUTE,
    GENERATION,
    INPUT_EVENTS,
    INPUTS,
    KINDS,
    OUTPUT_EVENTS,
    OUTPUTS,
    RESPONSE_CONTENT,
    SPAN,
    SYSTEM_INSTRUCTIONS,
    USERS,
)
from llma_assets.sources.reading import UNREAD_BYTES, first, json_object, state_of
from llma_assets.sources.source import column_sql, text_sql

DETAILS: Final = "gen_ai.client.inference.operation.details"
"""The event, or log record, whose attributes are those of the span's messages."""

LIGHT: Final = "light"
"""A map column of the attributes that tell kind, user and session, if the table has one beside that of all."""

LIGHT_OTHER: Final = "a map column of kind, user and session alone, so that sampling reads no other attribute"

LIGHT_NAMES: Final = tuple(
    dict.fromkeys((*KINDS, *USERS, *(name for name in ALIASES["$ai_session_id"] if not name.endswith("."))))
)
"""The attributes that such a column needs."""

MESSAGE_EVENTS: Final = tuple(dict.fromkeys((*INPUT_EVENTS, *OUTPUT_EVENTS)))

NOT_LOGGED: Final = "[]::Array(String)"

_PREFIXES: Final = ("gen_ai.", "llm.", "ai.", "openinference.", "traceloop.", "langfuse.", "mlflow.", "lmnr.", "$ai_")
_WHOLE: Final = (
    *(name for name in (*INPUTS, *OUTPUTS, SYSTEM_INSTRUCTIONS) if not name.endswith(".")),
    *(EVENTS_ATTRIBUTE, *RESPONSE_CONTENT, "input.mime_type", "output.mime_type"),
)
_BELOW: Final = tuple(
    name for name in (*INPUTS, *OUTPUTS, *ALIASES["$ai_tools"]) if name.endswith(".") and name != "ai.response."
)
_OF_THE_PROCESS: Final = ("telemetry.", "process.", "host.", "os.")


@dataclass(frozen=True, slots=True)
class Span:
    """Expressions for what a table knows about a span.

    Attributes:
        trace_id: text, as `span_id`, `parent_id` and `name`.
        ended: when it ended, DateTime64.
        latency_s: number.
        is_error: condition.
        message: text of its status.
        attributes: Map(String, String), as `resource`.
        events: Array(Tuple(name String, attributes Map(String, String))).
        logged: Array(String): JSON objects of log records with messages, in order.
        user: text; "" for what the attributes say.
        told: light expressions that change where messages are added: names of attributes, events and log records.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    ended: str
    latency_s: str
    is_error: str
    message: str
    attributes: str
    resource: str
    events: str
    logged: str = NOT_LOGGED
    user: str = ""
    told: tuple[str, ...] = ()


def light_attributes(column: str, light: str | None) -> str:
    """The map to read where no property is asked for.

    Args:
        column: of all attributes of type text. It stands here as it is, without a cast: newer servers then hold the
            values of the names in memory alone.
        light: name of a column of `LIGHT_NAMES` alone, None for none.
    """
    return column if light is None else column_sql(light)


def light_column(table: str, column: str) -> str:
    """The statement that adds such a column, for people."""
    names = ", ".join(text_sql(name) for name in LIGHT_NAMES)
    return (
        f"ALTER TABLE {table} ADD COLUMN LlmAttributes Map(LowCardinality(String), String) "
        f"MATERIALIZED mapFilter((k, v) -> k IN ({names}), {column})"
    )


def is_of_llm(keys: str) -> str:
    """Condition on the names of a span's attributes: does it say anything about a model, an agent or a tool?

    Args:
        keys: the subcolumn of the map's keys. `mapKeys` reads the values, too, where an index is made of it.
    """
    return f"arrayExists(k -> {_starts('k', _PREFIXES)} OR k = 'input.value', {keys})"


def columns(span: Span) -> dict[str, str]:
    """The columns of `events` for a span."""
    event = _kind(span.attributes)
    is_call = f"({event} != {text_sql(SPAN)})"
    facts = _facts(span)
    content = {
        f"if({is_call}, '$ai_input', '$ai_input_state')": _input(span),
        f"if({is_call}, '$ai_output_choices', '$ai_output_state')": _output(span),
    }
    beside = _beside(span)
    session = _of(span.attributes, ALIASES["$ai_session_id"])
    # A column of its own keeps the sample from reading attributes, so that the session does not stand in for it.
    who = (span.user,) if span.user else (_of(span.attributes, USERS), session)
    return {
        "uuid": f"reinterpretAsUUID(sipHash128({span.trace_id}, {span.span_id}))",
        "event": event,
        "distinct_id": first(*who, span.trace_id),
        "timestamp": f"toDateTime64({span.ended}, 6, 'UTC')",
        "properties": json_object(facts | content, beside),
        "event_facts": json_object(facts, beside),
        "event_trace_id": span.trace_id,
        "event_bytes": f"toUInt64({UNREAD_BYTES})",
        "event_state": state_of(*span.told),
    }


def _facts(span: Span) -> dict[str, str]:
    a = span.attributes
    exception = f"tupleElement(arrayFirst(e -> tupleElement(e, 1) = 'exception', {span.events}), 2)"
    kind, message = f"{exception}['exception.type']", f"{exception}['exception.message']"
    is_error = f"({span.is_error} OR {kind} != '' OR {message} != '')"
    told = f"if({kind} != '' AND {message} != '', concat({kind}, ': ', {message}), concat({kind}, {message}))"
    error = first(span.message, told, f"{a}['error.message']", f"{a}['error.type']")
    own = {
        "$ai_trace_id": span.trace_id,
        "$ai_span_id": span.span_id,
        "$ai_parent_id": span.parent_id,
        "$ai_span_name": first(_of(a, ALIASES["$ai_span_name"]), span.name),
        "$ai_latency": f"toString({span.latency_s})",
        "$ai_is_error": f"if({is_error}, 'true', '')",
        "$ai_error": f"if({is_error}, {error}, '')",
    }
    named = {name: first(f"{a}[{text_sql(name)}]", _of(a, names)) for name, names in ALIASES.items()}
    return {text_sql(name): value for name, value in (named | own).items()}


def _beside(span: Span) -> str:
    """All other attributes, which filters may name."""
    names = ", ".join(map(text_sql, _WHOLE))
    resource = f"mapFilter((k, v) -> NOT ({_starts('k', _OF_THE_PROCESS)}), {span.resource})"
    return (
        f"mapFilter((k, v) -> NOT (k IN ({names}) OR {_starts('k', _BELOW)}), mapUpdate({resource}, {span.attributes}))"
    )


def _kind(a: str) -> str:
    ways = []
    for attribute, values in KINDS.items():
        for kind in (GENERATION, EMBEDDING):
            named = [value for value, of in values.items() if of == kind]
            spelled = dict.fromkeys(text for value in named for text in (value, value.lower(), value.upper()))
            if spelled:
                ways.append(f"{a}[{text_sql(attribute)}] IN ({', '.join(map(text_sql, spelled))}), {text_sql(kind)}")
    return f"multiIf({', '.join(ways)}, {text_sql(SPAN)})"


def _input(span: Span) -> str:
    a = span.attributes
    system, messages = f"{a}[{text_sql(SYSTEM_INSTRUCTIONS)}]", f"{a}['gen_ai.input.messages']"
    as_part = f'concat(\'[{{"type":"text","content":\', toJSONString({system}), \'}}]\')'
    parts = f"if(startsWith({system}, '['), {system}, {as_part})"
    turn = f'concat(\'{{"role":"system","parts":\', {parts}, \'}}\')'
    others = f"if(startsWith({messages}, '['), JSONExtractArrayRaw({messages}), []::Array(String))"
    with_system = (
        f"if({system} = '' OR JSONExtractString({messages}, 1, 'role') = 'system', {messages}, "
        f"concat('[', arrayStringConcat(arrayPushFront({others}, {turn}), ','), ']'))"
    )
    names = [name for name in INPUTS if name != "gen_ai.input.messages"]
    return first(with_system, _of(a, names), _said(span, INPUT_EVENTS))


def _output(span: Span) -> str:
    names = [name for name in OUTPUTS if name != "ai.response."]
    return first(_of(span.attributes, names), _vercel_answer(span.attributes), _said(span, OUTPUT_EVENTS))


def _vercel_answer(a: str) -> str:
    """Reasoning, text and tool calls of an answer as one message."""

    def part(kind: str, name: str) -> str:
        return (
            f"if({a}['{name}'] = '', '', concat('{{\"type\":\"{kind}\",\"text\":', toJSONString({a}['{name}']), '}}'))"
        )

    calls = (
        'arrayStringConcat(arrayMap(c -> concat(\'{"type":"tool-call",\', substring(c, 2)), '
        f"JSONExtractArrayRaw({a}['ai.response.toolCalls'])), ',')"
    )
    parts = ", ".join((part("reasoning", "ai.response.reasoning"), part("text", "ai.response.text"), calls))
    joined = f"arrayStringConcat(arrayFilter(p -> p != '', [{parts}]), ',')"
    message = f'concat(\'[{{"role":"assistant","content":[\', {joined}, \']}}]\')'
    return f"if({joined} = '', {a}['ai.response.object'], {message})"


def _said(span: Span, names: Sequence[str]) -> str:
    """Messages in events of the span, in Logfire's attribute, and in log records; '' for none."""
    listed = ", ".join(text_sql(name) for name in names if name != DETAILS)
    of_events = (
        "arrayMap(e -> toJSONString(mapUpdate(tupleElement(e, 2), map('event.name', tupleElement(e, 1)))), "
        f"arrayFilter(e -> tupleElement(e, 1) IN ({listed}), {span.events}))"
    )
    logged = f"arrayConcat(JSONExtractArrayRaw({span.attributes}['{EVENTS_ATTRIBUTE}']), {span.logged})"
    of_logs = f"arrayFilter(e -> JSONExtractString(e, 'event.name') IN ({listed}), {logged})"
    joined = f"arrayStringConcat(arrayConcat({of_events}, {of_logs}), ',')"
    return f"if({joined} = '', '', concat('[', {joined}, ']'))"


def _of(a: str, names: Sequence[str]) -> str:
    """The first attribute that has a value; a name that ends in a dot gives the object of what is below it."""
    return first(*(_below(a, name) if name.endswith(".") else f"{a}[{text_sql(name)}]" for name in names))


def _below(a: str, prefix: str) -> str:
    return f"nullIf(toJSONString(mapFilter((k, v) -> startsWith(k, {text_sql(prefix)}) AND v != '', {a})), '{{}}')"


def _starts(value: str, prefixes: Sequence[str]) -> str:
    return " OR ".join(f"startsWith({value}, {text_sql(prefix)})" for prefix in prefixes)
