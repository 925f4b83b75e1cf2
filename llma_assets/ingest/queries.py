"""The statements of ingest, with server-side parameters.

Ingest writes only to the pipeline's own table `events`; a source table of another name is not ours.
"""

# Key of events: (team_id, toDate(timestamp), event, uuid). A uuid with another timestamp is still the
# same event, so the statement searches the whole team: two light columns of 16 and 8 bytes a row, no payload. They are
# read once for all keys of a batch, which are the rows of `wanted`. Hashes, because a set of them is searched in half
# the time; what they find too much is another event's key, and does no harm.
KNOWN_EVENTS = """
SELECT DISTINCT
    team_id,
    toString(uuid) AS uuid_text
FROM events
WHERE team_id IN (SELECT team_id FROM wanted)
    AND cityHash64(uuid) IN (SELECT cityHash64(uuid) FROM wanted)
"""

KNOWN_UNTIL = KNOWN_EVENTS + "    AND inserted_at <= {until:DateTime64(6, 'UTC')}"
"""The same of the events that were stored until a moment: a third column, of eight bytes that hardly change."""

NOW = "SELECT now64(6, 'UTC')"
