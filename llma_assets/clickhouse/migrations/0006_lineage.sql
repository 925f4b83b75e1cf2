-- Which cluster of the runs before each cluster is. `lineage_id` was there from the start, and empty.
-- `lineage_parents`: lineage ids in the run before that its members come from. `radius`: how far it reaches.
ALTER TABLE clusters
    ADD COLUMN IF NOT EXISTS lineage_status LowCardinality(String) DEFAULT '' AFTER lineage_id,
    ADD COLUMN IF NOT EXISTS lineage_confidence Float64 DEFAULT 0 AFTER lineage_status,
    ADD COLUMN IF NOT EXISTS lineage_parents Array(String) DEFAULT [] AFTER lineage_confidence,
    ADD COLUMN IF NOT EXISTS radius Float64 DEFAULT 0;

-- What the run was linked to, why not where it was not, and which lineages ended there; JSON.
ALTER TABLE clustering_runs
    ADD COLUMN IF NOT EXISTS lineage String DEFAULT '{}' AFTER quality;

-- What people decided about a lineage, one row a decision, never changed. Undoing is a decision, too.
CREATE TABLE IF NOT EXISTS cluster_edits
(
    team_id Int64,
    theme_id LowCardinality(String),
    lineage_id String,
    edited_at DateTime64(6, 'UTC'),
    edit_id UUID,
    action LowCardinality(String),
    title String,
    into_lineage_id String,
    author String
)
ENGINE = ReplacingMergeTree
ORDER BY (team_id, theme_id, lineage_id, edited_at, edit_id);
