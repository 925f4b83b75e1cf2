"""The statements of ingest, with server-side parameters.

Ingest writes only to the pipeline's own table `events`; a source table of another name is not ours.
"""

# Key of events: (team_id, toDate(timestamp), event, uuid). A uuid with another timestamp is still the
# same event, so the statement searches the whole team: two light columns of 16 and 8 bytes a row, no payload.
KNOWN_EVENTS = """
SELECT DISTINCT
    team_id,
    uuid
FROM events
WHERE team_id IN {team_ids:Array(Int64)}
    AND uuid IN {uuids:Array(UUID)}
"""
