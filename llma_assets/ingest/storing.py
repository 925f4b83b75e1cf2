"""From valid events to rows of the events table: which of them are new, and their insert."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.ingest import queries
from llma_assets.ingest.parsing import Event

if TYPE_CHECKING:
    import pyarrow as pa

UUIDS_A_QUERY = 2_500
"""So many, of 39 bytes each, fit into the 128 KiB that a server takes as one parameter."""


def store_new(database: Database, events: Sequence[Event]) -> list[Event]:
    """Insert those events that are not stored yet, in one statement; give out those that were inserted.

    Of several events of one key, the first is taken. An insert that fails stores nothing or all of it, and
    either way the same call can be made again.

    Raises:
        DatabaseError: the database failed.
    """
    first: dict[tuple[int, str], Event] = {}
    for event in events:
        first.setdefault(event.key, event)
    known = _known(database, list(first))
    new = [event for key, event in first.items() if key not in known]
    if new:
        database.insert_arrow("events", _table(new))
    return new


def _known(database: Database, keys: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of the keys that are stored; may hold others, where teams share uuids."""
    known: set[tuple[int, str]] = set()
    for part in _parts(keys, UUIDS_A_QUERY):
        rows = database.rows(
            queries.KNOWN_EVENTS,
            team_ids=sorted({team_id for team_id, _ in part}),
            uuids=[uuid for _, uuid in part],
        )
        known.update((row["team_id"], str(row["uuid"])) for row in rows)
    return known


def _parts(keys: Sequence[tuple[int, str]], size: int) -> Iterator[Sequence[tuple[int, str]]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _table(events: Sequence[Event]) -> "pa.Table":
    """The events as columns; a uuid is its sixteen bytes, a time is microseconds, properties are bytes."""
    import pyarrow as pa

    return pa.table(
        {
            "uuid": pa.array([UUID(event.uuid).bytes for event in events], pa.binary(16)),
            "event": pa.array([event.event for event in events], pa.string()),
            "team_id": pa.array([event.team_id for event in events], pa.int64()),
            "distinct_id": pa.array([event.distinct_id for event in events], pa.string()),
            "timestamp": pa.array([event.timestamp_us for event in events], pa.timestamp("us", "UTC")),
            "properties": pa.array([event.properties for event in events], pa.binary()),
        }
    )
