-- Source of trace events where the pipeline has no other; written by `llma ingest` and by cluster_events.
-- Key: who, which day, what, which one. Ingest skips uuids that are there; readers still count by uuid.
CREATE TABLE IF NOT EXISTS events
(
    uuid UUID,
    event LowCardinality(String),
    team_id Int64,
    distinct_id String CODEC(ZSTD(1)),
    timestamp DateTime64(6, 'UTC'),
    properties String CODEC(ZSTD(1)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6),
    INDEX uuid_bloom uuid TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), event, uuid);

-- Why each team is in or out on a day.
CREATE TABLE IF NOT EXISTS eligible_teams
(
    team_id Int64,
    day Date,
    eligible Bool,
    reason LowCardinality(String),
    detail String,
    traces UInt64,
    events UInt64,
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day);

-- The rendered text of a trace or of a generation: the cache that all themes share.
-- `day` is the day of the trace's first event. Facts are what aggregates need, so that events are read once.
CREATE TABLE IF NOT EXISTS trace_texts
(
    team_id Int64,
    day Date,
    level LowCardinality(String),
    item_id String,
    trace_id String,
    generation_id String,
    text String CODEC(ZSTD(3)),
    text_hash String,
    loss String CODEC(ZSTD(3)),
    line_count UInt32,
    event_count UInt32,
    trace_timestamp DateTime64(6, 'UTC'),
    cost_usd Float64,
    latency_s Float64,
    tokens UInt64,
    error_count UInt32,
    renderer LowCardinality(String),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, level, item_id)
TTL toDateTime(inserted_at) + INTERVAL 90 DAY;

CREATE TABLE IF NOT EXISTS trace_summaries
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    level LowCardinality(String),
    item_id String,
    trace_id String,
    generation_id String,
    content_hash String,
    status LowCardinality(String),
    error String,
    model LowCardinality(String),
    mode LowCardinality(String),
    title String,
    flow_diagram String,
    bullets String CODEC(ZSTD(3)),
    interesting_notes String CODEC(ZSTD(3)),
    text_length UInt32,
    event_count UInt32,
    trace_timestamp DateTime64(6, 'UTC'),
    batch_run_id String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, item_id);

CREATE TABLE IF NOT EXISTS document_embeddings
(
    team_id Int64,
    product LowCardinality(String),
    document_type LowCardinality(String),
    model_name LowCardinality(String),
    rendering LowCardinality(String),
    document_id String,
    timestamp DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6),
    content String CODEC(ZSTD(3)),
    metadata String CODEC(ZSTD(3)),
    embedding Array(Float32)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id);

-- The commit row: members and clusters of an attempt are visible once it is here.
CREATE TABLE IF NOT EXISTS clustering_runs
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    level LowCardinality(String),
    attempt_id UUID,
    run_id String,
    method LowCardinality(String),
    params String,
    items UInt32,
    window_items UInt32,
    clusters UInt32,
    noise_items UInt32,
    silhouette Nullable(Float64),
    inertia Nullable(Float64),
    quality String,
    embedding_model LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    committed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(committed_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id);

CREATE TABLE IF NOT EXISTS clusters
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    cluster_id Int32,
    lineage_id String,
    size UInt32,
    centroid Array(Float32),
    centroid_x Float64,
    centroid_y Float64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, cluster_id);

CREATE TABLE IF NOT EXISTS cluster_members
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    item_id String,
    trace_id String,
    generation_id String,
    item_day Date,
    cluster_id Int32,
    distance Float64,
    rank UInt32,
    strength Float64,
    x Float64,
    y Float64,
    timestamp DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, item_id);

CREATE TABLE IF NOT EXISTS cluster_labels
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    cluster_id Int32,
    title String,
    description String,
    status LowCardinality(String),
    error String,
    model LowCardinality(String),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, cluster_id);

-- One row a call of a model.
CREATE TABLE IF NOT EXISTS model_usage
(
    team_id Int64,
    day Date,
    stage LowCardinality(String),
    theme_id LowCardinality(String),
    model LowCardinality(String),
    call_id UUID,
    item_id String,
    input_tokens UInt64,
    output_tokens UInt64,
    cost_usd Nullable(Float64),
    duration_s Float64,
    error LowCardinality(String),
    timestamp DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(timestamp)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, stage, theme_id, model, call_id);

-- Why nothing is here. A reason of '' says that the partition has a result by now.
CREATE TABLE IF NOT EXISTS skips
(
    team_id Int64,
    day Date,
    stage LowCardinality(String),
    theme_id LowCardinality(String),
    reason LowCardinality(String),
    detail String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, stage, theme_id);
