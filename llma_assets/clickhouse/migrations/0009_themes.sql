-- A team's themes: one row a change, never altered, so that every old version stays. The newest row of a theme counts.
-- theme_id '' holds the team's own settings for all themes. settings is JSON.
CREATE TABLE IF NOT EXISTS themes
(
    team_id Int64,
    theme_id LowCardinality(String),
    changed_at DateTime64(6, 'UTC'),
    change_id UUID,
    action LowCardinality(String),
    author String,
    settings String CODEC(ZSTD(3)),
    version LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (team_id, theme_id, changed_at, change_id);

-- The items of a day that a theme took: those that match its filters and are in its sample. `screened`: its rule did
-- not leave them out before the model was asked. `version` is the theme's when that was decided, `basis` a hash of what
-- the rule decided by, '' where no rule was asked.
CREATE TABLE IF NOT EXISTS theme_items
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    item_id String,
    version LowCardinality(String),
    inclusion_probability Float64,
    taken Bool,
    screened Bool,
    basis String DEFAULT '',
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id, item_id);

-- How many items of a day a theme found, and how many it took of them. matched is before sampling.
CREATE TABLE IF NOT EXISTS theme_days
(
    team_id Int64,
    day Date,
    theme_id LowCardinality(String),
    version LowCardinality(String),
    matched UInt64,
    sampled UInt64,
    screened UInt64,
    sample_rate Float64,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(day)
ORDER BY (team_id, day, theme_id);

-- Whether the model, or the rule where there is none, found that the item has to do with the theme.
ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS relevant Bool DEFAULT true;

ALTER TABLE trace_summaries ADD COLUMN IF NOT EXISTS theme_version LowCardinality(String) DEFAULT '';

-- What money is set aside for, and the theme's own budget that was in force; inf is none.
ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS theme_id LowCardinality(String) DEFAULT '';

ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS theme_limit_usd Float64 DEFAULT inf;

-- Whether the item is in the fair sample of its hour; others are here only because a theme's filters match them.
ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS drawn Bool DEFAULT true;

-- In characters. Every theme asks for it, and none should read the text for that.
ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS text_length UInt32 DEFAULT lengthUTF8(text);
