-- What sets the clusters of a run apart: one row a run, so that it is there as a whole or not at all. `found`: a JSON
-- array of what was reported, also an empty one. `method`: the version of the method, with what the team hides.
CREATE TABLE IF NOT EXISTS run_attributes
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    method LowCardinality(String),
    traces UInt64,
    compared UInt64,
    found String CODEC(ZSTD(3)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id);
