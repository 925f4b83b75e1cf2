"""Which items of a day match a theme: the statements that ask, and what they find.

What a filter means belongs in `filter_sql.py`, which of the matching items are selected in `sampling.py`, which of them
are quiet in `rendering`. How many match, before a theme runs, is in `preview.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes.filter_sql import compile_filters
from llma_assets.themes.theme import Level, Theme
from llma_assets.trace_events import TRIGGER_EVENTS

# `__all__` stands for the conditions, which are fixed text as well, and `__trace_id__` for what reads the trace's id.
# A trace belongs to the day of its first event. Key of events: (team_id, toDate(timestamp), event, uuid).
_TRACES = """
SELECT
    __trace_id__ AS item_id,
    item_id AS trace_id,
    min(timestamp) AS first_at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
GROUP BY item_id
HAVING item_id != ''
    AND first_at >= {start:DateTime64(6, 'UTC')}
    AND first_at < {end:DateTime64(6, 'UTC')}
    AND max(__all__)
ORDER BY first_at, item_id
"""

# A generation is one event.
_GENERATIONS = """
SELECT
    toString(uuid) AS item_id,
    any(__trace_id__) AS trace_id,
    min(timestamp) AS first_at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event = '$ai_generation'
    AND __all__
GROUP BY uuid
HAVING trace_id != ''
ORDER BY first_at, item_id
"""
_STATEMENTS: dict[Level, str] = {"trace": _TRACES, "generation": _GENERATIONS}


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
    """The items that begin on the day and match the theme's filters, oldest first, by trace id or generation's uuid.

    Args:
        reach: how far before and after its day a trace's events are looked for; one in there may be what matches.

    Raises:
        FilterError: a filter is not sound.
        DatabaseError: ClickHouse refused.
    """
    compiled = compile_filters(theme.filters)
    statement = _STATEMENTS[theme.level].replace("__all__", f"({' AND '.join(compiled.conditions) or '1'})")
    trace_only = {
        "from": team_day.start - reach,
        "until": team_day.end + reach,
        "trigger_events": list(TRIGGER_EVENTS),
    }
    rows = database.stream(
        statement.replace("__trace_id__", compiled.trace_id),
        team_id=team_day.team_id,
        start=team_day.start,
        end=team_day.end,
        **compiled.parameters,
        **(trace_only if theme.level == "trace" else {}),
    )
    return {row["item_id"]: MatchedItem(row["trace_id"], row["first_at"]) for row in rows}
