"""Every statement of the preview: events are scanned once, whatever the number of filters, days and questions.

What a filter means belongs in `filter_sql.py`, what follows from the counts in `preview.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.team_day import midnight
from llma_assets.themes.filter_sql import compile_filters, property_of
from llma_assets.themes.theme import Level, Theme
from llma_assets.trace_events import TRIGGER_EVENTS

MOST_SEEN = 10_000
"""Of so many events it is said which properties and values there are."""

# By the hour in which an item begins, as samples are drawn. What stands between `__` is put in below; it is fixed text
# as well. Key of events: (team_id, toDate(timestamp), event, uuid).
_HOURS = """
SELECT
    toStartOfHour(first_at) AS hour,
    count() AS items,
    countIf(met) AS matched,
    [__each__] AS each,
    sumIf(least(bytes, {most_bytes:UInt64}), met) AS matched_bytes,
    groupArraySortedIf({examples:UInt64})((cityHash64(item_id), item_id, first_at), met) AS examples
FROM (__items__)
WHERE first_at >= {start:DateTime64(6, 'UTC')} AND first_at < {end:DateTime64(6, 'UTC')}
GROUP BY hour
ORDER BY hour
"""

_TRACES = """
SELECT __trace_id__ AS item_id, min(timestamp) AS first_at, max(length(properties)) AS bytes, max(__all__) AS met,
    __met__
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
GROUP BY item_id
HAVING item_id != ''
"""

_GENERATIONS = """
SELECT toString(uuid) AS item_id, min(timestamp) AS first_at, any(length(properties)) AS bytes, max(__all__) AS met,
    __met__
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event = '$ai_generation'
GROUP BY uuid
HAVING max(__trace_id__) != ''
"""
_ITEMS: dict[Level, str] = {"trace": _TRACES, "generation": _GENERATIONS}

# What the first events of some items say. They are found by their times, so that few payloads are read.
FIRST_EVENTS = """
SELECT
    if({level:String} = 'trace', JSONExtractString(properties, '$ai_trace_id'), toString(uuid)) AS item_id,
    JSONExtractString(properties, '$ai_trace_id') AS trace_id,
    if(JSONExtractString(properties, '$ai_trace_name') != '', JSONExtractString(properties, '$ai_trace_name'),
        JSONExtractString(properties, '$ai_span_name')) AS name,
    if(JSONHas(properties, '$ai_input'), JSONExtractRaw(properties, '$ai_input'),
        JSONExtractRaw(properties, '$ai_input_state')) AS input
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp IN {times:Array(DateTime64(6, 'UTC'))}
    AND event IN {trigger_events:Array(String)}
    AND item_id IN {item_ids:Array(String)}
ORDER BY item_id, input = '', uuid
LIMIT 1 BY item_id
"""

# Key of trace_texts: (team_id, day, level, item_id).
STORED_TEXTS = """
SELECT count() AS texts, sum(length(text)) AS bytes
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {first_day:Date} AND {last_day:Date} AND level = {level:String}
"""

_SOME_EVENTS = """
SELECT event, distinct_id, timestamp, properties
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
LIMIT {most:UInt64}
"""

SEEN_KEYS = f"""
SELECT arrayJoin(JSONExtractKeys(properties)) AS name, count() AS events
FROM ({_SOME_EVENTS})
GROUP BY name
ORDER BY events DESC, name
LIMIT 1000
"""

_SEEN_VALUES = f"""
SELECT left(value, 60) AS shown, count() AS events
FROM (SELECT __value__ AS value FROM ({_SOME_EVENTS}))
WHERE isNotNull(value)
GROUP BY shown
ORDER BY events DESC, shown
LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """The items that began in an hour.

    Attributes:
        hour: when it begins.
        items: all of them.
        each: of these, how many each filter alone matches.
        matched: how many all filters together match.
        matched_bytes: the largest payload of each that matches, which usually repeats what came before it; none counted
            for more than a text can hold.
        examples: some of those that match: hash, item, time of its first event.
    """

    hour: datetime
    items: int
    each: Sequence[int]
    matched: int
    matched_bytes: int
    examples: Sequence[tuple[int, str, datetime]]


def scan(
    database: Database,
    team_id: int,
    theme: Theme,
    first_day: date,
    last_day: date,
    *,
    reach: timedelta,
    most_bytes: int,
    examples: int,
) -> list[Hour]:
    """Count what a theme's filters match; hours without items are left out.

    Raises:
        FilterError: a filter is not sound.
    """
    compiled = compile_filters(theme.filters)
    numbers = range(len(compiled.conditions))
    items = (
        _ITEMS[theme.level]
        .replace("__met__", ", ".join(["1", *(f"max({compiled.conditions[n]}) AS met{n}" for n in numbers)]))
        .replace("__all__", f"({' AND '.join(compiled.conditions) or '1'})")
        .replace("__trace_id__", compiled.trace_id)
    )
    start, end = midnight(first_day), midnight(last_day + timedelta(days=1))
    trace_only = {"from": start - reach, "until": end + reach, "trigger_events": list(TRIGGER_EVENTS)}
    rows = database.rows(
        _HOURS.replace("__items__", items).replace("__each__", ", ".join(f"countIf(met{n})" for n in numbers)),
        team_id=team_id,
        start=start,
        end=end,
        most_bytes=most_bytes,
        examples=examples,
        **compiled.parameters,
        **(trace_only if theme.level == "trace" else {}),
    )
    return [Hour(**row) for row in rows]


def first_events(
    database: Database, team_id: int, level: Level, found: Sequence[tuple[str, datetime]]
) -> dict[str, dict[str, Any]]:
    """Trace id, name and raw input of the first events of some items."""
    rows = database.rows(
        FIRST_EVENTS,
        team_id=team_id,
        level=level,
        item_ids=[item_id for item_id, _ in found],
        times=[first_at for _, first_at in found],
        trigger_events=list(TRIGGER_EVENTS),
    )
    return {row["item_id"]: row for row in rows}


def seen_keys(database: Database, team_id: int, first_day: date, last_day: date) -> dict[str, int]:
    """Names of properties in some of the events, with how many have them, the most frequent first."""
    rows = database.rows(SEEN_KEYS, **_some(team_id, first_day, last_day))
    return {row["name"]: row["events"] for row in rows}


def seen_values(database: Database, team_id: int, key: str, first_day: date, last_day: date) -> list[str]:
    """The most frequent values that a filter's key has in some of the events, cut to 60 characters."""
    value, parameters = property_of(key)
    statement = _SEEN_VALUES.replace("__value__", value)
    return [row["shown"] for row in database.rows(statement, **_some(team_id, first_day, last_day), **parameters)]


def _some(team_id: int, first_day: date, last_day: date) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "start": midnight(first_day),
        "end": midnight(last_day + timedelta(days=1)),
        "trigger_events": list(TRIGGER_EVENTS),
        "most": MOST_SEEN,
    }
