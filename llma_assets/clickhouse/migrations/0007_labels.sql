-- How a name came to be: asked, retold (sent back because it was too like another), carried (from the day before),
-- locked (by people), fixed (noise).
ALTER TABLE cluster_labels ADD COLUMN IF NOT EXISTS origin LowCardinality(String) DEFAULT 'asked';

-- How well each name fits: held-out members reassigned to the nearest name. Counted for `title`; another title needs
-- another test. One row a cluster, noise has none.
CREATE TABLE IF NOT EXISTS cluster_name_tests
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    cluster_id Int32,
    title String,
    held_out UInt32,
    hits UInt32,
    centroid_hits UInt32,
    nearest_cluster_id Int32,
    nearest_distance Nullable(Float64),
    model LowCardinality(String),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, cluster_id);

-- Names of groups of clusters, the upper level. `content` says which names of clusters it was made from: a group of the
-- same clusters on another day keeps its name.
CREATE TABLE IF NOT EXISTS cluster_group_labels
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    attempt_id UUID,
    group_id Int32,
    cluster_ids Array(Int32),
    title String,
    description String,
    status LowCardinality(String),
    error String,
    model LowCardinality(String),
    content String,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, attempt_id, group_id);
