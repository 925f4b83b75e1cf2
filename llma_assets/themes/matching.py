"""Which items of a day match a theme. A first version for the stages to build on; the filters' owner replaces it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes.theme import Filter, Theme

_EVENTS = """
SELECT JSONExtractString(properties, '$ai_trace_id') AS trace_id, toString(uuid) AS event_uuid, event, timestamp,
    properties
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND trace_id != ''
ORDER BY timestamp
"""


@dataclass(frozen=True, slots=True)
class MatchedItem:
    """An item that matches.

    Attributes:
        trace_id: the trace that it is, or belongs to.
        first_at: time of its first event.
    """

    trace_id: str
    first_at: datetime


def matching_items(
    database: Database, team_day: TeamDay, theme: Theme, *, reach: timedelta
) -> Mapping[str, MatchedItem]:
    """The items whose first event is on the day and that meet each filter by an event."""
    items: dict[str, MatchedItem] = {}
    met: dict[str, set[int]] = {}
    span = {"from": team_day.start - reach, "until": team_day.end + reach}
    for row in database.rows(_EVENTS, team_id=team_day.team_id, **span):
        is_trace = theme.level == "trace"
        if not is_trace and row["event"] != "$ai_generation":
            continue
        item_id = row["trace_id"] if is_trace else row["event_uuid"]
        items.setdefault(item_id, MatchedItem(row["trace_id"], row["timestamp"]))
        properties = json.loads(row["properties"])
        met.setdefault(item_id, set()).update(n for n, each in enumerate(theme.filters) if _meets(each, properties))
    return {
        item_id: item
        for item_id, item in items.items()
        if team_day.start <= item.first_at < team_day.end and len(met[item_id]) == len(theme.filters)
    }


def _meets(each: Filter, properties: Mapping[str, Any]) -> bool:
    value = properties.get(each.key)
    if each.operator == "is_set":
        return each.key in properties
    if each.operator == "exact":
        return value == each.value
    if each.operator == "icontains":
        return str(each.value).lower() in str(value).lower()
    raise NotImplementedError(each.operator)
