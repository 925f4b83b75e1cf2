"""What stores with a column for each fact have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llma_assets.sources.reading import UNREAD_BYTES, first, json_object
from llma_assets.sources.source import Source
from llma_assets.sources.statement import Asked

SEARCHED = "toIntervalDay(31)"
"""The newest version of a row may lie so far from the one that is found."""


@dataclass(frozen=True, slots=True)
class Row:
    """Expressions for a row that is one event; texts are of type String, '' where nothing is known.

    Attributes:
        facts: further properties by name.
        content: input and output; their names depend on `is_call`.
        beside: Map(String, String) of properties under their own names; "" for none.
        is_call: condition: the event is a model call.
        state: `state_of` what tells that a row was repaired; 0 for nothing.
    """

    uuid: str
    event: str
    ended: str
    trace_id: str
    user: str
    session: str
    facts: Mapping[str, str]
    content: tuple[str, str]
    is_call: str = "0"
    beside: str = ""
    further: Mapping[str, str] = field(default_factory=dict)
    size: str = f"toUInt64({UNREAD_BYTES})"
    state: str = "toUInt64(0)"


def columns(row: Row) -> dict[str, str]:
    """The columns of `events` for a row."""
    named = {"$ai_trace_id": row.trace_id, "$ai_session_id": row.session, **row.facts}
    facts = {f"'{name}'": value for name, value in named.items()}
    content = {
        f"if({row.is_call}, '$ai_input', '$ai_input_state')": row.content[0],
        f"if({row.is_call}, '$ai_output_choices', '$ai_output_state')": row.content[1],
        **{f"'{name}'": value for name, value in row.further.items()},
    }
    return {
        "uuid": row.uuid,
        "event": row.event,
        "distinct_id": first(row.user, row.session, row.trace_id),
        "timestamp": f"toDateTime64({row.ended}, 6, 'UTC')",
        "properties": json_object(facts | content, row.beside),
        "event_facts": json_object(facts, row.beside),
        "event_trace_id": row.trace_id,
        "event_bytes": row.size,
        "event_state": row.state,
    }


def text(expression: str) -> str:
    """A nullable value as text."""
    return f"ifNull(toString({expression}), '')"


def positive(expression: str) -> str:
    """A number as text, '' for 0 and NULL."""
    return f"if(ifNull({expression}, 0) > 0, toString(ifNull({expression}, 0)), '')"


def seconds(start: str, end: str) -> str:
    """The time between two moments in seconds, as text, '' while there is no end."""
    return f"if({end} IS NULL, '', toString(greatest(0, dateDiff('microsecond', {start}, assumeNotNull({end}))) / 1e6))"


def newest(table: str, alias: str, keys: tuple[str, ...], version: str, asked: Asked, begins: str) -> str:
    """Condition: the row is the newest version of its key, also among rows that moved to another day."""
    since = f" AND {begins} >= {asked.since} - {SEARCHED}" if asked.since else ""
    until = f" AND {begins} <= {asked.until} + {SEARCHED}" if asked.until else ""
    own = ", ".join(f"{alias}.{key}" for key in (*keys, version))
    named = ", ".join(keys)
    return f"({own}) IN (SELECT {named}, max({version}) FROM {table} WHERE __tenant__{since}{until} GROUP BY {named})"


def beside(source: Source, name: str, table: str) -> str:
    """A further table: as named, else `table` in the database of the source's own."""
    database, dot, _ = source.table.rpartition(".")
    return source.others.get(name) or f"{database}{dot}{table}"


def needs_users(asked: Asked) -> bool:
    """Whether a statement reads who did it, or names, which stand in a table of traces."""
    return any(column in asked.columns for column in ("distinct_id", "properties", "event_facts"))
