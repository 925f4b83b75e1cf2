-- One row for each run in which an item got no summary through a fault of its own. Three of them, not retried, make
-- the item a dead letter: it is not asked about again until `llma retry` sets `retried`. A new text, prompt or model
-- has another content_hash, and so begins at zero.
CREATE TABLE IF NOT EXISTS summary_failures
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    item_id String,
    content_hash String,
    run_id String,
    reason String,
    retried Bool,
    failed_at DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, item_id, content_hash, run_id);
