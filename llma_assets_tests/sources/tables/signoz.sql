CREATE TABLE __db__.distributed_signoz_index_v3
(
    ts_bucket_start UInt64, resource_fingerprint String, timestamp DateTime64(9), trace_id String, span_id String,
    trace_state String, parent_span_id String, flags UInt32, name LowCardinality(String), kind Int8, kind_string String,
    duration_nano UInt64, status_code Int16, status_message String, status_code_string String,
    attributes_string Map(LowCardinality(String), String), attributes_number Map(LowCardinality(String), Float64),
    attributes_bool Map(LowCardinality(String), Bool), resources_string Map(LowCardinality(String), String),
    events Array(String), links String, has_error Bool
)
ENGINE = MergeTree
PARTITION BY toDate(timestamp)
ORDER BY (ts_bucket_start, resource_fingerprint, has_error, name, timestamp);
