"""The statements of ingest. Each is run with server-side parameters; values never enter the text.

Ingest fills the pipeline's own table; a source table of another name belongs to somebody else.
"""

# Key of events: (team_id, toDate(timestamp), event, uuid). A uuid that comes again with another time is still
# the same event, so the whole team is searched: two light columns of 16 and 8 bytes a row, no payload.
KNOWN_EVENTS = """
SELECT DISTINCT
    team_id,
    uuid
FROM events
WHERE team_id IN {team_ids:Array(Int64)}
    AND uuid IN {uuids:Array(UUID)}
"""
