"""Statements about the items of a run: a page of them, with titles and figures of those alone that it shows."""

from collections.abc import Mapping
from typing import Literal

Sort = Literal["cluster", "newest", "oldest", "typical", "farthest", "cost", "latency", "errors"]

ORDERS: Mapping[Sort, str] = {
    "cluster": "cluster_id = -1, cluster_id, rank, item_id",
    "newest": "timestamp DESC, item_id",
    "oldest": "timestamp, item_id",
    "typical": "distance, item_id",
    "farthest": "distance DESC, item_id",
    "cost": "cost_usd DESC, item_id",
    "latency": "latency_s DESC, item_id",
    "errors": "error_count DESC, item_id",
}
"""What each order is in SQL; nothing of a request becomes part of a statement."""

# Ids on light columns first: what a page shows of its items is read for these alone. Keys: cluster_members (team_id,
# day, theme_id, attempt_id, item_id); trace_summaries (team_id, day, theme_id, item_id); trace_texts (team_id, day,
# level, item_id).
MEMBERS = """SELECT
        item_id, trace_id, generation_id, item_day, timestamp, distance, rank, strength, x, y,
        -- What people took out of a cluster is in none.
        if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
        AND home IN {cluster_ids:Array(Int32)}
        /* and */"""
ITEMS = f"""
SELECT
    item_id, trace_id, generation_id, item_day, timestamp, home AS cluster_id, distance, strength, x, y,
    count() OVER () AS found
FROM
(
    {MEMBERS}
) AS members
/* join */
ORDER BY
    /* order */
LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
"""
SEARCHED = """AND
        (
            item_id = {search:String}
            OR (item_day, item_id) IN
            (
                SELECT day, item_id
                FROM trace_summaries FINAL
                WHERE team_id = {team_id:Int64}
                    AND day BETWEEN {from:Date} - 1 AND {day:Date}
                    AND theme_id = {theme_id:String}
                    AND
                    (
                        positionCaseInsensitiveUTF8(title, {search:String}) > 0
                        OR positionCaseInsensitiveUTF8(bullets, {search:String}) > 0
                        OR positionCaseInsensitiveUTF8(interesting_notes, {search:String}) > 0
                    )
            )
        )"""
WITHIN = "AND pointInPolygon((x, y), {area:Array(Tuple(Float64, Float64))})"
WITH_FIGURES = """LEFT JOIN
(
    SELECT day AS item_day, item_id, cost_usd, latency_s, error_count
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} - 1 AND {day:Date}
        AND level = {level:String}
) AS numbers USING (item_day, item_id)"""
BY_FIGURES: frozenset[Sort] = frozenset(("cost", "latency", "errors"))

# Keys: trace_summaries (team_id, day, theme_id, item_id); trace_texts (team_id, day, level, item_id).
OF_ITEMS = "    AND ({all_items:Bool} OR item_id IN {item_ids:Array(String)})\n"
ALL_TITLES = """SELECT day AS item_day, item_id, title
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} - 1 AND {day:Date}
    AND theme_id = {theme_id:String}
"""
TITLES = ALL_TITLES + OF_ITEMS
ALL_FIGURES = """SELECT day AS item_day, item_id, cost_usd, latency_s, error_count
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} - 1 AND {day:Date}
    AND level = {level:String}
"""
FIGURES = ALL_FIGURES + OF_ITEMS
MAX_IDS = 1_000
"""Of more items than these, titles and figures of all are read: a list of ids has its limits."""
NO_FIGURES = {"cost_usd": 0.0, "latency_s": 0.0, "error_count": 0}
