-- A team's trackers and their rules: one row a change, never altered. The newest row of a name counts. item is 'tracker'
-- or 'rule'; settings is JSON and holds no secret, only names of environment variables.
CREATE TABLE IF NOT EXISTS tracker_settings
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

-- The wish that a task or a cluster has an issue in a tracker. link_id follows from tracker, subject and round, so that
-- one that is wished twice is one; round counts the issues that were deleted there.
CREATE TABLE IF NOT EXISTS tracker_links
(
    team_id Int64,
    link_id UUID,
    tracker LowCardinality(String),
    about LowCardinality(String),
    subject String,
    theme_id LowCardinality(String),
    title String,
    wanted_by String,
    wanted_at DateTime64(6, 'UTC'),
    round UInt32,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, link_id);

-- How far a link is, the newest row holds: its issue, and the states of both sides when they last agreed.
CREATE TABLE IF NOT EXISTS tracker_link_states
(
    team_id Int64,
    link_id UUID,
    state String CODEC(ZSTD(3)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, link_id);

-- Comments on issues. A row without a reply is written before the comment is sent, one with it afterwards.
CREATE TABLE IF NOT EXISTS tracker_notes
(
    team_id Int64,
    link_id UUID,
    note_id UUID,
    kind LowCardinality(String),
    body String CODEC(ZSTD(3)),
    begun_at DateTime64(6, 'UTC'),
    reply String,
    problem String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, link_id, note_id);

-- A lease of a tracker for one pass. Of two inserts of the same turn the server keeps the first
-- (`insert_deduplication_token`), so that one process speaks with a tracker at a time.
CREATE TABLE IF NOT EXISTS tracker_leases
(
    team_id Int64,
    tracker LowCardinality(String),
    turn UInt64,
    claimed_by UUID,
    claimed_at DateTime64(6, 'UTC'),
    lease_until DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (team_id, tracker, turn)
TTL toDateTime(claimed_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- How a tracker answered last, the newest row holds. turn is the last pass that ended.
CREATE TABLE IF NOT EXISTS tracker_health
(
    team_id Int64,
    tracker LowCardinality(String),
    turn UInt64,
    passed_at DateTime64(6, 'UTC'),
    word LowCardinality(String),
    problem String,
    notice String,
    failures UInt32,
    retry_at DateTime64(6, 'UTC'),
    clock_offset_s Float64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (team_id, tracker);
