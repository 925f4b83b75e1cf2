-- Of a decision about one member of a cluster ('take_out', 'put_back'): which item.
ALTER TABLE cluster_edits
    ADD COLUMN IF NOT EXISTS item_id String DEFAULT '' AFTER into_lineage_id;

-- How many traces of each cluster have each model and each release; a JSON array, '' of runs from before it was kept.
ALTER TABLE run_attributes
    ADD COLUMN IF NOT EXISTS counts String DEFAULT '' CODEC(ZSTD(3)) AFTER found;

-- Tasks that people made of clusters. The work on session replays never reads this table: its tasks are made of
-- segments, and these are closed, reopened and renamed by people alone. Numbers are those of the day that it was made
-- on. Of a cluster there is one task: `precedence` is the greater the earlier a row comes, so that the first holds.
CREATE TABLE IF NOT EXISTS cluster_tasks
(
    team_id Int64,
    task_id UUID,
    theme_id LowCardinality(String),
    lineage_id String,
    day Date,
    title String,
    description String,
    traces UInt64,
    users UInt64,
    error_share Float64,
    first_seen DateTime64(6, 'UTC'),
    last_seen DateTime64(6, 'UTC'),
    item_ids Array(String),
    made_at DateTime64(6, 'UTC'),
    made_by String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6),
    precedence UInt64 DEFAULT 18446744073709551615 - toUInt64(toUnixTimestamp64Micro(inserted_at))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (team_id, task_id);
