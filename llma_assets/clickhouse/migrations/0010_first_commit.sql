-- Of two processes that commit the same batch at the same moment the first one to be stored stays. The greatest
-- `precedence` (0008) alone does not say that: it is taken when an insert begins, so a commit that begins earlier and is
-- stored later would replace one on which something has been built. Inserts of a commit row carry a token
-- (`insert_deduplication_token`: team and batch), and the server drops a second one with the same token. A server with
-- replicated tables does so by itself; others remember as many inserts of a table as is said here.
ALTER TABLE segment_batches MODIFY SETTING non_replicated_deduplication_window = 10000;

ALTER TABLE watermarks MODIFY SETTING non_replicated_deduplication_window = 10000;

-- Which items and options a clustering was made of. It was the attempt's id, until two attempts with equal input and
-- other earlier runs to go by replaced each other's rows.
ALTER TABLE clustering_runs ADD COLUMN IF NOT EXISTS input_id UUID DEFAULT attempt_id AFTER attempt_id;
