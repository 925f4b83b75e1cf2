-- What a run of a team's themes for a day had before it and left behind, as one digest, where it left nothing to do:
-- a run that finds the same digest again has nothing to do.
CREATE TABLE IF NOT EXISTS finished_runs
(
    team_id Int64,
    day Date,
    run_group LowCardinality(String),
    digest String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, run_group);
