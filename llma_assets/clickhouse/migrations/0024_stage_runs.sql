-- Which run of Dagster worked on a partition at what stage, what came of it, and when: a row each time. Moments are
-- seconds before the row was stored, so that they can be compared with those of rows of results, which the server sets.
-- `theme_ids`: none for all that were on.
CREATE TABLE IF NOT EXISTS stage_runs
(
    team_id Int64,
    day Date,
    stage LowCardinality(String),
    run_id String,
    work_id UUID,
    theme_ids Array(String),
    status LowCardinality(String),
    error String,
    started_s_ago Float64,
    ended_s_ago Float64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, stage, run_id, work_id)
TTL toDateTime(inserted_at) + INTERVAL 90 DAY;
