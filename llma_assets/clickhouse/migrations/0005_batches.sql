-- Questions that are asked by OpenAI's Batch API. A row is there before its batch is: batch_key is in the batch's
-- metadata, so that a process which was killed in between is no reason to pay twice. state is `intended`, then
-- `submitted` with the server's batch_id, then `closed` with the reason; the newest row counts. questions are the
-- question_hash of each request; a question in a batch that is not closed is not asked again. group_id is the hold_id
-- of the money that is set aside in budget_holds for all batches of one submission.
CREATE TABLE IF NOT EXISTS summary_batches
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    batch_key UUID,
    group_id UUID,
    state LowCardinality(String),
    reason LowCardinality(String),
    server LowCardinality(String),
    batch_id String,
    model LowCardinality(String),
    questions Array(String) CODEC(ZSTD(3)),
    intended_at DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, batch_key);
