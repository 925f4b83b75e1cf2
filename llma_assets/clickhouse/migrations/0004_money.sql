-- cost_usd is NULL where nobody knows what a call cost; at_most_usd is then the most that it can have cost, NULL where
-- the model has no price. timestamp is the moment at which the call was allowed: the day that it is paid on.
ALTER TABLE model_usage ADD COLUMN IF NOT EXISTS cached_tokens UInt64 DEFAULT 0;

ALTER TABLE model_usage ADD COLUMN IF NOT EXISTS at_most_usd Nullable(Float64) DEFAULT NULL;

-- The name that was asked for; model is the one that the server says has answered.
ALTER TABLE model_usage ADD COLUMN IF NOT EXISTS asked_model LowCardinality(String) DEFAULT model;

-- Money that a process has set aside for calls which model_usage does not show yet. It is there before the first of
-- them is made, and gets smaller as they are stored: so what a killed process may have spent is never forgotten, and two
-- processes see each other. spent_on is the calendar day that pays, day the one whose traces are worked on. The row with
-- the highest version counts; held_usd is 0 when all is stored. limit_usd is the budget that was in force.
CREATE TABLE IF NOT EXISTS budget_holds
(
    team_id Int64,
    day Date,
    spent_on Date,
    hold_id UUID,
    stage LowCardinality(String),
    held_usd Float64,
    limit_usd Float64,
    version UInt64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, spent_on, hold_id);

-- What a run said its calls would take before it made them, and what they took. The actual columns are NULL until the
-- run has ended, and for ever where it was killed.
CREATE TABLE IF NOT EXISTS usage_forecasts
(
    team_id Int64,
    day Date,
    stage LowCardinality(String),
    theme_id LowCardinality(String),
    model LowCardinality(String),
    forecast_id UUID,
    made_at DateTime64(6, 'UTC'),
    items UInt64,
    calls UInt64,
    input_tokens UInt64,
    output_tokens UInt64,
    cost_usd Nullable(Float64),
    basis String,
    actual_calls Nullable(UInt64),
    actual_failed_calls Nullable(UInt64),
    actual_items Nullable(UInt64),
    actual_input_tokens Nullable(UInt64),
    actual_output_tokens Nullable(UInt64),
    actual_cost_usd Nullable(Float64),
    ended_at Nullable(DateTime64(6, 'UTC')),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, stage, theme_id, model, forecast_id);
