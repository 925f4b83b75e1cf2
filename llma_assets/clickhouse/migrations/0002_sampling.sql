-- How each item came into the sample, what its summary was made from, and how far the texts of a day are.

-- 1 where everything was taken. Counts of items are scaled up by 1 / inclusion_probability.
ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS inclusion_probability Float64 DEFAULT 1;

-- Tells users apart without their names.
ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS user_hash UInt64 DEFAULT 0;

ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS last_event_at DateTime64(6, 'UTC') DEFAULT trace_timestamp;

-- What was asked of which text by which model, whatever the theme is called: equal hashes share one answer.
ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS question_hash String DEFAULT '';

-- The text that the model saw; its stored version may be newer by now.
ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS text_hash String DEFAULT '';

-- Line references that the model gave, and those that were true and kept.
ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS refs_total UInt32 DEFAULT 0;

ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS refs_valid UInt32 DEFAULT 0;

-- The trigger events of a day that were there when its texts were last made, and when more of them can be made.
CREATE TABLE IF NOT EXISTS texts_made
(
    team_id Int64,
    day Date,
    events UInt64,
    waits_until Nullable(DateTime64(6, 'UTC')),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day);
