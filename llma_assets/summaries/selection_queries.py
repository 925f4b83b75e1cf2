"""Statements about the selection of a theme (`theme_items`, `theme_days`). Other statements belong in `queries`."""

# Key of theme_items: (team_id, day, theme_id, item_id).
THEME_ITEMS = """
SELECT item_id, version, inclusion_probability, taken, screened, basis
FROM theme_items FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String}
"""

# Key of theme_days: (team_id, day, theme_id).
THEME_DAY = """
SELECT version, matched, sampled, screened, sample_rate
FROM theme_days FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String}
"""

# The items that a theme after this one starts from. Keys: (team_id, day, theme_id, item_id) of both tables.
RELEVANT_ITEMS = """
SELECT item_id, inclusion_probability
FROM theme_items FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND taken
    AND screened
    AND item_id IN
    (
        SELECT item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND status = 'generated'
            AND relevant
            AND theme_version IN {versions:Array(String)}
    )
"""

# An item has one day. One that is here and under a later day was moved here by an event that came late.
SELECTED_HERE_AND_LATER = """
SELECT item_id
FROM theme_items FINAL
WHERE team_id = {team_id:Int64} AND day >= {day:Date} AND day <= {last_day:Date} AND theme_id = {theme_id:String}
GROUP BY item_id
HAVING min(day) = {day:Date} AND max(day) > {day:Date} AND argMin(taken, day)
"""

DELETE_THEME_ITEMS_OF_LATER_DAYS = """
DELETE FROM theme_items
WHERE team_id = {team_id:Int64}
    AND day > {day:Date}
    AND day <= {last_day:Date}
    AND theme_id = {theme_id:String}
    AND item_id IN {item_ids:Array(String)}
"""

# Days of another version do not count: their numbers are not comparable.
# Keys: theme_days (team_id, day, theme_id); theme_items and trace_summaries (team_id, day, theme_id, item_id).
FUNNEL_OF_DAYS = """
SELECT *
FROM
(
    SELECT
        sum(theme_days.matched) AS matched,
        sum(theme_days.sampled) AS sampled,
        sum(theme_days.screened) AS screened,
        count() AS days
    FROM theme_days FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND version = {version:String}
) AS taken
CROSS JOIN
(
    SELECT count() AS summarised, countIf(trace_summaries.relevant) AS relevant
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND status = 'generated'
        AND theme_version IN {versions:Array(String)}
        AND (day, item_id) IN
        (
            SELECT day, item_id
            FROM theme_items FINAL
            WHERE team_id = {team_id:Int64}
                AND day BETWEEN {from:Date} AND {until:Date}
                AND theme_id = {theme_id:String}
                AND version = {version:String}
                AND taken
                AND screened
        )
) AS answered
"""
