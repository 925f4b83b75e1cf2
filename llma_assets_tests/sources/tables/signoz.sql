CREATE TABLE __db__.signoz_index_v3
(
    ts_bucket_start UInt64 CODEC(DoubleDelta, LZ4), resource_fingerprint String, timestamp DateTime64(9),
    trace_id FixedString(32), span_id String, trace_state String, parent_span_id String, flags UInt32,
    name LowCardinality(String), kind Int8, kind_string String, duration_nano UInt64, status_code Int16,
    status_message String, status_code_string String,
    attributes_string Map(LowCardinality(String), String), attributes_number Map(LowCardinality(String), Float64),
    attributes_bool Map(LowCardinality(String), Bool), resources_string Map(LowCardinality(String), String),
    events Array(String), links String, response_status_code LowCardinality(String),
    has_error Bool, is_remote LowCardinality(String),
    resource_string_service$$name LowCardinality(String) DEFAULT resources_string['service.name'],
    traceID FixedString(32) ALIAS trace_id,
    INDEX idx_trace_id trace_id TYPE tokenbf_v1(10000, 5, 0) GRANULARITY 1,
    INDEX attributes_string_idx_key mapKeys(attributes_string) TYPE tokenbf_v1(1024, 2, 0) GRANULARITY 1,
    INDEX attributes_string_idx_val mapValues(attributes_string) TYPE ngrambf_v1(4, 5000, 2, 0) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(timestamp)
ORDER BY (ts_bucket_start, resource_fingerprint, has_error, name, timestamp);

CREATE TABLE __db__.distributed_signoz_index_v3 AS __db__.signoz_index_v3 ENGINE = Merge(__db__, '^signoz_index_v3$');
