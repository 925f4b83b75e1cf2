"""Every statement of the room: links, notes, leases, health; and clusters as they were last seen."""

# Key of tracker_links: (team_id, link_id).
LINKS = """
SELECT link_id, tracker, about, subject, theme_id, title, wanted_by, wanted_at, round
FROM tracker_links FINAL
WHERE team_id = {team_id:Int64}
ORDER BY wanted_at, link_id
"""

# Key of tracker_link_states: (team_id, link_id).
LINK_STATES = """
SELECT link_id, state
FROM tracker_link_states FINAL
WHERE team_id = {team_id:Int64}
"""

# Key of tracker_notes: (team_id, link_id, note_id).
NOTES = """
SELECT link_id, note_id, kind, body, begun_at, reply, problem
FROM tracker_notes FINAL
WHERE team_id = {team_id:Int64}
ORDER BY begun_at, note_id
"""

# Key of tracker_leases: (team_id, tracker, turn).
LAST_LEASE = """
SELECT turn, claimed_by, lease_until
FROM tracker_leases FINAL
WHERE team_id = {team_id:Int64} AND tracker = {tracker:String}
ORDER BY turn DESC
LIMIT 1
"""

# Key of tracker_leases: (team_id, tracker, turn).
WINNER = """
SELECT claimed_by
FROM tracker_leases FINAL
WHERE team_id = {team_id:Int64} AND tracker = {tracker:String} AND turn = {turn:UInt64}
"""

# Key of tracker_health: (team_id, tracker).
HEALTH = """
SELECT tracker, turn, passed_at, word, problem, notice, failures, retry_at, clock_offset_s
FROM tracker_health FINAL
WHERE team_id = {team_id:Int64}
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters and cluster_members (…, attempt_id, cluster_id or item_id);
# trace_texts (team_id, day, level, item_id). The last run of each theme; what is not shown in full is left out.
LAST_CLUSTERS = """
WITH
    runs AS
    (
        SELECT theme_id, day, level, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
        ORDER BY theme_id, day DESC
        LIMIT 1 BY theme_id
    ),
    homes AS
    (
        SELECT theme_id, day, attempt_id, cluster_id, lineage_id
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND lineage_id != ''
            AND disclosure = 'full'
            AND (theme_id, day, attempt_id) IN (SELECT theme_id, day, attempt_id FROM runs)
    ),
    members AS
    (
        SELECT theme_id, day, attempt_id, cluster_id, item_id, item_day
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND (theme_id, day, attempt_id) IN (SELECT theme_id, day, attempt_id FROM runs)
    ),
    texts AS
    (
        SELECT day AS item_day, level, item_id, user_hash, error_count
        FROM trace_texts FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {texts_from:Date} AND {until:Date}
    )
SELECT
    homes.theme_id AS theme_id,
    homes.lineage_id AS lineage_id,
    any(homes.day) AS run_day,
    count() AS items,
    uniqExact(texts.user_hash) AS users,
    countIf(texts.error_count > 0) / count() AS error_rate,
    max(members.item_day) AS last_seen
FROM members
INNER JOIN homes USING (theme_id, day, attempt_id, cluster_id)
INNER JOIN runs USING (theme_id, day, attempt_id)
LEFT JOIN texts ON texts.item_day = members.item_day AND texts.level = runs.level AND texts.item_id = members.item_id
GROUP BY theme_id, lineage_id
ORDER BY theme_id, lineage_id
"""

# Key of clustering_runs: (team_id, day, theme_id). What each run says of lineages that ended.
ENDED = """
SELECT day, lineage
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND lineage LIKE '%"into"%'
ORDER BY day
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id). When each was split off what.
SPLIT_OFF = """
SELECT parent, lineage_id, min(day) AS first_day
FROM clusters FINAL
ARRAY JOIN lineage_parents AS parent
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND lineage_status = 'split'
    AND parent != lineage_id
    AND (day, theme_id, attempt_id) IN
    (
        SELECT day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
    )
GROUP BY parent, lineage_id
ORDER BY first_day, parent, lineage_id
"""

# Key of tracker_links: (team_id, link_id).
TEAMS_WITH_LINKS = """
SELECT DISTINCT team_id
FROM tracker_links
WHERE team_id IN {team_ids:Array(Int64)}
"""
