"""Stores valid events: finds those that are new, and inserts them into the events table."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from llma_assets.clickhouse import Database, SentTable
from llma_assets.ingest import queries
from llma_assets.ingest.moments import day_of
from llma_assets.ingest.parsing import Event

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

MONTHS_AN_INSERT = 100
"""A server refuses an insert into more partitions, and may not let us lift that limit."""

_DAY_US = 86_400_000_000


def store_new(database: Database, events: Sequence[Event]) -> list[Event]:
    """Insert the events that are not stored yet, by months, and return them.

    Of several events with the same key the first is stored. Of several processes of one data folder with the same event
    only one inserts it. A failed insert stores all, some or none of the events; the call can be repeated.

    Raises:
        DatabaseError: the database failed.
    """
    if not events:
        return []
    first: dict[tuple[int, str], Event] = {}
    for event in events:
        first.setdefault((event.team_id, event.uuid), event)
    with database.exclusive("ingest"):
        known = _known(database, list(first.values()))
        new = [event for key, event in first.items() if key not in known] if known else list(first.values())
        for some in _by_months(new):
            database.insert_arrow("events", _table(some))
    return new


def _by_months(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """As few inserts as possible of at most a hundred months; each insert writes a part for each month."""
    months: defaultdict[date, list[Event]] = defaultdict(list)
    for event in events:
        months[_month(event.timestamp_us // _DAY_US)].append(event)
    for some in _parts(sorted(months), MONTHS_AN_INSERT):
        yield [event for month in some for event in months[month]]


@lru_cache(maxsize=4096)
def _month(day: int) -> date:
    """The first day of the month of a day since 1970."""
    return day_of(day * _DAY_US).replace(day=1)


def _known(database: Database, events: Sequence[Event]) -> set[tuple[int, str]]:
    """The keys of these events that are stored; may hold further keys if teams share uuids."""
    wanted = np.empty(len(events), dtype=[("team_id", "<i8"), ("uuid", "<u8", 2)])  # as RowBinary has them
    wanted["team_id"] = [event.team_id for event in events]
    wanted["uuid"] = np.frombuffer(_uuids(events), dtype=">u8").reshape(-1, 2)
    sent = SentTable("wanted", {"team_id": "Int64", "uuid": "UUID"}, wanted.tobytes())
    found = database.arrow_with(sent, queries.KNOWN_EVENTS)
    return set(zip(found["team_id"].to_pylist(), found["uuid_text"].to_pylist(), strict=True))


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _uuids(events: Sequence[Event]) -> bytes:
    """The uuids one after another, sixteen bytes each."""
    return bytes.fromhex("".join([event.uuid for event in events]).replace("-", ""))


def _table(events: Sequence[Event]) -> "pa.Table":
    """The events as Arrow columns; a uuid is sixteen bytes, a time is in microseconds, properties are bytes."""
    import pyarrow as pa

    uuids = pa.Array.from_buffers(pa.binary(16), len(events), [None, pa.py_buffer(_uuids(events))])
    return pa.table(
        {
            "uuid": uuids,
            "event": pa.array([event.event for event in events], pa.string()),
            "team_id": pa.array([event.team_id for event in events], pa.int64()),
            "distinct_id": pa.array([event.distinct_id for event in events], pa.string()),
            "timestamp": pa.array([event.timestamp_us for event in events], pa.timestamp("us", "UTC")),
            "properties": pa.array([event.properties for event in events], pa.binary()),
        }
    )
