"""Statements about segments and their batches: document_embeddings, segment_batches, segment_members.

What a run wrote counts only once its row in segment_batches is there. Statements about tasks belong in `task_queries`.
"""

PRODUCT = "session-replay"
DOCUMENT_TYPE = "video-segment"
RENDERING = "video-analysis"

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

# Segments of other models than the configured one: they cannot be compared; they are reported, not grouped.
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
