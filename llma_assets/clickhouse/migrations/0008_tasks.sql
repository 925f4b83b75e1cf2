-- Session-replay segments to tasks. Segments themselves are rows of document_embeddings (product 'session-replay').
--
-- Segments are taken in batches, numbered 1, 2, 3 … for each team. Rows of a batch count once its commit row names the
-- attempt that wrote them: `segment_batches` for what was clustered, `watermarks` for what became tasks. So a run that
-- is killed shows nothing. Of two runs at once the first to commit a batch counts, whole and for good: `precedence` is
-- the greater the earlier a row comes, because a later commit must not take back what has been built on the first.

-- The commit row of a clustered batch. `arrived_until`: all segments that arrived up to then were looked at.
CREATE TABLE IF NOT EXISTS segment_batches
(
    team_id Int64,
    batch_id UInt64,
    attempt_id UUID,
    segments UInt32,
    clusters UInt32,
    held UInt32,
    refused UInt32,
    recalled UInt32,
    arrived_until DateTime64(6, 'UTC'),
    embedding_model LowCardinality(String),
    dimension UInt32,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6),
    precedence UInt64 DEFAULT 18446744073709551615 - toUInt64(toUnixTimestamp64Micro(inserted_at))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (team_id, batch_id);

-- What became of each segment of a batch: `clustered`, `single` (noise that matters), `held` (noise that waits),
-- `refused` with the reason. A held segment comes again in a later batch that brings something like it.
CREATE TABLE IF NOT EXISTS segment_members
(
    team_id Int64,
    batch_id UInt64,
    attempt_id UUID,
    document_id String,
    status LowCardinality(String),
    reason String,
    cluster_no Int32,
    distance Float64,
    session_id String,
    distinct_id String,
    segment_start DateTime64(6, 'UTC'),
    segment_end DateTime64(6, 'UTC'),
    failure Bool,
    confusion Bool,
    abandonment Bool,
    impact Float64,
    arrived_at DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, batch_id, attempt_id, document_id);

-- How far tasks have come, a row for each batch that is done: `pass_id` wrote what counts. The last row of a batch.
CREATE TABLE IF NOT EXISTS watermarks
(
    team_id Int64,
    pipeline LowCardinality(String),
    position UInt64,
    pass_id UUID,
    arrived_until DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6),
    precedence UInt64 DEFAULT 18446744073709551615 - toUInt64(toUnixTimestamp64Micro(inserted_at))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (team_id, pipeline, position);

-- A task as the batch left it; the newest of a done batch holds. Counts are not kept here: links say them.
CREATE TABLE IF NOT EXISTS task_versions
(
    team_id Int64,
    task_id UUID,
    batch_id UInt64,
    pass_id UUID,
    title String,
    description String,
    label_model LowCardinality(String),
    label_error String,
    actionable LowCardinality(String),
    actionable_reason String,
    labelled_segments UInt32,
    labelled_centroid Array(Float32),
    segments UInt32,
    centroid Array(Float32),
    embedding_model LowCardinality(String),
    dimension UInt32,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, task_id, batch_id, pass_id);

-- Which segments a task stands for. A segment is in one task.
CREATE TABLE IF NOT EXISTS task_segments
(
    team_id Int64,
    document_id String,
    task_id UUID,
    batch_id UInt64,
    pass_id UUID,
    session_id String,
    distinct_id String,
    segment_start DateTime64(6, 'UTC'),
    segment_end DateTime64(6, 'UTC'),
    distance Float64,
    failure Bool,
    confusion Bool,
    abandonment Bool,
    impact Float64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, document_id, pass_id);

-- Every change of a task. `batch_id` 0: made outside of a batch, by a person or by time, and counts at once.
-- `target` is the other task of a merge.
CREATE TABLE IF NOT EXISTS task_history
(
    team_id Int64,
    task_id UUID,
    change_id UUID,
    changed_at DateTime64(6, 'UTC'),
    batch_id UInt64,
    pass_id UUID,
    change LowCardinality(String),
    status LowCardinality(String),
    detail String,
    target String,
    changed_by String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, task_id, change_id);

-- Answers of the model about a group of segments, so that a run that was killed does not pay twice.
CREATE TABLE IF NOT EXISTS task_labels
(
    team_id Int64,
    content_hash String,
    answer String,
    model LowCardinality(String),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, content_hash)
TTL toDateTime(inserted_at) + INTERVAL 30 DAY;
