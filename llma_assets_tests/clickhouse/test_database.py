"""`Database` against a real server: values arrive exactly, errors say what was wrong, nothing leaks."""

import multiprocessing
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import numpy as np
import pyarrow as pa
import pytest

from llma_assets.clickhouse import Database, DatabaseError, DatabaseUnavailable, connect
from llma_assets.settings import Settings

HOSTILE = [
    "",
    'it\'s "quoted" `back`',
    "100% %s %(x)s {x:String} $1",
    "back\\slash \\n \\t \\N \\0",
    "line\nbreak\r\ntab\t\b\f\0end",
    "emoji 🙂 and 日本語",
    "'; DROP TABLE events; --",
    "/* comment */ -- comment",
    "FORMAT Native SETTINGS x = 1",
    "a" * 100_000,
]
PARIS = timezone(timedelta(hours=2))
EVENT = {"event": "$ai_span", "distinct_id": "d", "properties": "{}"}


def event(team_id: int, uuid: UUID) -> dict[str, object]:
    return {**EVENT, "uuid": uuid, "team_id": team_id, "timestamp": datetime(2026, 11, 7, 12, tzinfo=UTC)}


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_string_parameter_arrives_exactly(database: Database, value: str) -> None:
    assert database.value("SELECT {value:String}", value=value) == value


def test_a_list_of_hostile_strings_arrives_exactly(database: Database) -> None:
    assert database.value("SELECT {values:Array(String)}", values=HOSTILE) == HOSTILE


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_an_inserted_string_comes_back_exactly(database: Database, value: str) -> None:
    database.insert_rows("events", [{**event(1, uuid4()), "distinct_id": value, "properties": value}])
    sql = "SELECT distinct_id, properties FROM events WHERE team_id = {team_id:Int64}"
    assert database.rows(sql, team_id=1) == [{"distinct_id": value, "properties": value}]


def over_the_years(team_id: int) -> list[dict[str, object]]:
    """An event in each of 130 months."""
    moments = [datetime(2010 + month // 12, 1 + month % 12, 2, tzinfo=UTC) for month in range(130)]
    return [{**event(team_id, uuid4()), "timestamp": moment} for moment in moments]


def test_an_insert_over_more_than_a_hundred_partitions_is_stored(database: Database) -> None:
    database.insert_rows("events", over_the_years(1))
    rows = over_the_years(2)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["uuid"] = [row["uuid"].bytes for row in rows]  # type: ignore[attr-defined]
    database.insert_arrow("events", pa.table({**columns, "uuid": pa.array(columns["uuid"], pa.binary(16))}))
    counted = database.rows("SELECT team_id, count() AS events FROM events GROUP BY team_id ORDER BY team_id")
    assert counted == [{"team_id": 1, "events": 130}, {"team_id": 2, "events": 130}]


def test_dates_times_and_ids_arrive_exactly(database: Database) -> None:
    uuid, moment = uuid4(), datetime(2026, 11, 7, 23, 59, 59, 123456, tzinfo=PARIS)
    row = database.rows(
        "SELECT {uuid:UUID} AS uuid, {day:Date} AS day, {moment:DateTime64(6, 'UTC')} AS moment, "
        "{moments:Array(DateTime64(6, 'UTC'))} AS moments, {uuids:Array(UUID)} AS uuids, "
        "{none:Nullable(String)} AS none, {flag:Bool} AS flag",
        uuid=uuid,
        day=date(2026, 11, 7),
        moment=moment,
        moments=[moment],
        uuids=[uuid],
        none=None,
        flag=True,
    )[0]
    assert row == {
        "uuid": uuid,
        "day": date(2026, 11, 7),
        "moment": moment,
        "moments": [moment],
        "uuids": [uuid],
        "none": None,
        "flag": True,
    }
    assert row["moment"].tzinfo is UTC


def test_a_naive_datetime_counts_as_utc(database: Database) -> None:
    naive = datetime(2026, 11, 7, 12, tzinfo=UTC).replace(tzinfo=None)
    assert database.value("SELECT {moment:DateTime64(6, 'UTC')}", moment=naive) == naive.replace(tzinfo=UTC)
    database.insert_rows("events", [{**event(1, uuid4()), "timestamp": naive}])
    assert database.value("SELECT timestamp FROM events WHERE team_id = 1") == naive.replace(tzinfo=UTC)


def test_a_list_longer_than_a_url_arrives(database: Database) -> None:
    ids = [f"trace-{number}-{'x' * 20}" for number in range(20_000)]
    assert database.value("SELECT length({ids:Array(String)})", ids=ids) == len(ids)


def test_no_rows_give_an_empty_list_and_no_value(database: Database) -> None:
    sql = "SELECT uuid FROM events WHERE team_id = {team_id:Int64}"
    assert database.rows(sql, team_id=1) == []
    assert database.value(sql, team_id=1) is None
    assert list(database.stream(sql, team_id=1)) == []
    assert database.arrow(sql, team_id=1).column_names == ["uuid"]


def test_two_teams_of_equal_ids_stay_apart(database: Database) -> None:
    uuid = uuid4()
    database.insert_rows("events", [event(1, uuid), event(2, uuid)])
    sql = "SELECT team_id FROM events WHERE team_id = {team_id:Int64} AND uuid = {uuid:UUID}"
    assert database.rows(sql, team_id=2, uuid=uuid) == [{"team_id": 2}]


def test_inserting_twice_keeps_one_row_by_key(database: Database) -> None:
    rows = [event(1, uuid4()) for _ in range(10)]
    database.insert_rows("events", rows)
    database.insert_rows("events", rows)
    assert database.value("SELECT count() FROM events FINAL WHERE team_id = 1") == 10


def test_inserting_nothing_does_nothing(database: Database) -> None:
    database.insert_rows("no_such_table", [])
    database.insert_arrow("no_such_table", pa.table({"a": pa.array([], pa.int64())}))


def test_rows_of_different_keys_are_refused(database: Database) -> None:
    with pytest.raises(DatabaseError, match="row 1 for events"):
        database.insert_rows("events", [event(1, uuid4()), {"team_id": 1}])


def test_a_value_that_does_not_fit_is_refused_and_not_shown(database: Database) -> None:
    with pytest.raises(DatabaseError, match="does not fit") as caught:
        database.insert_rows("events", [{**event(1, uuid4()), "timestamp": "private text"}])
    assert "private" not in str(caught.value)
    assert database.value("SELECT count() FROM events") == 0


def test_a_large_arrow_table_goes_in_by_pieces_and_comes_back(database: Database) -> None:
    count, width = 2_000, 10_000  # 80 MB of floats, more than one piece
    floats = np.random.default_rng(0).random(count * width, dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(floats), width)
    database.execute("CREATE TABLE vectors (id Int64, vector Array(Float32)) ENGINE = MergeTree ORDER BY id")
    table = pa.table({"id": pa.array(range(count)), "vector": vectors.cast(pa.list_(pa.float32()))})
    database.insert_arrow("vectors", table)
    back = database.arrow("SELECT id, vector FROM vectors ORDER BY id")
    assert back["vector"].combine_chunks().flatten().equals(table["vector"].combine_chunks().flatten())


def test_a_stream_holds_a_few_blocks_at_a_time(database: Database) -> None:
    sql = "SELECT number, repeat('x', 2000) AS text FROM numbers({count:UInt64}) SETTINGS max_block_size = 4096"
    tracemalloc.start()
    seen = sum(1 for _ in database.stream(sql, count=60_000))  # 120 MB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 60_000
    assert peak < 60 << 20


def test_a_stream_left_early_frees_its_connection(database: Database) -> None:
    for _ in range(40):
        rows = database.stream("SELECT number FROM numbers(10000000)")
        assert next(rows) == {"number": 0}
        rows.close()  # type: ignore[attr-defined]
    assert database.value("SELECT 1") == 1


@pytest.mark.parametrize("read", ["rows", "stream", "arrow", "value"])
def test_an_error_within_the_result_carries_its_code(database: Database, read: str) -> None:
    sql = "SELECT throwIf(number = 900000, 'too far') FROM numbers(1000000)"
    with pytest.raises(DatabaseError, match="too far") as caught:
        list(getattr(database, read)(sql))
    assert caught.value.code == 395
    assert not caught.value.retryable


def test_a_timeout_is_retryable(database: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        database.value("SELECT sleepEachRow(0.5) FROM numbers(20) SETTINGS max_execution_time = 1, max_block_size = 1")
    assert caught.value.code == 159
    assert caught.value.retryable


def test_every_query_carries_its_tags(database: Database) -> None:
    tagged = database.tagged(run="r'1").tagged(asset="trace_texts")
    assert tagged.value("SELECT getSetting('log_comment')") == '{"asset": "trace_texts", "run": "r\'1"}'
    assert database.value("SELECT getSetting('log_comment')") == ""


def test_the_source_of_events_may_be_another_database(database: Database, settings: Settings) -> None:
    sql = (
        "SELECT count() AS n FROM {events_database:Identifier}.{events_table:Identifier} "
        "WHERE team_id = {team_id:Int64}"
    )
    database.insert_rows("events", [event(1, uuid4())])
    assert database.rows(sql, team_id=1) == [{"n": 1}]
    with (
        connect(replace(settings, events_table="system.tables")) as other,
        pytest.raises(DatabaseError, match="team_id"),
    ):
        other.rows(sql, team_id=1)


def test_a_wrong_password_is_refused_and_not_shown(settings: Settings) -> None:
    assert settings.clickhouse_url is not None
    before, _, after = settings.clickhouse_url.rpartition("@")
    wrong = f"{before.rpartition(':')[0]}:s3cret%2Fword@{after}"
    with pytest.raises(DatabaseError) as caught:
        connect(replace(settings, clickhouse_url=wrong))
    assert caught.value.code == 516
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://default:s3cret@127.0.0.1:{taken.getsockname()[1]}/llma"
        with pytest.raises(DatabaseUnavailable) as caught:
            connect(replace(settings, clickhouse_url=url))
    assert caught.value.retryable
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8123", "ftp://host/db", "http://", "http://host:port/"])
def test_an_unusable_url_is_said_to_be_one(settings: Settings, url: str) -> None:
    with pytest.raises(DatabaseError, match="CLICKHOUSE_URL must look like"):
        connect(replace(settings, clickhouse_url=url))


def test_many_threads_share_a_database(database: Database) -> None:
    wrong: list[object] = []

    def ask(base: int) -> None:
        for number in range(base, base + 20):
            answer = database.value("SELECT {number:Int64} + sleep(0.001)", number=number)
            if answer != number:
                wrong.append((number, answer))

    threads = [threading.Thread(target=ask, args=(base * 100,)) for base in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _ask_in_child(database: Database, answers: "multiprocessing.Queue[int]") -> None:
    for number in range(20):
        answers.put(database.value("SELECT {number:Int64}", number=number))


def test_a_forked_child_may_use_its_parents_database(database: Database) -> None:
    assert database.value("SELECT 1") == 1
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[int] = context.Queue()
    children = [context.Process(target=_ask_in_child, args=(database, answers)) for _ in range(2)]
    for child in children:
        child.start()
    assert [database.value("SELECT {number:Int64}", number=number) for number in range(20)] == list(range(20))
    received = sorted(answers.get(timeout=30) for _ in range(40))
    for child in children:
        child.join(30)
    assert received == sorted([*range(20), *range(20)])
    assert [child.exitcode for child in children] == [0, 0]


def test_rows_are_encoded_by_the_types_that_the_columns_have_by_now(database: Database) -> None:
    """Types are asked once; what another process changes meanwhile, and a refused insert, do no harm."""
    database.execute("CREATE TABLE told (team_id Int64, said String, day Date) ENGINE = MergeTree ORDER BY team_id")
    try:
        database.insert_rows("told", [{"team_id": 1, "said": "7"}])
        with counted_requests() as asked:
            database.insert_rows("told", [{"team_id": 2, "said": "8"}])
        assert len(asked) == 1, asked
        database.execute("ALTER TABLE told MODIFY COLUMN said LowCardinality(Nullable(String))")
        database.insert_rows("told", [{"team_id": 3, "said": "9"}])
        assert database.rows("SELECT team_id, said FROM told ORDER BY team_id") == [
            {"team_id": 1, "said": "7"},
            {"team_id": 2, "said": "8"},
            {"team_id": 3, "said": "9"},
        ]
        with pytest.raises(DatabaseError):
            database.insert_rows("told", [{"team_id": 4, "other": "9"}])
        database.execute("ALTER TABLE told ADD COLUMN other String")
        database.insert_rows("told", [{"team_id": 4, "other": "9"}])
        assert database.value("SELECT other FROM told WHERE team_id = 4") == "9"
    finally:
        database.execute("DROP TABLE told")


@contextmanager
def counted_requests() -> Iterator[list[str]]:
    """The requests of this process to the server within."""
    from urllib3.connectionpool import HTTPConnectionPool

    seen: list[str] = []
    before = HTTPConnectionPool.urlopen

    def urlopen(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> Any:
        seen.append(method)
        return before(pool, method, url, *args, **options)

    with mock.patch.object(HTTPConnectionPool, "urlopen", urlopen):
        yield seen
