-- What else than the number of events is known of what texts were made from: a table that was repaired in place has as
-- many events as before, and another digest of their states. 0 where nothing is known.

ALTER TABLE texts_made ADD COLUMN IF NOT EXISTS events_digest UInt64 DEFAULT 0;

ALTER TABLE trace_texts ADD COLUMN IF NOT EXISTS events_digest UInt64 DEFAULT 0;
