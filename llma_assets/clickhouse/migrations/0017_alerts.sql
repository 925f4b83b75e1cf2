-- A team's alert rules and channels: one row a change, never altered. The newest row of a name counts. item is 'rule' or
-- 'channel'; settings is JSON and holds no secret, only names of environment variables.
CREATE TABLE IF NOT EXISTS alert_settings
(
    team_id Int64,
    item LowCardinality(String),
    name LowCardinality(String),
    changed_at DateTime64(6, 'UTC'),
    change_id UUID,
    action LowCardinality(String),
    author String,
    settings String CODEC(ZSTD(3)),
    version LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (team_id, item, name, changed_at, change_id);

-- What a rule decided about a subject (a lineage, or '' for the team) on a day, also that it did not fire. numbers is
-- JSON: value, interval, expected, sigma, k, both windows, weeks of history.
CREATE TABLE IF NOT EXISTS alert_decisions
(
    team_id Int64,
    day Date,
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
ORDER BY (team_id, day, rule_id, theme_id, subject)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY;

-- One row an incident; a later row of the same id replaces it. closed_day is 1970-01-01 while it is open.
CREATE TABLE IF NOT EXISTS alert_incidents
(
    team_id Int64,
    incident_id UUID,
    rule_id LowCardinality(String),
    rule_version LowCardinality(String),
    theme_id LowCardinality(String),
    subject String,
    opened_as String,
    title String,
    opened_day Date,
    opening_value Float64,
    severity UInt8,
    closed_day Date DEFAULT toDate(0),
    closed_because LowCardinality(String) DEFAULT '',
    linked Array(String) DEFAULT [],
    muted Bool DEFAULT false,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, incident_id);

-- A decision of a person that a rule, a lineage or both be silent. '' is any. A row with lifted = true ends it.
CREATE TABLE IF NOT EXISTS alert_mutes
(
    team_id Int64,
    mute_id UUID,
    rule_id LowCardinality(String),
    subject String,
    since Date,
    until Nullable(DateTime64(6, 'UTC')),
    more_traces UInt64,
    more_users UInt64,
    author String,
    lifted Bool DEFAULT false,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, mute_id);

-- The outbox. message_id follows from incident, event and channel. round counts the times that a person sent it again.
CREATE TABLE IF NOT EXISTS alert_messages
(
    team_id Int64,
    message_id UUID,
    channel LowCardinality(String),
    event LowCardinality(String),
    incident_id UUID,
    body String CODEC(ZSTD(3)),
    created_at DateTime64(6, 'UTC'),
    not_before DateTime64(6, 'UTC'),
    round UInt32 DEFAULT 0,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, message_id);

-- A lease of a message for one attempt. Of two inserts with the same message, round and attempt the server keeps the
-- first (`insert_deduplication_token`), so one process sends.
CREATE TABLE IF NOT EXISTS alert_claims
(
    team_id Int64,
    message_id UUID,
    round UInt32,
    attempt UInt32,
    claimed_by UUID,
    claimed_at DateTime64(6, 'UTC'),
    lease_until DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (team_id, message_id, round, attempt)
SETTINGS non_replicated_deduplication_window = 10000;

-- What became of an attempt: sent, failed or refused (for good). reply is the provider's id of the message.
CREATE TABLE IF NOT EXISTS alert_attempts
(
    team_id Int64,
    message_id UUID,
    round UInt32,
    attempt UInt32,
    outcome LowCardinality(String),
    reply String,
    error String,
    attempted_at DateTime64(6, 'UTC'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, message_id, round, attempt);

-- Whether a channel is switched off because its messages could not be delivered, the newest row holds.
CREATE TABLE IF NOT EXISTS alert_channel_states
(
    team_id Int64,
    channel LowCardinality(String),
    is_off Bool,
    reason String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, channel);
