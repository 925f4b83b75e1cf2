"""Statements about tasks: watermarks, task_versions, task_segments, task_history, task_labels.

What a pass wrote counts only once its row in watermarks is there. Statements about segments belong in
`segment_queries`.
"""

PIPELINE = "tasks"
"""Value of `watermarks.pipeline` for tasks."""

# Of all teams, for the schedule.
ARRIVED_UNTIL_BY_TEAM = """
SELECT team_id, max(arrived_until) AS arrived_until
FROM watermarks FINAL
WHERE pipeline = {pipeline:String}
GROUP BY team_id
"""

# Key of watermarks: (team_id, pipeline, position). What counts of the tasks' tables is what these passes wrote.
LAST_PASS = """
SELECT position, pass_id
FROM watermarks FINAL
WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
ORDER BY position DESC
LIMIT 1
"""

PASS_OF_BATCH = """
SELECT pass_id
FROM watermarks FINAL
WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String} AND position = {position:UInt64}
"""

# Key of task_versions: (team_id, task_id, batch_id, pass_id). The newest version of each task that a done batch wrote,
# of those whose centroids have one dimension.
TASK_STATES = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS task_id, batch_id, toString(pass_id) AS pass_id, title, description, label_model,
    label_error, actionable, actionable_reason, labelled_segments, labelled_centroid, segments, centroid,
    embedding_model
FROM task_versions AS v FINAL
WHERE v.team_id = {team_id:Int64}
    AND v.dimension = {dimension:UInt32}
    AND v.pass_id IN (SELECT pass_id FROM done)
    AND (v.task_id, v.batch_id) IN
    (
        SELECT task_id, max(batch_id)
        FROM task_versions
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
        GROUP BY task_id
    )
"""

TASK_TITLES = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS task_id, title, description, label_model, label_error, actionable, actionable_reason
FROM task_versions AS v FINAL
WHERE v.team_id = {team_id:Int64}
    AND v.pass_id IN (SELECT pass_id FROM done)
    AND (v.task_id, v.batch_id) IN
    (
        SELECT task_id, max(batch_id)
        FROM task_versions
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
        GROUP BY task_id
    )
"""

# Tasks whose present label is still to be made, the largest first.
UNLABELLED_TASKS = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS task_id, embedding_model, dimension
FROM task_versions AS v FINAL
WHERE v.team_id = {team_id:Int64}
    AND v.pass_id IN (SELECT pass_id FROM done)
    AND startsWith(label_error, {deferred:String})
    AND (v.task_id, v.batch_id) IN
    (
        SELECT task_id, max(batch_id)
        FROM task_versions
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
        GROUP BY task_id
    )
ORDER BY segments DESC, task_id
LIMIT {most:UInt64}
"""

# Key of task_segments: (team_id, document_id, pass_id). `merged` and `into` say which tasks people made one.
TASK_FACTS = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT
    transform(toString(task_id), {merged:Array(String)}, {into:Array(String)}, toString(task_id)) AS id,
    count() AS occurrence_count,
    uniqExact(distinct_id) AS user_count,
    round(avg(impact), 9) AS mean_impact,  -- the sum of floats depends on the order of rows
    min(segment_start) AS first_seen,
    max(segment_end) AS last_seen
FROM task_segments FINAL
WHERE team_id = {team_id:Int64}
    AND pass_id IN (SELECT pass_id FROM done)
GROUP BY id
ORDER BY id
"""

# Key of task_segments: (team_id, document_id, pass_id).
SEGMENTS_BY_DAY = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT
    transform(toString(task_id), {merged:Array(String)}, {into:Array(String)}, toString(task_id)) AS id,
    toDate(segment_start) AS day,
    count() AS segments
FROM task_segments FINAL
WHERE team_id = {team_id:Int64}
    AND pass_id IN (SELECT pass_id FROM done)
    AND day BETWEEN {from:Date} AND {until:Date}
GROUP BY id, day
ORDER BY id, day
"""

# The segments that are nearest to the middle of each of some tasks.
NEAREST_SEGMENTS = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS id, document_id
FROM task_segments FINAL
WHERE team_id = {team_id:Int64}
    AND pass_id IN (SELECT pass_id FROM done)
    AND task_id IN {task_ids:Array(UUID)}
ORDER BY task_id, distance, document_id
LIMIT {most:UInt64} BY task_id
"""

SEGMENTS_OF_TASKS = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT t.task_id, t.document_id, t.session_id, t.segment_start, t.segment_end, t.distinct_id, t.distance, t.failure,
    t.confusion, t.abandonment, t.impact
FROM task_segments AS t FINAL
WHERE t.team_id = {team_id:Int64}
    AND t.pass_id IN (SELECT pass_id FROM done)
    AND toString(t.task_id) IN {task_ids:Array(String)}
ORDER BY t.segment_start DESC, t.document_id
LIMIT {most:UInt64}
"""

# Sessions and users of each day that some tasks' segments are of, and of all segments that were looked at.
# Keys: task_segments (team_id, document_id, pass_id), segment_members (team_id, batch_id, attempt_id, document_id).
TASK_BY_DAY = """
WITH
    done AS
    (
        SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
    ),
    mine AS
    (
        SELECT document_id
        FROM task_segments FINAL
        WHERE team_id = {team_id:Int64}
            AND pass_id IN (SELECT pass_id FROM done)
            AND toString(task_id) IN {task_ids:Array(String)}
    )
SELECT
    toDate(segment_start) AS day,
    uniqExactIf(session_id, document_id IN (SELECT document_id FROM mine)) AS sessions_in,
    uniqExact(session_id) AS sessions,
    uniqExactIf(distinct_id, document_id IN (SELECT document_id FROM mine)) AS users_in,
    uniqExact(distinct_id) AS users
FROM segment_members FINAL
WHERE team_id = {team_id:Int64}
    AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
    AND status != 'refused'
    AND toDate(segment_start) BETWEEN {from:Date} AND {until:Date}
GROUP BY day
ORDER BY day
"""

# Key of task_history: (team_id, task_id, change_id). Changes outside of a batch count at once.
TASK_HISTORY = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS task_id, changed_at, batch_id, change, status, detail, target, changed_by
FROM task_history AS h FINAL
WHERE h.team_id = {team_id:Int64}
    AND (batch_id = 0 OR pass_id IN (SELECT pass_id FROM done))
    AND h.task_id IN {task_ids:Array(UUID)}
ORDER BY changed_at, inserted_at, change_id
"""

# What the present state of all tasks follows from: growth and labels, which are most of a history, change none of it.
LIFECYCLE_CHANGES = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT toString(task_id) AS task_id, changed_at, batch_id, change, status, detail, target, changed_by
FROM task_history AS h FINAL
WHERE h.team_id = {team_id:Int64}
    AND (batch_id = 0 OR pass_id IN (SELECT pass_id FROM done))
    AND change NOT IN ('grown', 'labelled')
ORDER BY changed_at, inserted_at, change_id
"""

# Key of task_labels: (team_id, content_hash).
STORED_LABEL = """
SELECT answer, model
FROM task_labels FINAL
WHERE team_id = {team_id:Int64} AND content_hash = {content_hash:String}
"""

# Segments of done batches that are in a group, or alone and in need of a task, without a link to any task: what two
# runs at once lost before 0010.
# Keys: segment_members (team_id, batch_id, attempt_id, document_id), task_segments (team_id, document_id, pass_id).
SEGMENTS_WITHOUT_TASK = """
WITH done AS
(
    SELECT position, pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT batch_id, document_id, status, reason, cluster_no, distance, session_id, distinct_id, segment_start,
    segment_end, failure, confusion, abandonment, impact
FROM segment_members FINAL
WHERE team_id = {team_id:Int64}
    AND batch_id <= (SELECT max(position) FROM done)
    AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
    AND status IN ('clustered', 'single')
    AND document_id NOT IN
    (
        SELECT document_id
        FROM task_segments
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
    )
ORDER BY batch_id, document_id
LIMIT 1 BY document_id
LIMIT {most:UInt64}
"""

# Links that count but have no task, tasks that count but have no link, and links of tasks no batch made.
TASK_INVARIANTS = """
WITH
    done AS
    (
        SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
    ),
    links AS
    (
        SELECT task_id, count() AS segments
        FROM task_segments FINAL
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
        GROUP BY task_id
    ),
    newest AS
    (
        SELECT task_id, segments
        FROM task_versions FINAL
        WHERE team_id = {team_id:Int64} AND pass_id IN (SELECT pass_id FROM done)
        ORDER BY task_id, batch_id DESC
        LIMIT 1 BY task_id
    )
SELECT
    (SELECT count() FROM links WHERE task_id NOT IN (SELECT task_id FROM newest)) AS homeless_links,
    (SELECT count() FROM newest WHERE task_id NOT IN (SELECT task_id FROM links)) AS empty_tasks,
    (SELECT count() FROM newest AS n INNER JOIN links AS l ON n.task_id = l.task_id WHERE n.segments != l.segments)
        AS wrong_counts
"""
