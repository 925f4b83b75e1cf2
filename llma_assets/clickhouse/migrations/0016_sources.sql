-- Tables of other trace stores that are read as events are: one row a change, the newest counts.
CREATE TABLE IF NOT EXISTS sources
(
    name String,
    kind LowCardinality(String),
    table_name String,
    tenant_column String,
    user_column String,
    others Map(String, String),
    removed Bool,
    changed_by String,
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY name;

-- Which team each tenant of a source is: its number follows from the names, and stays.
CREATE TABLE IF NOT EXISTS source_tenants
(
    source String,
    tenant String,
    team_id Int64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (source, tenant);
