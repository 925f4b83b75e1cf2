"""The statements of the events room."""

# Key of trace_texts: (team_id, day, level, item_id).
NUMBERS_OF_ITEMS = """
SELECT level, item_id, cost_usd, latency_s, tokens, error_count
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND level IN {levels:Array(String)}
"""

# Events are published to the pipeline's own table, which is the source itself where no other is named.
# Key of events: (team_id, toDate(timestamp), event, uuid).
PUBLISHED_EVENTS = """
SELECT uuid, properties, inserted_at
FROM events FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND event IN {events:Array(String)}
    AND uuid IN {uuids:Array(UUID)}
"""

# Key of events as above.
IS_PUBLISHED = """
SELECT max(inserted_at) AS published_at, count() AS events
FROM events
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND event = {event:String}
    AND uuid = {uuid:UUID}
"""

FORGET_OLDER_VERSIONS = """
DELETE FROM events
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND event = {event:String}
    AND uuid = {uuid:UUID}
    AND inserted_at <= {inserted_at:DateTime64(6, 'UTC')}
"""

# Keys: events as above; clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
DAYS_WITH_OTHER_LINEAGES = """
WITH
    runs AS
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND theme_id = {theme_id:String}
    ),
    stored AS
    (
        SELECT day, arraySort(groupArray((cluster_id, lineage_id, toString(lineage_status)))) AS lineages
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND (day, attempt_id) IN (SELECT day, attempt_id FROM runs)
            AND disclosure != 'held_back'
        GROUP BY day
    ),
    published AS
    (
        SELECT
            toDate(timestamp) AS day,
            arraySort(arrayMap(
                each -> (
                    toInt32(JSONExtractInt(each, 'cluster_id')),
                    JSONExtractString(each, 'lineage_id'),
                    JSONExtractString(each, 'lineage_status')
                ),
                JSONExtractArrayRaw(properties, '$ai_clusters')
            )) AS lineages
        FROM events FINAL
        WHERE team_id = {team_id:Int64}
            AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
            AND event = {event:String}
            AND JSONExtractString(properties, '$ai_analysis_theme_id') = {theme_id:String}
    )
SELECT day
FROM stored
INNER JOIN published USING (day)
WHERE stored.lineages != published.lineages
ORDER BY day
"""

PUBLISHED_OF_DAY = """
SELECT
    uuid,
    event,
    JSONExtractString(properties, '$ai_analysis_theme_id') AS theme_id,
    JSONExtractUInt(properties, '$ai_total_items_analyzed') AS items,
    length(JSONExtractArrayRaw(properties, '$ai_clusters')) AS clusters,
    arraySum(arrayMap(c -> length(JSONExtractArrayRaw(c, 'traces')), JSONExtractArrayRaw(properties, '$ai_clusters')))
        AS members,
    properties
FROM events FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND event IN ('$ai_trace_clusters', '$ai_generation_clusters')
ORDER BY theme_id, uuid
"""

# Of several teams, for whoever evaluates the check only where it may fail. Key of events: as above.
TEAMS_WITH_EMPTY_EVENTS = """
SELECT DISTINCT team_id
FROM events FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND toDate(timestamp) = {day:Date}
    AND event IN ('$ai_trace_clusters', '$ai_generation_clusters')
    AND (
        JSONExtractUInt(properties, '$ai_total_items_analyzed') = 0
        OR empty(JSONExtractArrayRaw(properties, '$ai_clusters'))
    )
"""

# The tags of a theme's items of some days. Key of events: (team_id, toDate(timestamp), event, uuid).
STORED_TAGS = """
SELECT uuid, properties
FROM events FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    AND event = {event:String}
    AND JSONExtractString(properties, '$ai_tag_theme') = {theme_id:String}
"""

DELETE_TAGS = """
DELETE FROM events
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    AND event = {event:String}
    AND uuid IN {uuids:Array(UUID)}
"""
