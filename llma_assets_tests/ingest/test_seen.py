"""Looking up a batch among the events of others alone."""

import random
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.ingest import IngestLimits, IngestReport, ingest
from llma_assets.ingest.seen import SeenKeys
from llma_assets.ingest.store import store_new
from llma_assets_tests.ingest.events import clock, event, lines, parsed, stored

LATER = {"timestamp": "2026-11-05T00:00:00Z", "event": "$ai_span"}
NOW = datetime(2026, 11, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def one_folder(database: Database) -> Any:
    """All who write to the database share its folder, as those of the embedded server do."""
    store_new(database, parsed(event(900, team_id=2), event(1, team_id=2)))
    with mock.patch.object(Database, "is_embedded", True):
        yield


def run(database: Database, *events: dict[str, Any], batch_rows: int = 2) -> IngestReport:
    source = BytesIO(lines(*events))
    return ingest(source, database, rejects=None, limits=IngestLimits(batch_rows=batch_rows), clock=clock)


def test_an_event_of_an_earlier_batch_is_found(database: Database) -> None:
    report = run(database, *(event(number) for number in range(6)), event(0, **LATER), event(5, **LATER), event(7))
    assert (report.inserted, report.duplicates) == (7, 2)
    assert stored(database) == 9


def test_an_event_that_was_stored_before_is_found_in_each_batch(database: Database) -> None:
    run(database, *(event(number, **LATER) for number in (1, 4, 8)))
    report = run(database, *(event(number) for number in range(10)))
    assert (report.inserted, report.duplicates) == (7, 3)


def test_what_another_ingest_stores_between_two_batches_is_found(database: Database) -> None:
    mine, other = SeenKeys(), SeenKeys()
    assert len(store_new(database, parsed(event(1), event(2)), mine)) == 2
    assert len(store_new(database, parsed(event(3), event(4)), other)) == 2
    assert [each.uuid for each in store_new(database, parsed(event(3, **LATER), event(5)), mine)] == [event(5)["uuid"]]
    assert len(store_new(database, parsed(event(6)))) == 1  # which keeps nothing in mind
    assert store_new(database, parsed(event(6, **LATER), event(2, **LATER)), mine) == []
    assert stored(database) == 8


def test_an_event_that_was_deleted_meanwhile_is_stored_again(database: Database) -> None:
    seen = SeenKeys()
    store_new(database, parsed(event(1), event(2)), seen)
    database.execute("DELETE FROM events WHERE team_id = 1 AND uuid = {uuid:UUID}", uuid=event(1)["uuid"])
    assert [each.uuid for each in store_new(database, parsed(event(1), event(2)), seen)] == [event(1)["uuid"]]


def test_after_an_insert_that_failed_everything_is_looked_up(database: Database) -> None:
    seen = SeenKeys()
    store_new(database, parsed(event(1)), seen)

    def stored_and_failed(self: Database, table: str, data: pa.Table) -> None:
        insert(self, table, data)
        raise DatabaseError("lost")

    insert = Database.insert_arrow
    with mock.patch.object(Database, "insert_arrow", stored_and_failed), pytest.raises(DatabaseError):
        store_new(database, parsed(event(2)), seen)
    assert store_new(database, parsed(event(2, **LATER), event(1)), seen) == []


def test_digests_are_found_whatever_the_sizes_of_what_was_added() -> None:
    chance = random.Random(1)
    seen = SeenKeys()
    known: set[int] = set()
    for _ in range(60):
        some = np.array([chance.getrandbits(12) for _ in range(chance.randrange(0, 40))], dtype=np.uint64)
        assert seen.find(some).tolist() == [int(each) in known for each in some]
        seen.add(some)
        known |= set(map(int, some))
    assert sum(map(len, seen._arrays)) >= len(known)
    assert len(seen._arrays) < 12


def test_the_moment_moves_only_if_others_stored_something() -> None:
    seen = SeenKeys()
    first = seen.begin(alone=False, now=NOW)
    seen.add(np.array([1, 2], dtype=np.uint64))
    assert seen.begin(alone=True, now=NOW + timedelta(hours=1)) == first
    assert seen.find(np.array([2, 3], dtype=np.uint64)).tolist() == [True, False]
    assert seen.begin(alone=False, now=NOW + timedelta(hours=2)) == first + timedelta(hours=2)
    assert not seen.find(np.array([2, 3], dtype=np.uint64)).any()
