CREATE TABLE __db__.spans
(
    span_id UUID, name String, span_type UInt8, start_time DateTime64(9, 'UTC'), end_time DateTime64(9, 'UTC'),
    input_cost Float64, output_cost Float64, total_cost Float64, model String, session_id String, project_id UUID,
    trace_id UUID, provider String, input_tokens Int64, output_tokens Int64, total_tokens Int64, user_id String,
    path String, input String, output String, size_bytes UInt64 DEFAULT 0, status String, attributes String,
    request_model String, response_model String, parent_span_id UUID, trace_metadata String, trace_type UInt8,
    tags_array Array(String) DEFAULT [], events Array(Tuple(timestamp Int64, name String, attributes String)),
    input_message_hashes Array(FixedString(32)), output_message_hashes Array(FixedString(32)),
    tool_definitions_hash FixedString(32) DEFAULT toFixedString('', 32), span_kind UInt8 DEFAULT span_type
)
ENGINE = MergeTree
ORDER BY (project_id, trace_id, start_time, span_id);

CREATE TABLE __db__.deduped_content
(
    project_id UUID, content_hash FixedString(32), content String, last_seen_at DateTime64(9, 'UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(last_seen_at)
ORDER BY (project_id, content_hash);

CREATE TABLE __db__.llm_messages
(
    project_id UUID, trace_id UUID, message_hash FixedString(32), content String,
    last_seen_at DateTime64(9, 'UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(last_seen_at)
ORDER BY (project_id, trace_id, message_hash);
