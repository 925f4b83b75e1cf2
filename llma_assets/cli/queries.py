"""The statements that only the command line asks; every other belongs to the room of its table."""

# For whoever operates the pipeline: the teams that any stage has a row of for a day.
# Keys: (team_id, day, …), (team_id, toDate(timestamp), …).
TEAMS_OF_DAY = """
SELECT DISTINCT team_id
FROM
(
    SELECT team_id FROM eligible_teams WHERE day = {day:Date}
    UNION ALL
    SELECT team_id FROM trace_summaries WHERE day = {day:Date}
    UNION ALL
    SELECT team_id FROM document_embeddings WHERE toDate(timestamp) = {day:Date}
    UNION ALL
    SELECT team_id FROM clustering_runs WHERE day = {day:Date}
    UNION ALL
    SELECT team_id
    FROM events
    WHERE toDate(timestamp) = {day:Date}
        AND event IN ('$ai_trace_clusters', '$ai_generation_clusters')
)
ORDER BY team_id
"""

# Key of clustering_runs: (team_id, day, theme_id).
CLUSTERED_DAYS = """
SELECT DISTINCT day
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND items > 0
ORDER BY day
"""

# For whoever operates the pipeline: of all teams. Key of eligible_teams: (team_id, day).
DAYS_WITH_ANYTHING = """
SELECT DISTINCT day
FROM eligible_teams
ORDER BY day
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
EVENT_DAYS = """
SELECT DISTINCT toDate(timestamp) AS day
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) <= {until:Date}
    AND event IN {trigger_events:Array(String)}
ORDER BY day
"""

# For whoever operates the pipeline: of all teams.
TEAMS_WITH_EVENTS = """
SELECT DISTINCT team_id
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE event IN {trigger_events:Array(String)}
ORDER BY team_id
LIMIT {most:UInt32}
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
COUNT_TRACES_OF_DAY = """
SELECT uniqExactIf(JSONExtractString(properties, '$ai_trace_id'), JSONExtractString(properties, '$ai_trace_id') != '')
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
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

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
SPENT_SINCE = """
SELECT sum(ifNull(u.cost_usd, u.at_most_usd))
FROM model_usage AS u FINAL
WHERE u.team_id = {team_id:Int64}
    AND u.timestamp >= {since:DateTime64(6, 'UTC')}
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
USAGE_OF_DAY = """
SELECT
    stage,
    theme_id AS theme,
    model,
    count() AS calls,
    countIf(error != '') AS failed_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cached_tokens) AS cached_tokens,
    ifNull(sum(model_usage.cost_usd), 0) AS cost_usd,
    sumIf(model_usage.at_most_usd, model_usage.cost_usd IS NULL) AS unknown_cost_at_most_usd,
    countIf(model_usage.cost_usd IS NULL AND error = '') AS calls_without_price,
    sum(duration_s) AS duration_s
FROM model_usage FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
GROUP BY stage, theme_id, model
ORDER BY stage, theme_id, model
"""

# Key of trace_texts: (team_id, day, level, item_id). An id may be a trace's or, less likely, a generation's.
TEXT_OF_ITEM = """
SELECT day, level, trace_id, text, loss, event_count, line_count, cost_usd, latency_s, tokens, error_count, renderer
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND level IN ('trace', 'generation') AND item_id = {item_id:String}
ORDER BY level = 'trace' DESC, day DESC
LIMIT 1
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

# Of each item the latest run that read it. Keys: clustering_runs (team_id, day, theme_id); cluster_members
# (…, attempt_id, item_id); clusters and cluster_labels (…, attempt_id, cluster_id).
CLUSTERS_OF_ITEMS = """
WITH
    runs AS
    (
        SELECT day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day >= {from:Date} AND toDate(window_start) <= {until:Date}
    ),
    homes AS
    (
        SELECT day, theme_id, attempt_id, item_id, cluster_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day >= {from:Date}
            AND item_id IN {item_ids:Array(String)}
            AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
        ORDER BY day DESC
        LIMIT 1 BY theme_id, item_id
    )
SELECT
    homes.day AS day,
    homes.theme_id AS theme_id,
    homes.item_id AS item_id,
    homes.cluster_id AS cluster_id,
    known.lineage_id AS lineage_id,
    labels.title AS title
FROM homes
INNER JOIN
(
    SELECT day, theme_id, attempt_id, cluster_id, lineage_id
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day >= {from:Date}
        AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
) AS known USING (day, theme_id, attempt_id, cluster_id)
LEFT JOIN
(
    SELECT day, theme_id, attempt_id, cluster_id, title
    FROM cluster_labels FINAL
    WHERE team_id = {team_id:Int64}
        AND day >= {from:Date}
        AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
) AS labels USING (day, theme_id, attempt_id, cluster_id)
"""

TABLE_SIZES = """
SELECT name AS table, ifNull(total_rows, 0) AS rows, ifNull(total_bytes, 0) AS bytes
FROM system.tables
WHERE database = {database:String} AND engine NOT IN ('View', 'MaterializedView')
ORDER BY name
"""

FREE_DISK = """
SELECT name, free_space AS free_bytes, total_space AS total_bytes
FROM system.disks
ORDER BY free_space
"""

# Light columns only, one row: does the table have what the pipeline reads, in the types that it expects?
EVENT_COLUMN_TYPES = """
SELECT
    toTypeName(uuid) AS uuid,
    toTypeName(event) AS event,
    toTypeName(team_id) AS team_id,
    toTypeName(distinct_id) AS distinct_id,
    toTypeName(timestamp) AS timestamp,
    toTypeName(properties) AS properties
FROM
(
    SELECT uuid, event, team_id, distinct_id, timestamp, properties
    FROM {events_database:Identifier}.{events_table:Identifier}
    LIMIT 1
)
"""

# Payloads of the last days that have events, of so many events at most.
UNREADABLE_EVENTS = """
SELECT
    countIf(is_unreadable) AS unreadable,
    count() AS events,
    argMaxIf(team_id, timestamp, is_unreadable) AS team_id,
    maxIf(timestamp, is_unreadable) AS last_at
FROM
(
    SELECT team_id, timestamp, JSONType(properties) != 'Object' AS is_unreadable
    FROM {events_database:Identifier}.{events_table:Identifier}
    WHERE event IN {trigger_events:Array(String)}
        AND timestamp >= (
            SELECT max(timestamp) - toIntervalDay({days:UInt32})
            FROM {events_database:Identifier}.{events_table:Identifier}
        )
    LIMIT {most:UInt32}
)
"""

# The last clustering of each theme. Key of clustering_runs: (team_id, day, theme_id).
LAST_RUN_OF_THEMES = """
SELECT
    theme_id,
    max(day) AS last_day,
    argMax(items, day) AS clustered_items,
    argMax(clusters, day) AS cluster_count,
    argMax(committed_at, day) AS last_committed_at
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
GROUP BY theme_id
ORDER BY theme_id
"""
