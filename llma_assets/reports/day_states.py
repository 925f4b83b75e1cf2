"""Which days of teams hold anything that the stages from texts to embeddings work on: one query for all of them.

A day without events and without stored rows costs a run nothing else. What is due on the others is decided by the
stages themselves.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from llma_assets.clickhouse import Database
from llma_assets.embeddings import PRODUCT
from llma_assets.team_day import TeamDay, midnight
from llma_assets.teams import ON_SKIP_LIST
from llma_assets.trace_events import TRIGGER_EVENTS

TEXTS_STAGES = ("trace_texts", "trace_summaries", "summary_embeddings")

# Keys: events (team_id, toDate(timestamp), event, uuid); document_embeddings (team_id, product, ...); all others
# (team_id, day, ...). Without FINAL where an older version of a row says as much: a row is there.
DAYS_WITH_ANYTHING = """
SELECT team_id, day, groupUniqArrayIf(left_out, left_out != '') AS left_out
FROM
(
    SELECT team_id, toDate(timestamp) AS day, '' AS left_out
    FROM {events_database:Identifier}.{events_table:Identifier}
    WHERE team_id IN {team_ids:Array(Int64)}
        AND timestamp >= {start:DateTime64(6, 'UTC')}
        AND timestamp < {end:DateTime64(6, 'UTC')}
        AND event IN {trigger_events:Array(String)}
    UNION ALL
    SELECT team_id, day, ''
    FROM trace_texts
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, day, ''
    FROM texts_made FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND (events > 0 OR waits_until IS NOT NULL)
    UNION ALL
    SELECT team_id, day, ''
    FROM theme_items
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, day, ''
    FROM trace_summaries
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, day, ''
    FROM summary_batches
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, toDate(timestamp) AS day, ''
    FROM document_embeddings
    WHERE team_id IN {team_ids:Array(Int64)}
        AND product = {product:String}
        AND timestamp >= {start:DateTime64(6, 'UTC')}
        AND timestamp < {end:DateTime64(6, 'UTC')}
    UNION ALL
    SELECT team_id, day, if(reason = {on_skip_list:String}, toString(stage), '')
    FROM skips FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND reason != ''
        AND (stage IN {stages:Array(String)} OR reason = {on_skip_list:String})
)
GROUP BY team_id, day
"""


def days_with_anything(database: Database, days: Collection[TeamDay]) -> dict[TeamDay, frozenset[str]]:
    """The days that hold anything, each with the stages that have a skip of it because of the skip list.

    Args:
        days: of any teams, near each other in time.
    """
    if not days:
        return {}
    first, last = min(each.day for each in days), max(each.day for each in days)
    rows = database.rows(
        DAYS_WITH_ANYTHING,
        team_ids=sorted({each.team_id for each in days}),
        start=midnight(first),
        end=midnight(last + timedelta(days=1)),
        trigger_events=list(TRIGGER_EVENTS),
        product=PRODUCT,
        stages=list(TEXTS_STAGES),
        on_skip_list=ON_SKIP_LIST,
        **{"from": first, "until": last},
    )
    found = {TeamDay(row["team_id"], row["day"]): frozenset(row["left_out"]) for row in rows}
    return {day: found[day] for day in days if day in found}


def span_with_anything(database: Database, days: Sequence[TeamDay]) -> tuple[TeamDay, TeamDay]:
    """The first and the last of a team's days that hold anything; the last of all where none does."""
    found = sorted(days_with_anything(database, days), key=lambda each: each.day)
    return (found[0], found[-1]) if found else (days[-1], days[-1])
