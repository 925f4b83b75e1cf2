"""SQL statements that only the command line uses; all others belong in the room of their table."""

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
