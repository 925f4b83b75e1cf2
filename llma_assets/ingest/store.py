"""Stores valid events: finds those that are new, and inserts them into the events table."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database, SentTable
from llma_assets.ingest import queries
from llma_assets.ingest.moments import day_of
from llma_assets.ingest.parsing import Event
from llma_assets.ingest.seen import Digests, SeenKeys

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

MONTHS_AN_INSERT = 100
"""A server refuses an insert into more partitions, and may not let us lift that limit."""

_ODD, _OTHER_ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_DAY_US = 86_400_000_000


def store_new(database: Database, events: Sequence[Event], seen: SeenKeys | None = None) -> list[Event]:
    """Insert the events that are not stored yet, by months, and return them.

    Of several events with the same key the first is stored. Of several processes of one data folder with the same event
    only one inserts it. A failed insert stores all, some or none of the events; the call can be repeated.

    Args:
        seen: what the calls before this one have stored, so that only events of others are looked up; None to look up
            all. All who write to the database have to share its data folder.

    Raises:
        DatabaseError: the database failed.
    """
    if not events:
        return []
    first: dict[tuple[int, str], Event] = {}
    for event in events:
        first.setdefault((event.team_id, event.uuid), event)
    wanted = list(first.values())
    with database.exclusive("ingest", seen.holder if seen is not None else "") as alone:
        if seen is None:
            known = _known(database, _keys(wanted))
            new = _without(wanted, known)
            _insert(database, new)
            return new
        keys = _keys(wanted)
        until = seen.begin(alone=alone, now=database.value(queries.NOW))
        digests = _digests(keys)
        is_seen = seen.find(digests)
        known = _known(database, keys[~is_seen], until)
        if is_seen.any():
            known |= _known(database, keys[is_seen])
        new = _without(wanted, known)
        try:
            _insert(database, new)
        except BaseException:
            seen.forget()
            raise
        # With what was known before: to find it here is cheaper.
        seen.add(digests)
    return new


def _insert(database: Database, events: Sequence[Event]) -> None:
    for some in _by_months(events):
        database.insert_arrow("events", _table(some))


def _without(events: Sequence[Event], known: Collection[tuple[int, str]]) -> list[Event]:
    return [event for event in events if (event.team_id, event.uuid) not in known] if known else list(events)


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


def _keys(events: Sequence[Event]) -> NDArray[np.void]:
    """Teams and uuids, as RowBinary has them."""
    keys = np.empty(len(events), dtype=[("team_id", "<i8"), ("uuid", "<u8", 2)])
    keys["team_id"] = [event.team_id for event in events]
    keys["uuid"] = np.frombuffer(_uuids(events), dtype=">u8").reshape(-1, 2)
    return keys


def _digests(keys: NDArray[np.void]) -> Digests:
    """64 bits of each key. Different ones may be equal, so what they say is looked up."""
    uuids = keys["uuid"]
    digests: Digests = uuids[:, 0] ^ (uuids[:, 1] * _ODD) ^ (keys["team_id"].astype(np.uint64) * _OTHER_ODD)
    return digests


def _known(database: Database, keys: NDArray[np.void], until: datetime | None = None) -> set[tuple[int, str]]:
    """The keys of these that are stored, or were until then; may hold further keys if teams share uuids."""
    sent = SentTable("wanted", {"team_id": "Int64", "uuid": "UUID"}, keys.tobytes())
    if until is None:
        found = database.arrow_with(sent, queries.KNOWN_EVENTS)
    else:
        found = database.arrow_with(sent, queries.KNOWN_UNTIL, until=until)
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
