"""The statements of discovery, with server-side parameters."""

# Key of events: (team_id, toDate(timestamp), event, uuid). The statement reads all teams, so that only the
# months and days of the window prune. Counted by uuid: an event may be stored twice until the table merges. An event is
# unreadable if its properties are not a JSON object; it then has no trace id, so that only such events are parsed.
TEAM_STATS = """
SELECT
    team_id,
    uniqExactIf(trace_id, trace_id != '') AS traces,
    uniqExact(uuid) AS events,
    uniqExactMapIf(map(day, uuid), is_unreadable) AS unreadable
FROM
(
    SELECT
        team_id,
        uuid,
        toDate(timestamp) AS day,
        JSONExtractString(properties, '$ai_trace_id') AS trace_id,
        trace_id = '' AND JSONType(properties) != 'Object' AS is_unreadable
    FROM {events_database:Identifier}.{events_table:Identifier}
    WHERE timestamp >= toDateTime64({first_day:Date}, 6, 'UTC')
        AND timestamp < toDateTime64({end_day:Date}, 6, 'UTC')
        AND event IN {trigger_events:Array(String)}
)
GROUP BY team_id
ORDER BY team_id
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
TRACES_OF_TEAM_AND_DAY = """
SELECT uniqExactIf(JSONExtractString(properties, '$ai_trace_id'), JSONExtractString(properties, '$ai_trace_id') != '')
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
"""

# Key of eligible_teams: (team_id, day). Teams with a row on the day, and teams whose latest earlier
# row is not `no_recent_events`.
KNOWN_TEAMS = """
SELECT team_id
FROM
(
    SELECT
        team_id,
        maxIf(day, day < {day:Date}) AS latest,
        argMaxIf(reason, (day, inserted_at), day < {day:Date}) AS latest_reason,
        countIf(day = {day:Date}) AS rows_of_day
    FROM eligible_teams
    WHERE day BETWEEN {oldest_day:Date} AND {day:Date}
    GROUP BY team_id
)
WHERE rows_of_day > 0
    OR latest_reason NOT IN ('', {no_recent_events:String})
ORDER BY team_id
"""

# Key of eligible_teams: (team_id, day).
DECISIONS_OF_DAY = """
SELECT
    team_id,
    eligible,
    reason,
    detail,
    traces,
    events,
    toDate(window_start) AS first_day,
    toDate(window_end) AS end_day
FROM eligible_teams FINAL
WHERE day = {day:Date}
ORDER BY team_id
"""

DECISIONS_OF_TEAMS = DECISIONS_OF_DAY.replace("WHERE day", "WHERE team_id IN {team_ids:Array(Int64)} AND day")

# Key of eligible_teams: (team_id, day). The days of the windows of eligible teams.
LET_IN_SINCE = """
SELECT DISTINCT
    team_id,
    toDate(window_start) + arrayJoin(range(toUInt32(dateDiff('day', window_start, window_end)))) AS day_of_window
FROM eligible_teams FINAL
WHERE day >= {since:Date}
    AND eligible
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
TRIGGER_EVENTS_OF_TEAM = """
SELECT uniqExact(uuid) AS events,
    if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state))) AS events_digest
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
EVENTS_OF_TEAM_BY_DAY = """
SELECT toDate(timestamp) AS day, uniqExact(uuid) AS events,
    if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state))) AS events_digest
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
GROUP BY day
"""

# Light columns only: new and repaired events are detected without payloads.
EVENTS_BY_TEAM_AND_DAY = """
SELECT team_id, toDate(timestamp) AS day, uniqExact(uuid) AS events,
    if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state))) AS events_digest
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp <= {end:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
GROUP BY team_id, day
ORDER BY team_id, day
"""
