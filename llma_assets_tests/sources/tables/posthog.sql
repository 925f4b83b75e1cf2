CREATE TABLE __db__.events
(
    uuid UUID, event VARCHAR, properties VARCHAR, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id VARCHAR,
    elements_chain VARCHAR, created_at DateTime64(6, 'UTC'), person_id UUID, person_properties VARCHAR,
    person_mode Enum8('full' = 0, 'propertyless' = 1, 'force_upgrade' = 2),
    _timestamp DateTime, _offset UInt64, inserted_at Nullable(DateTime64(6, 'UTC')) DEFAULT now64()
)
ENGINE = ReplacingMergeTree(_timestamp)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))
SAMPLE BY cityHash64(distinct_id);

CREATE TABLE __db__.ai_events
(
    uuid UUID, event LowCardinality(String), timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String,
    person_id UUID, properties String, retention_days Int16 DEFAULT 3000,
    drop_date Date MATERIALIZED toDate(timestamp) + toIntervalDay(retention_days),
    trace_id String, session_id Nullable(String), parent_id Nullable(String), span_id Nullable(String),
    span_type LowCardinality(Nullable(String)), span_name Nullable(String), trace_name Nullable(String),
    model LowCardinality(Nullable(String)), provider LowCardinality(Nullable(String)),
    input_tokens Nullable(Int64), output_tokens Nullable(Int64), total_cost_usd Nullable(Float64),
    latency Nullable(Float64), is_error UInt8, error Nullable(String),
    input Nullable(String), output Nullable(String), output_choices Nullable(String), input_state Nullable(String),
    output_state Nullable(String), tools Nullable(String), _timestamp DateTime, _offset UInt64, _partition UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(drop_date)
ORDER BY (team_id, trace_id, timestamp)
TTL drop_date
SETTINGS ttl_only_drop_parts = 1;
