-- What may be shown of each cluster, and what it is besides its size. `traces`: different traces; 0 in rows of before,
-- which are counted when they are read. `users`: different users, 0 where the team has no privacy minimum.
-- `template`: the pattern that all its items are made of, '' where they are not. `disclosure`: 'full',
-- 'without_examples' or 'held_back'.
ALTER TABLE clusters
    ADD COLUMN IF NOT EXISTS traces UInt32 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS users UInt32 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS template String DEFAULT '',
    ADD COLUMN IF NOT EXISTS disclosure LowCardinality(String) DEFAULT 'full';
