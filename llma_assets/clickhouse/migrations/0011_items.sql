-- Whether anything was said or done in the item: with neither input nor output there is nothing to ask about.
ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS has_content Bool DEFAULT true;

-- Why one item alone went another way than the others of its stage. A reason of '' says that it has not, by now.
CREATE TABLE IF NOT EXISTS item_skips
(
    team_id Int64,
    day Date,
    stage LowCardinality(String),
    theme_id LowCardinality(String),
    level LowCardinality(String),
    item_id String,
    reason LowCardinality(String),
    detail String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, stage, theme_id, level, item_id)
TTL toDateTime(inserted_at) + INTERVAL 90 DAY;
