-- Words of a title that another cluster says and its own does not: a title with one names the wrong thing. Tests of
-- before have none; they are made again with the next new name.
ALTER TABLE cluster_name_tests ADD COLUMN IF NOT EXISTS foreign_words Array(String) DEFAULT [];
