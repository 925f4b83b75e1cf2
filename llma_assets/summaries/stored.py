"""What is stored of summaries, as later stages, estimates and reports read it."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes import GENERATIONS, TRACES, Theme

IDS_AT_ONCE = 2_000
"""Ids that one statement gets as a parameter."""

# Key of trace_summaries: (team_id, day, theme_id, item_id).
SUMMARIES_OF_ITEMS = """
SELECT day, item_id, title, flow_diagram, bullets, interesting_notes
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND status = 'generated'
    AND item_id IN {item_ids:Array(String)}
"""

# Key of trace_summaries: (team_id, day, theme_id, item_id). Of a trace those of its generations, too.
SUMMARIES_OF_ITEM = """
SELECT
    day,
    theme_id,
    theme_version,
    level,
    item_id,
    status,
    error,
    relevant,
    model,
    title,
    flow_diagram,
    bullets,
    interesting_notes
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND (item_id = {item_id:String} OR trace_id = {item_id:String})
ORDER BY level = 'trace' DESC, theme_id, trace_timestamp, item_id
"""

# Summaries that a clustering of the last of these days would read; for estimates.
WINDOW_COUNTS = """
SELECT theme_id, countIf(status = 'generated' AND relevant) AS items
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
GROUP BY theme_id
"""

# Keys: (team_id, day, level, item_id) of trace_texts; (team_id, day, theme_id, item_id) of trace_summaries. What the
# general themes, each of a level, have still to ask about.
TEXTS_WITHOUT_SUMMARY = """
SELECT count()
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND drawn
    AND (day, level, item_id) NOT IN
    (
        SELECT day, if(theme_id = {of_generations:String}, 'generation', 'trace'), item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id IN ({of_traces:String}, {of_generations:String})
            AND status = 'generated'
    )
"""


def summaries_of_items(
    database: Database, team_id: int, theme_id: str, item_ids: Sequence[str], *, first_day: date, last_day: date
) -> Iterator[dict[str, Any]]:
    """The summaries of some items of a theme: day, item id, title, flow diagram, bullets and notes."""
    for ids in chunked(item_ids, IDS_AT_ONCE):
        yield from database.rows(
            SUMMARIES_OF_ITEMS,
            team_id=team_id,
            theme_id=theme_id,
            item_ids=ids,
            **{"from": first_day, "until": last_day},
        )


def summaries_of_item(
    database: Database, team_id: int, item_id: str, *, first_day: date, last_day: date
) -> list[dict[str, Any]]:
    """What each theme says of a trace and of its generations, or of one generation; those of the trace first."""
    return database.rows(SUMMARIES_OF_ITEM, team_id=team_id, item_id=item_id, **{"from": first_day, "until": last_day})


def items_of_window(database: Database, team_day: TeamDay, theme: Theme, lookback_days: int) -> int:
    """How many items a clustering of the theme would read, as far as they are summarised.

    Args:
        lookback_days: the team's window, where the theme has none of its own.
    """
    first = team_day.back((theme.lookback_days or lookback_days) - 1).day
    rows = database.rows(WINDOW_COUNTS, team_id=team_day.team_id, **{"from": first, "until": team_day.day})
    return next((row["items"] for row in rows if row["theme_id"] == theme.theme_id), 0)


def texts_without_summary(database: Database, team_id: int, first_day: date, last_day: date) -> int:
    """What the general themes have still to ask about on some days."""
    themes = {"of_traces": TRACES.theme_id, "of_generations": GENERATIONS.theme_id}
    return int(
        database.value(TEXTS_WITHOUT_SUMMARY, team_id=team_id, **themes, **{"from": first_day, "until": last_day})
    )
