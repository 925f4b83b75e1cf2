"""The statements of the rendering room, and the functions that read payloads in batches.

Events are read in two steps: ids, counts and sizes from light columns (`candidates`), then the payloads of the selected
ids in batches of bounded size. No statement sorts by a heavy column; events of a trace are sorted in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.trace_events import TRIGGER_EVENTS, EventsSeen

BATCH_BYTES = 32 * 2**20
BATCH_ITEMS = 200

# Key of events: (team_id, toDate(timestamp), event, uuid).
EVENTS_OF_TRACES = """
SELECT JSONExtractString(properties, '$ai_trace_id') AS trace_id,
    toString(uuid) AS event_uuid, event, timestamp, properties
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp <= {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
    AND trace_id IN {trace_ids:Array(String)}
"""

EVENTS_OF_GENERATIONS = """
SELECT toString(uuid) AS event_uuid, event, timestamp, properties
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp <= {until:DateTime64(6, 'UTC')}
    AND event = '$ai_generation'
    AND uuid IN {generation_ids:Array(UUID)}
"""

MOMENT = "SELECT now64(6, 'UTC')"

# For items that were found to begin on an earlier day. Key of trace_texts: (team_id, day, level, item_id).
DELETE_TEXTS_OF_LATER_DAYS = """
DELETE FROM trace_texts
WHERE team_id = {team_id:Int64}
    AND day > {day:Date}
    AND day <= {last_day:Date}
    AND level = {level:String}
    AND item_id IN {item_ids:Array(String)}
"""

# Key of texts_made: (team_id, day).
TEXTS_MADE = """
SELECT events, events_digest, waits_until
FROM texts_made FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
"""

# Key of texts_made: (team_id, day).
TEXTS_MADE_OF_TEAM = """
SELECT day, events, events_digest
FROM texts_made FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
"""

# For the sensor: which days of all teams have texts, and how many events these cover.
TEXTS_MADE_SINCE = """
SELECT team_id, day, events, events_digest, waits_until, inserted_at AS made_at
FROM texts_made FINAL
WHERE day >= {since:Date}
"""

# Key of texts_made: (team_id, day).
TEXTS_MADE_OF_DAYS = """
SELECT team_id, day, events
FROM texts_made FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
"""

# Key of trace_texts: (team_id, day, level, item_id).
LOSSES_OF_DAY = """
SELECT level, item_id, loss
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
ORDER BY level DESC, item_id
"""

# Texts without content are those of traces that record only that something ran.
CONTENT_OF_DAYS = """
SELECT level, count() AS texts, countIf(NOT has_content) AS without_content
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
GROUP BY level
"""

# Key of item_skips: (team_id, day, stage, theme_id, level, item_id).
NOT_RENDERED_OF_DAY = """
SELECT level, count() AS items, concat(min(item_id), ': ', argMin(detail, item_id)) AS such_as
FROM item_skips FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND stage = {stage:String} AND reason = {reason:String}
GROUP BY level
"""

COUNT_TEXTS_OF_OTHER_RENDERERS = """
SELECT count()
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND level = {level:String} AND renderer != {renderer:String}
"""

# Without FINAL: older versions of a row still hold the private values that the team now hides.
COUNT_UNDER_REDACTED_TEXTS = """
SELECT count()
FROM trace_texts
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND splitByChar('/', renderer)[2] NOT IN {redactions:Array(String)}
"""

DELETE_UNDER_REDACTED_TEXTS = """
DELETE FROM trace_texts
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND splitByChar('/', renderer)[2] NOT IN {redactions:Array(String)}
"""

DAY_OF_TRACE = """
SELECT min(timestamp) AS first_at, max(timestamp) AS last_at, count() AS events
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND event IN {trigger_events:Array(String)}
    AND JSONExtractString(properties, '$ai_trace_id') = {trace_id:String}
"""


TIME_OF_GENERATION = """
SELECT timestamp AS at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64} AND event = '$ai_generation' AND uuid = {generation_id:UUID}
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class StoredText:
    """The stored row of an item, without its text.

    Attributes:
        day: the day of the row; the first day if a killed run left the item under two.
        last_day: the last day with a row of the item.
        events: number of events that the text was made from.
        renderer: name of the renderer and its options.
        probability: inclusion probability in the sample; 0 if the item is not in it.
        drawn: whether the item is in the sample.
        digest: of the states of these events, 0 for unknown.
    """

    day: date
    last_day: date
    events: int
    renderer: str
    probability: float
    drawn: bool = True
    digest: int = 0


# Key of trace_texts: (team_id, day, level, item_id). An id may be a trace's or, less likely, a generation's.
TEXT_OF_ITEM = """
SELECT
    day, level, trace_id, text, loss, event_count, line_count, cost_usd, latency_s, tokens, error_count, renderer,
    trace_timestamp AS first_at, last_event_at AS last_at
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND level IN ('trace', 'generation') AND item_id = {item_id:String}
ORDER BY level = 'trace' DESC, day DESC
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may be rendered, as the light columns describe it.

    Attributes:
        item_id: the trace id, or the uuid of the generation's event.
        trace_id: id of the trace that the item is or belongs to.
        first_at: time of its first event.
        last_at: time of its last event.
        events: number of its events, each uuid once.
        size_bytes: length of its payloads.
        user_hash: hash of the user of its first event.
        probability: inclusion probability in the sample; 0 if the item is not in it.
        drawn: whether the item is in the sample; otherwise a theme wants it.
        stored: its stored row, None for none.
        digest: of the states of its events, 0 for unknown.
    """

    item_id: str
    trace_id: str
    first_at: datetime
    last_at: datetime
    events: int
    size_bytes: int
    user_hash: int = 0
    probability: float = 1.0
    drawn: bool = True
    stored: StoredText | None = None
    digest: int = 0

    @property
    def is_repaired(self) -> bool:
        """Whether its text was made of as many events that hold other things now."""
        if self.stored is None or self.stored.events != self.events:
            return False
        return not EventsSeen(self.events, self.digest).are(EventsSeen(self.stored.events, self.stored.digest))


def batches(candidates: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """Split candidates into batches of bounded size; a candidate larger than a batch is a batch of its own."""
    batch: list[Candidate] = []
    size = 0
    for candidate in candidates:
        if batch and (size + candidate.size_bytes > BATCH_BYTES or len(batch) == BATCH_ITEMS):
            yield batch
            batch, size = [], 0
        batch.append(candidate)
        size += candidate.size_bytes
    if batch:
        yield batch


def events_of_traces(database: Database, team_id: int, batch: Sequence[Candidate]) -> dict[str, list[dict[str, Any]]]:
    """The events of a batch of traces by trace id, each uuid once, sorted by time."""
    by_trace: dict[str, dict[str, dict[str, Any]]] = {candidate.item_id: {} for candidate in batch}
    rows = database.stream(
        EVENTS_OF_TRACES,
        team_id=team_id,
        trigger_events=list(TRIGGER_EVENTS),
        trace_ids=[candidate.item_id for candidate in batch],
        **{
            "from": min(candidate.first_at for candidate in batch),
            "until": max(candidate.last_at for candidate in batch),
        },
    )
    for row in rows:
        by_trace[row["trace_id"]][row["event_uuid"]] = _event(row)
    return {
        trace_id: sorted(events.values(), key=lambda event: (event["timestamp"], event["uuid"]))
        for trace_id, events in by_trace.items()
    }


def events_of_generations(
    database: Database, team_id: int, batch: Sequence[Candidate]
) -> dict[str, list[dict[str, Any]]]:
    """The event of each generation of a batch, as a list of one event, by its uuid."""
    rows = database.stream(
        EVENTS_OF_GENERATIONS,
        team_id=team_id,
        generation_ids=[candidate.item_id for candidate in batch],
        **{
            "from": min(candidate.first_at for candidate in batch),
            "until": max(candidate.last_at for candidate in batch),
        },
    )
    return {row["event_uuid"]: [_event(row)] for row in rows}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    """A row as an event for the renderer."""
    return {
        "uuid": row["event_uuid"],
        "event": row["event"],
        "timestamp": row["timestamp"],
        "properties": row["properties"],
    }


def stored_text(database: Database, team_id: int, item_id: str) -> dict[str, Any] | None:
    """The stored text of a trace or of a generation with what is counted of it, None where none is stored."""
    rows = database.rows(TEXT_OF_ITEM, team_id=team_id, item_id=item_id)
    return rows[0] if rows else None
