"""Every statement of the tasks room. What a batch wrote counts only once its commit row is there (migration 0008)."""

PRODUCT = "session-replay"
DOCUMENT_TYPE = "video-segment"
RENDERING = "video-analysis"
PIPELINE = "tasks"

# Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
# Segments that arrived since a moment and are in no committed batch, oldest arrival first. Light columns only.
NEW_SEGMENTS = """
WITH fresh AS
(
    SELECT document_id, max(inserted_at) AS arrived_at
    FROM document_embeddings
    WHERE team_id = {team_id:Int64}
        AND product = {product:String}
        AND document_type = {document_type:String}
        AND rendering = {rendering:String}
        AND model_name = {model_name:String}
        AND inserted_at > {since:DateTime64(6, 'UTC')}
    GROUP BY document_id
)
SELECT document_id, arrived_at
FROM fresh
WHERE document_id NOT IN
(
    SELECT document_id
    FROM segment_members
    WHERE team_id = {team_id:Int64}
        AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
        AND document_id IN (SELECT document_id FROM fresh)
)
ORDER BY arrived_at, document_id
LIMIT {most:UInt64}
"""

# What is stored of segments, but for their vectors; of a segment that was stored twice the newest. No more of a text
# than is needed to see that it is too long.
SEGMENT_ROWS = """
SELECT document_id, substringUTF8(content, 1, {most_content:UInt64}) AS description,
    substring(metadata, 1, {most_metadata:UInt64}) AS facts, length(embedding) AS dimension,
    arrayExists(x -> NOT (isFinite(x) AND abs(x) < 1e18), embedding) AS broken,
    NOT arrayExists(x -> abs(x) > 1e-18, embedding) AS zero
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name = {model_name:String}
    AND document_id IN {document_ids:Array(String)}
ORDER BY document_id, inserted_at DESC
LIMIT 1 BY document_id
"""

# Segments of other models than the configured one: they cannot be compared, and are named instead of taken.
OTHER_SPACES = """
SELECT model_name, count() AS segments
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name != {model_name:String}
    AND inserted_at > {since:DateTime64(6, 'UTC')}
GROUP BY model_name
ORDER BY model_name
"""

# How long most of a team's vectors are: one of another length is refused, and stops nothing.
USUAL_DIMENSION = """
SELECT length(embedding) AS dimension
FROM document_embeddings
WHERE team_id = {team_id:Int64}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name = {model_name:String}
    AND notEmpty(embedding)
GROUP BY dimension
ORDER BY count() DESC, dimension DESC
LIMIT 1
"""

# Only vectors that can be compared with others: a segment may have been stored again since it was found sound.
SEGMENT_VECTORS = """
SELECT document_id, substringUTF8(content, 1, {most_content:UInt64}) AS description, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name = {model_name:String}
    AND document_id IN {document_ids:Array(String)}
    AND length(embedding) = {dimension:UInt64}
    AND arrayAll(x -> isFinite(x) AND abs(x) < 1e18, embedding)
    AND arrayExists(x -> abs(x) > 1e-18, embedding)
ORDER BY document_id, inserted_at DESC
LIMIT 1 BY document_id
"""

KNOWN_SEGMENTS = """
SELECT DISTINCT document_id
FROM document_embeddings
WHERE team_id = {team_id:Int64}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name = {model_name:String}
    AND document_id IN {document_ids:Array(String)}
"""

# Of all teams, for the schedule: a team may have nothing but replays, so that discovery does not know it.
TEAMS_WITH_SEGMENTS = """
SELECT team_id, max(inserted_at) AS arrived_until
FROM document_embeddings
WHERE product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND model_name = {model_name:String}
    AND inserted_at > {since:DateTime64(6, 'UTC')}
GROUP BY team_id
ORDER BY team_id
"""

# Of all teams, for the schedule.
ARRIVED_UNTIL_BY_TEAM = """
SELECT team_id, max(arrived_until) AS arrived_until
FROM watermarks FINAL
WHERE pipeline = {pipeline:String}
GROUP BY team_id
"""

# Key of segment_batches: (team_id, batch_id).
LAST_BATCH = """
SELECT batch_id, arrived_until, embedding_model, dimension
FROM segment_batches FINAL
WHERE team_id = {team_id:Int64}
ORDER BY batch_id DESC
LIMIT 1
"""

ATTEMPT_OF_BATCH = """
SELECT attempt_id
FROM segment_batches FINAL
WHERE team_id = {team_id:Int64} AND batch_id = {batch_id:UInt64}
"""

OPEN_BATCHES = """
SELECT batch_id, attempt_id, arrived_until, embedding_model, dimension
FROM segment_batches FINAL
WHERE team_id = {team_id:Int64} AND batch_id > {position:UInt64}
ORDER BY batch_id
"""

# Key of segment_members: (team_id, batch_id, attempt_id, document_id).
MEMBERS_OF_BATCH = """
SELECT document_id, status, reason, cluster_no, distance, session_id, distinct_id, segment_start, segment_end,
    failure, confusion, abandonment, impact
FROM segment_members FINAL
WHERE team_id = {team_id:Int64} AND batch_id = {batch_id:UInt64} AND attempt_id = {attempt_id:UUID}
    AND status IN ('clustered', 'single')
ORDER BY cluster_no, distance, document_id
"""

# Noise that waits: segments whose last word is 'held', the newest arrivals first.
HELD_SEGMENTS = """
SELECT document_id, argMax(status, batch_id) AS last_status, min(arrived_at) AS first_arrived,
    any(session_id) AS session_id, any(distinct_id) AS distinct_id,
    any(segment_start) AS segment_start, any(segment_end) AS segment_end,
    any(failure) AS failure, any(confusion) AS confusion, any(abandonment) AS abandonment, any(impact) AS impact
FROM segment_members
WHERE team_id = {team_id:Int64}
    AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
    AND arrived_at >= {since:DateTime64(6, 'UTC')}
GROUP BY document_id
HAVING last_status = 'held'
ORDER BY first_arrived DESC, document_id
LIMIT {most:UInt64}
"""

SEGMENT_COUNTS = """
SELECT
    uniqExactIf(document_id, status != 'refused') AS processed,
    uniqExactIf(document_id, status = 'refused') AS refused,
    uniqExactIf(document_id, status IN ('clustered', 'single')) AS in_tasks
FROM segment_members
WHERE team_id = {team_id:Int64}
    AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
"""

REFUSED_SEGMENTS = """
SELECT document_id, reason
FROM segment_members FINAL
WHERE team_id = {team_id:Int64}
    AND attempt_id IN (SELECT attempt_id FROM segment_batches FINAL WHERE team_id = {team_id:Int64})
    AND status = 'refused'
ORDER BY batch_id DESC, document_id
LIMIT {most:UInt64}
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
    AND startsWith(label_error, {undone:String})
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
LIFE_CHANGES = """
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
