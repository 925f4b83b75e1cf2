-- Releases that people named, and those that they took back (`removed`); of a name the newest row counts.
CREATE TABLE IF NOT EXISTS releases
(
    team_id Int64,
    name String,
    released_at DateTime64(6, 'UTC'),
    removed Bool DEFAULT false,
    changed_by String,
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (team_id, name);
