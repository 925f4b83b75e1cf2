"""Reads of a statement over trace events what it asks for, so that a source reads no more than that.

The statements of the pipeline are written for the table `events`: `FROM {events_database:Identifier}.{events_table:…}`.
Here what stands behind that name is exchanged for a selection from other tables, with the bounds of time and the team
of the statement inside it. Three expressions that parse or measure an event's JSON become columns, which sources know
without reading content.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

EVENTS_PLACEHOLDER: Final = "{events_database:Identifier}.{events_table:Identifier}"

COLUMNS: Final = (
    "uuid",
    "event",
    "team_id",
    "distinct_id",
    "timestamp",
    "properties",
    "event_facts",
    "event_trace_id",
    "event_bytes",
    "event_counts",
    "event_unreadable",
    "event_state",
)
"""What a statement may read: the columns of `events`; properties without content; the trace's id; an event's size;
whether it is a trace event; whether its properties are no JSON object; a number that is another one where its content
was repaired, as far as that is known without reading it, 0 for not at all."""

DERIVED: Final = {
    "event_trace_id": "JSONExtractString(properties, '$ai_trace_id')",
    "event_bytes": "length(properties)",
    "event_counts": "event IN {trigger_events:Array(String)}",
    "event_unreadable": "JSONType(properties) != 'Object'",
    "event_facts": "properties",
}

_VALUE = r"(\{\w+:[^}]+\}|toDateTime64\(\{\w+:Date\},\s*6,\s*'UTC'\))"
_BOUND = re.compile(rf"\b(?:WHERE|AND)\s+timestamp\s*(>=?|<=?)\s*{_VALUE}")
_TIMES = re.compile(r"\btimestamp\s+IN\s+(\{\w+:Array[^}]+\})")
_TEAM = re.compile(r"\bteam_id = (\{\w+:Int64\})")
_WORD = re.compile(r"\b\w+\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement asks of events.

    Attributes:
        columns: the columns that it reads, of `COLUMNS`.
        team: the expression of the one team whose events it reads, None for all teams.
        since: expression of the earliest time, None for no bound.
        until: expression of the latest time.
    """

    columns: tuple[str, ...]
    team: str | None
    since: str | None
    until: str | None


def rewrite(sql: str, selection: Callable[[Asked], str]) -> str:
    """Exchange the table of events in a statement for a selection of what the statement asks."""
    for column, expression in DERIVED.items():
        if column != "event_facts":
            sql = sql.replace(expression, column)
    return sql.replace(EVENTS_PLACEHOLDER, selection(asked_by(sql)))


def asked_by(sql: str) -> Asked:
    """What a statement asks, after its expressions became columns.

    A bound counts only where every reading of events has one.
    """
    readings = sql.count(EVENTS_PLACEHOLDER)
    since: list[str] = []
    until: list[str] = []
    for sign, value in _BOUND.findall(sql):
        (since if sign.startswith(">") else until).append(value)
    for times in _TIMES.findall(sql):
        since.append(f"arrayMin({times})")
        until.append(f"arrayMax({times})")
    teams = _TEAM.findall(sql)
    words = set(_WORD.findall(sql))
    return Asked(
        columns=tuple(column for column in COLUMNS if column in words),
        team=teams[0] if len(set(teams)) == 1 and len(teams) >= readings else None,
        since=_one("least", since) if len(since) >= readings else None,
        until=_one("greatest", until) if len(until) >= readings else None,
    )


def _one(function: str, values: list[str]) -> str | None:
    different = list(dict.fromkeys(values))
    if not different:
        return None
    return different[0] if len(different) == 1 else f"{function}({', '.join(different)})"
