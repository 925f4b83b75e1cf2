"""Stores valid events: finds those that are new, and inserts them into the events table."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.ingest import queries
from llma_assets.ingest.moments import day_of
from llma_assets.ingest.parsing import Event

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

UUIDS_A_QUERY = 2_500
"""So many uuids, of 39 bytes each, fit into the 128 KiB that a server accepts as one parameter."""

MONTHS_AN_INSERT = 100
"""A server refuses an insert into more partitions, and may not let us lift that limit."""


def store_new(database: Database, events: Sequence[Event]) -> list[Event]:
    """Insert the events that are not stored yet, by months, and return them.

    Of several events with the same key the first is stored. Of several processes of one data folder with the same event
    only one inserts it. A failed insert stores all, some or none of the events; the call can be repeated.

    Raises:
        DatabaseError: the database failed.
    """
    first: dict[tuple[int, str], Event] = {}
    for event in events:
        first.setdefault(event.key, event)
    with database.exclusive("ingest"):
        known = _known(database, list(first))
        new = [event for key, event in first.items() if key not in known]
        for some in _by_months(new):
            database.insert_arrow("events", _table(some))
    return new


def _by_months(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """As few inserts as possible of at most a hundred months; each insert writes a part for each month."""
    months: defaultdict[date, list[Event]] = defaultdict(list)
    for event in events:
        months[day_of(event.timestamp_us).replace(day=1)].append(event)
    for some in _parts(sorted(months), MONTHS_AN_INSERT):
        yield [event for month in some for event in months[month]]


def _known(database: Database, keys: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """The keys that are stored; may hold further keys if teams share uuids."""
    known: set[tuple[int, str]] = set()
    for part in _parts(keys, UUIDS_A_QUERY):
        rows = database.rows(
            queries.KNOWN_EVENTS,
            team_ids=sorted({team_id for team_id, _ in part}),
            uuids=[uuid for _, uuid in part],
        )
        known.update((row["team_id"], str(row["uuid"])) for row in rows)
    return known


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _table(events: Sequence[Event]) -> "pa.Table":
    """The events as Arrow columns; a uuid is sixteen bytes, a time is in microseconds, properties are bytes."""
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
