"""The statements about causes of clusters."""

# Key of cluster_causes: (team_id, day, theme_id, attempt_id, cluster_id).
CAUSES_OF_RUN = """
SELECT cluster_id, status, error, model, asked_with, causes, refused
FROM cluster_causes FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id
"""

# Keys: cluster_causes and clusters (team_id, day, theme_id, attempt_id, cluster_id). The latest of each lineage.
EARLIER_CAUSES = """
SELECT lineage_id, status, model, causes, refused
FROM
(
    SELECT day, attempt_id, cluster_id, status, model, causes, refused
    FROM cluster_causes FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND asked_with = {asked_with:String}
        AND status != 'failed'
) AS asked
INNER JOIN
(
    SELECT day, attempt_id, cluster_id, lineage_id
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND lineage_id != ''
) AS homes USING (day, attempt_id, cluster_id)
ORDER BY day DESC, lineage_id
LIMIT 1 BY lineage_id
"""

# Key of trace_texts: (team_id, day, level, item_id).
TEXTS = """
SELECT item_id, text
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND level = {level:String}
    AND item_id IN {item_ids:Array(String)}
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
SPENT_ON_CAUSES = """
SELECT sum(coalesce(cost_usd, at_most_usd, 0)) AS usd
FROM model_usage FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND stage = {stage:String} AND theme_id = {theme_id:String}
"""

# Key of trace_texts: (team_id, day, level, item_id). Characters that are read of a text of a day, on average.
TEXT_LENGTH = """
SELECT avg(least(lengthUTF8(text), {most:UInt32}))
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND level = {level:String}
"""
