-- Mutes that end with the next release, and when exactly they began.
ALTER TABLE alert_mutes ADD COLUMN IF NOT EXISTS until_release Bool DEFAULT false;
ALTER TABLE alert_mutes ADD COLUMN IF NOT EXISTS since_at DateTime64(6, 'UTC') DEFAULT toDateTime64(since, 6, 'UTC');

-- The moment before which a provider wants no other attempt (`Retry-After`).
ALTER TABLE alert_attempts ADD COLUMN IF NOT EXISTS retry_at Nullable(DateTime64(6, 'UTC'));

-- Probable causes of a cluster as a model sees them, judged against the evidence that it cites: one row a cluster of an
-- attempt, also where nothing was usable. `asked_with`: hash of prompt, evidence and model, so that nothing is asked
-- twice. `causes`: JSON array; `refused`: JSON array of why other causes of the answer were not taken.
CREATE TABLE IF NOT EXISTS cluster_causes
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    cluster_id Int32,
    status LowCardinality(String),
    error String,
    model LowCardinality(String),
    asked_with String,
    causes String CODEC(ZSTD(3)),
    refused String CODEC(ZSTD(3)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, cluster_id);

-- What rules over hours decided, as `alert_decisions` has it of days; hour is 0 to 23, UTC.
CREATE TABLE IF NOT EXISTS alert_hour_decisions
(
    team_id Int64,
    day Date,
    hour UInt8,
    rule_id LowCardinality(String),
    theme_id LowCardinality(String),
    subject String,
    rule_version LowCardinality(String),
    verdict LowCardinality(String),
    reason String,
    title String,
    numbers String CODEC(ZSTD(3)),
    muted Bool,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, rule_id, theme_id, subject, hour)
TTL toDateTime(inserted_at) + INTERVAL 90 DAY;

-- The hours in which an incident of such a rule opened and closed; 24 where days are judged.
ALTER TABLE alert_incidents ADD COLUMN IF NOT EXISTS opened_hour UInt8 DEFAULT 24;
ALTER TABLE alert_incidents ADD COLUMN IF NOT EXISTS closed_hour UInt8 DEFAULT 24;
