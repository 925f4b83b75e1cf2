CREATE TABLE __db__.spans
(
    id FixedString(36), workspace_id String, project_id FixedString(36), trace_id FixedString(36),
    parent_span_id String DEFAULT '', name String,
    type Enum8('unknown' = 0, 'general' = 1, 'tool' = 2, 'llm' = 3, 'guardrail' = 4),
    start_time DateTime64(9, 'UTC') DEFAULT now64(9), end_time Nullable(DateTime64(9, 'UTC')),
    input String DEFAULT '', output String DEFAULT '', metadata String DEFAULT '', tags Array(String),
    usage Map(String, Int32), created_at DateTime64(9, 'UTC') DEFAULT now64(9),
    last_updated_at DateTime64(6, 'UTC') DEFAULT now64(6), model String DEFAULT '', provider String DEFAULT '',
    total_estimated_cost Decimal128(12), error_info String DEFAULT ''
)
ENGINE = ReplacingMergeTree(last_updated_at)
ORDER BY (workspace_id, project_id, trace_id, parent_span_id, id);

CREATE TABLE __db__.traces
(
    id FixedString(36), workspace_id String, project_id FixedString(36), name String,
    start_time DateTime64(9, 'UTC') DEFAULT now64(9), end_time Nullable(DateTime64(9, 'UTC')),
    input String DEFAULT '', output String DEFAULT '', metadata String, tags Array(String),
    created_at DateTime64(9, 'UTC') DEFAULT now64(9), last_updated_at DateTime64(6, 'UTC') DEFAULT now64(6),
    error_info String DEFAULT '', thread_id String
)
ENGINE = ReplacingMergeTree(last_updated_at)
ORDER BY (workspace_id, project_id, id);

CREATE TABLE __db__.feedback_scores
(
    entity_id FixedString(36), entity_type Enum8('unknown' = 0, 'span' = 1, 'trace' = 2), project_id FixedString(36),
    workspace_id String, name String, category_name String DEFAULT '', value Decimal32(4), reason String DEFAULT '',
    source Enum8('sdk' = 1, 'ui' = 2), created_at DateTime64(9, 'UTC') DEFAULT now64(9),
    last_updated_at DateTime64(9, 'UTC') DEFAULT now64(9)
)
ENGINE = ReplacingMergeTree(last_updated_at)
ORDER BY (workspace_id, project_id, entity_type, entity_id, name);
