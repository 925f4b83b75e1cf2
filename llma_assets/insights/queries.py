"""The statements of this room: which values the traces of a run have, and what was found of its clusters."""

from llma_assets.clusters import ITEMS_OF_FIRST_RUNS

# The values of each trace, counted by cluster. A trace that has items in two clusters counts in both. Long values are
# content, not attributes; objects and lists are neither. `tool` and `error` are made of several properties: an error's
# numbers and quoted words are masked, so that equal errors are one. Keys: of events (team_id, toDate(timestamp), event,
# uuid), of cluster_members (team_id, day, theme_id, attempt_id, item_id).
VALUES_BY_CLUSTER = """
WITH
    members AS
    (
        SELECT DISTINCT
            team_id,
            attempt_id,
            trace_id,
            -- What people took out of a cluster is in none.
            if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home
        FROM cluster_members FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND day IN {days:Array(Date)}
            AND theme_id IN {theme_ids:Array(String)}
            AND attempt_id IN {attempt_ids:Array(UUID)}
    )
SELECT attempt_id, name, value, sumMap([home], [toUInt64(1)]) AS by_cluster
FROM
(
    SELECT attempt_id, home, trace_id, attribute.1 AS name, attribute.2 AS value, any(distinct_id) AS user
    FROM
    (
        SELECT
            team_id,
            distinct_id,
            JSONExtractString(properties, '$ai_trace_id') AS trace_id,
            JSONExtractString(properties, '$ai_span_name') AS span,
            JSONExtractBool(properties, '$ai_is_error') OR JSONExtractString(properties, '$ai_error') != '' AS failed,
            replaceRegexpAll(
                replaceRegexpAll(left(JSONExtractString(properties, '$ai_error'), 200), '[\"\\'][^\"\\']*[\"\\']', '…'),
                '[A-Za-z_-]*[0-9][A-Za-z0-9_:.-]*', '…'
            ) AS message,
            arrayJoin(arrayConcat(
                arrayFilter(
                    pair -> length(pair.2) <= {most_bytes:UInt64}
                        AND pair.2 NOT IN ('', '\"\"', 'null')
                        AND left(pair.2, 1) NOT IN ('{', '[')
                        AND pair.1 NOT IN {ignored:Array(String)}
                        AND (event, pair.1) != ('$ai_span', '$ai_span_name'),
                    JSONExtractKeysAndValuesRaw(properties)
                ),
                if(event = '$ai_span' AND span != '', [('tool', span)], []),
                if(event = '$ai_span' AND span != '' AND failed, [('failed tool', span)], []),
                if(failed AND message != '', [('error', trimBoth(message))], [])
            )) AS attribute
        FROM {events_database:Identifier}.{events_table:Identifier}
        WHERE team_id = {team_id:Int64}
            AND timestamp >= {from:DateTime64(6, 'UTC')}
            AND timestamp < {until:DateTime64(6, 'UTC')}
            AND event IN {trigger_events:Array(String)}
            AND trace_id IN (SELECT trace_id FROM members)
    ) AS seen
    INNER JOIN members USING (team_id, trace_id)
    GROUP BY attempt_id, home, trace_id, name, value
)
GROUP BY attempt_id, name, value
HAVING count() >= {least_traces:UInt64} AND uniqExact(user) >= {least_users:UInt64}
ORDER BY count() DESC, name, value
LIMIT {most_values:UInt64} BY attempt_id
"""

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
TRACES_BY_CLUSTER = """
SELECT
    attempt_id,
    if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home,
    uniqExact(trace_id) AS traces
FROM cluster_members FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
GROUP BY attempt_id, home
"""

# Traces of some clusters of a run, and of all others, by user; the first row is of all users that are known. Keys:
# cluster_members (team_id, day, theme_id, attempt_id, item_id); trace_texts (team_id, day, level, item_id).
USERS_OF_CLUSTER = """
SELECT
    user_hash,
    grouping(user_hash) = 0 AS is_user,
    uniqExactIf(trace_id, is_in) AS traces,
    uniqExactIf(trace_id, NOT is_in) AS other_traces,
    uniqExactIf(user_hash, is_in) AS users,
    uniqExactIf(user_hash, NOT is_in) AS other_users
FROM
(
    SELECT
        item_id,
        item_day,
        trace_id,
        cluster_id IN {cluster_ids:Array(Int32)}
            AND NOT has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)) AS is_in
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
) AS members
INNER JOIN
(
    SELECT day AS item_day, item_id, user_hash
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} - 1 AND {day:Date}
        AND level = {level:String}
        AND user_hash != 0
) AS users USING (item_day, item_id)
GROUP BY GROUPING SETS ((user_hash), ())
ORDER BY is_user, traces DESC, user_hash
LIMIT {most:UInt32}
"""

# Key of run_attributes: (team_id, day, theme_id, attempt_id).
ATTRIBUTES_OF_RUN = """
SELECT attempt_id, method, traces, compared, found, counts
FROM run_attributes FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
"""

# How many traces, and users, of each day have an item in one of some lineages. A user of 0 is unknown. Key of
# trace_texts: (team_id, day, level, item_id).
LINEAGE_BY_DAY = (
    "WITH"
    + ITEMS_OF_FIRST_RUNS
    + """,
    users AS
    (
        SELECT day AS item_day, item_id, user_hash
        FROM trace_texts FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND level = {level:String}
    )
SELECT
    item_day AS day,
    uniqExactIf(
        trace_id, lineage_id IN {lineage_ids:Array(String)} AND item_id NOT IN {taken_out:Array(String)}
    ) AS traces_in,
    uniqExact(trace_id) AS traces,
    uniqExactIf(
        user_hash,
        lineage_id IN {lineage_ids:Array(String)} AND item_id NOT IN {taken_out:Array(String)} AND user_hash != 0
    ) AS users_in,
    uniqExactIf(user_hash, user_hash != 0) AS users
FROM members
INNER JOIN homes USING (day, attempt_id, cluster_id)
LEFT JOIN users USING (item_day, item_id)
GROUP BY item_day
ORDER BY item_day
"""
)

# Key of clustering_runs: (team_id, day, theme_id). Runs from before lineages have none to count.
RUNS_OF_THEME = """
SELECT day, attempt_id, level
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND lineage != '{}'
ORDER BY day
"""

# Key of releases: (team_id, name).
RELEASES = """
SELECT name, released_at, changed_by
FROM releases FINAL
WHERE team_id = {team_id:Int64} AND NOT removed
ORDER BY released_at, name
"""

# A release begins when the first event names it. Key of events: (team_id, toDate(timestamp), event, uuid).
RELEASES_OF_EVENTS = """
SELECT JSONExtractString(properties, {property:String}) AS name, min(timestamp) AS released_at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
    AND name != ''
GROUP BY name
ORDER BY released_at, name
LIMIT 1000
"""
