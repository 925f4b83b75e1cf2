CREATE TABLE __db__.events_full
(
    project_id String, trace_id String, span_id String, parent_span_id String,
    start_time DateTime64(6), end_time Nullable(DateTime64(6)),
    name String, type LowCardinality(String), environment LowCardinality(String) DEFAULT 'default',
    trace_name String, user_id String, session_id String, tags Array(String),
    level LowCardinality(String), status_message String, is_app_root Bool DEFAULT false,
    model_id String, provided_model_name String, model_parameters String,
    usage_details Map(LowCardinality(String), UInt64), cost_details Map(LowCardinality(String), Decimal(18, 12)),
    total_cost Decimal(18, 12) ALIAS cost_details['total'],
    tool_definitions Map(String, String), tool_calls Array(String), tool_call_names Array(String),
    input String, output String, metadata_names Array(String), metadata_values Array(String),
    event_bytes UInt64, created_at DateTime64(6) DEFAULT now(), event_ts DateTime64(6), is_deleted UInt8
)
ENGINE = ReplacingMergeTree(event_ts, is_deleted)
PARTITION BY toYYYYMM(start_time)
PRIMARY KEY (project_id, toStartOfMinute(start_time), xxHash32(trace_id))
ORDER BY (project_id, toStartOfMinute(start_time), xxHash32(trace_id), span_id, start_time)
SAMPLE BY xxHash32(trace_id);

CREATE TABLE __db__.events_core AS __db__.events_full;

CREATE MATERIALIZED VIEW __db__.events_core_mv TO __db__.events_core AS
SELECT * REPLACE (leftUTF8(input, 200) AS input, leftUTF8(output, 200) AS output)
FROM __db__.events_full;

CREATE TABLE __db__.scores
(
    id String, timestamp DateTime64(3), project_id String, trace_id Nullable(String), observation_id Nullable(String),
    name String, value Float64, source String, comment Nullable(String), data_type String,
    string_value Nullable(String), event_ts DateTime64(3), is_deleted UInt8
)
ENGINE = ReplacingMergeTree(event_ts, is_deleted)
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (project_id, toDate(timestamp), name)
ORDER BY (project_id, toDate(timestamp), name, id);
