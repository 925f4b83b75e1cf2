"""How a kind of source describes what is read: expressions by column, tables, conditions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from llma_assets.sources.source import Source
from llma_assets.sources.statement import Asked

LONGEST_WORK: Final = "toIntervalDay(1)"
"""Rows are found by when their work began; work that takes longer than this is not looked for."""

UNREAD_BYTES: Final = 65_536
"""What an event is taken to be large where its size cannot be known without reading its content. Batches of traces are
cut by it; too large a guess costs a statement more, too small a one memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One selection from the tables of a source; a source may need several.

    Attributes:
        columns: an expression for each column of `events` but `team_id`, and for `event_facts`, `event_trace_id`.
        tables: what stands behind FROM.
        conditions: what rows must meet, without tenant.
        tenant: expression that says whose a row is; "" where all rows are one team's.
        tenant_type: its type, for parameters.
        setup: what stands before SELECT, `WITH …` or "".
    """

    columns: Mapping[str, str]
    tables: str
    conditions: tuple[str, ...]
    tenant: str
    tenant_type: str = "String"
    setup: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the pipeline knows about the tables of a tool.

    Attributes:
        name: as in `--kind`.
        what: the tool and its table, in words.
        table: the usual name of the table.
        tenant: the usual tenant column; "" for none.
        read: describes what is read for a statement.
        without_content: what to change where model calls hold no message text.
        others: names of further tables that may be given, with what they are for.
        numbered: tenants are team numbers already.
        light: statement that adds a column for sampling to a `{table}`, where the tool has none; "" for none.
    """

    name: str
    what: str
    table: str
    tenant: str
    read: Callable[[Source, Asked], tuple[Reading, ...]]
    without_content: str
    others: Mapping[str, str]
    numbered: bool = False
    light: str = ""


def between(asked: Asked, column: str) -> tuple[str, ...]:
    """Conditions on the column of when work began, so that the table's own order prunes."""
    since = () if asked.since is None else (f"{column} >= {asked.since} - {LONGEST_WORK}",)
    until = () if asked.until is None else (f"{column} <= {asked.until}",)
    return since + until


def state_of(*expressions: str) -> str:
    """The column `event_state` of light expressions that change where content is repaired; never 0.

    Such are versions of a row, sizes that stand in a column, the names of attributes, whether a value is there.
    """
    return f"greatest(cityHash64({', '.join(expressions)}), 1)"


def wants_state(asked: Asked) -> bool:
    """Whether a statement compares events with those that texts were made of."""
    return "event_state" in asked.columns


def wants_content(asked: Asked) -> bool:
    """Whether a statement reads messages."""
    return "properties" in asked.columns


def wants_facts(asked: Asked) -> bool:
    """Whether a statement reads properties at all; the kind, user and session of an event are none."""
    return wants_content(asked) or "event_facts" in asked.columns


def first(*expressions: str) -> str:
    """The first text that is not empty, else ''."""
    given = ", ".join(f"nullIf({each}, '')" for each in expressions)
    return f"coalesce({given}, '')"


def json_object(fields: Mapping[str, str], beside: str = "") -> str:
    """A JSON object of texts, without the empty ones.

    Args:
        fields: expressions of type String by name; names are expressions, too.
        beside: a map of further fields, which the named ones replace.
    """
    pairs = ", ".join(f"{name}, {value}" for name, value in fields.items())
    held = f"mapUpdate({beside}, map({pairs}))" if beside else f"map({pairs})"
    return f"toJSONString(mapFilter((k, v) -> v != '', {held}))"
