"""An insert that storage refuses is an error with ClickHouse's own code, in whatever format the rows come."""

import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pyarrow as pa
import pytest

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.settings import Settings
from llma_assets_tests.clickhouse.conftest import Ask

FORMATS = ["JSONEachRow", "CSV", "Values", "Native", "RowBinary", "Arrow", "ArrowStream", "Parquet"]
TOO_MANY_PARTS, VIOLATED_CONSTRAINT, THROWN = 252, 469, 395
ONE_ROW = "SELECT toInt64(1) AS team_id, toUInt32(7) AS n"
MANY_ROWS = "SELECT toInt64(1) AS team_id, toUInt32(number) AS n FROM numbers(130)"

# Each refuses what team 1 sends; the row of team 2 is there before.
TABLE = "CREATE TABLE t (team_id Int64, n UInt32) ENGINE = MergeTree ORDER BY (team_id, n) "
REFUSALS = {
    "130 partitions": ([TABLE + "PARTITION BY n"], MANY_ROWS, TOO_MANY_PARTS),
    "a constraint": ([TABLE.replace(")", ", CONSTRAINT small CHECK team_id > 1)", 1)], ONE_ROW, VIOLATED_CONSTRAINT),
    "a view that throws": (
        [TABLE, "CREATE MATERIALIZED VIEW v ENGINE = Memory AS SELECT throwIf(team_id = 1) AS is_one FROM t"],
        ONE_ROW,
        THROWN,
    ),
    "too many parts": (
        [TABLE + "SETTINGS parts_to_throw_insert = 1, parts_to_delay_insert = 1, max_delay_to_insert = 1"],
        ONE_ROW,
        TOO_MANY_PARTS,
    ),
}


def prepare(ask: Ask, refusal: str) -> tuple[str, int]:
    """Make the table, with a row of team 2; the rows that it refuses, and the code of the refusal."""
    statements, rows, code = REFUSALS[refusal]
    for statement in (*statements, "INSERT INTO t (team_id, n) VALUES (2, 7)"):
        assert ask(statement.encode()).status == 200
    return rows, code


def is_unchanged(ask: Ask, refusal: str) -> bool:
    """Whether team 2's row is all there is. What a view refuses is in the table all the same, as on any ClickHouse."""
    rows = ask(b"SELECT team_id, n FROM t ORDER BY ALL").body
    return rows.endswith(b"2\t7\n") if refusal == "a view that throws" else rows == b"2\t7\n"


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_is_refused_is_an_error_and_not_there(ask: Ask, refusal: str) -> None:
    rows, code = prepare(ask, refusal)
    answers = {}
    for data_format in FORMATS:
        data = ask(f"{rows} FORMAT {data_format}".encode()).body
        insert = f"INSERT INTO t (team_id, n) FORMAT {data_format}"
        answers[data_format] = [
            ask(data, query=insert).code,
            ask(insert.encode() + b"\n" + data).code,
            ask(iter((data[:9], data[9:])), query=insert, async_insert="1", insert_deduplicate="1").code,
        ]
    assert answers == dict.fromkeys(FORMATS, [code] * 3)
    assert is_unchanged(ask, refusal)


def test_every_format_that_is_read_is_refused_alike(ask: Ask) -> None:
    rows, code = prepare(ask, "a constraint")
    names = ask(b"SELECT name FROM system.formats WHERE is_input AND is_output").body.decode().split()
    answers = {}
    for name in names:
        made = ask(f"SELECT team_id, n FROM ({rows}) FORMAT {name}".encode())
        if made.status == 200 and name not in ("RawBLOB", "Null"):  # which carry no columns
            answers[name] = ask(made.body, query=f"INSERT INTO t FORMAT {name}").code
    without_schema = {name for name, found in answers.items() if found != code}
    assert len(answers) > 30
    assert without_schema <= {"CapnProto", "Protobuf", "ProtobufList", "ProtobufSingle", "Npy", "LineAsString"}
    assert 0 not in answers.values()
    assert is_unchanged(ask, "a constraint")


@pytest.mark.parametrize("refusal", sorted(REFUSALS.keys() - {"130 partitions"}))  # it takes any number of partitions
def test_the_database_object_raises_for_rows_and_for_arrow(database: Database, ask: Ask, refusal: str) -> None:
    _, code = prepare(ask, refusal)
    numbers = range(130)
    with pytest.raises(DatabaseError) as of_rows:
        database.insert_rows("t", [{"team_id": 1, "n": n} for n in numbers])
    with pytest.raises(DatabaseError) as of_arrow:
        database.insert_arrow("t", pa.table({"team_id": pa.array([1] * 130), "n": pa.array(numbers, pa.uint32())}))
    assert (of_rows.value.code, of_arrow.value.code) == (code, code)
    assert is_unchanged(ask, refusal)


def test_a_large_insert_that_is_refused_at_its_first_block_is_answered(ask: Ask) -> None:
    prepare(ask, "a constraint")
    pieces = (b"1\t7\n" * (1 << 18) for _ in range(40))
    assert ask(pieces, query="INSERT INTO t FORMAT TSV").code == VIOLATED_CONSTRAINT
    assert ask(b"SELECT 1").body == b"1\n"  # by the same connection
    assert is_unchanged(ask, "a constraint")


DEFAULTS = """
CREATE TABLE t (
    team_id Int64,
    n UInt32,
    word String DEFAULT concat('n', toString(n)),
    twice UInt32 MATERIALIZED 2 * n,
    hint String EPHEMERAL 'none',
    shout String DEFAULT upper(hint)
) ENGINE = MergeTree ORDER BY (team_id, n)
"""


INSERTS = {
    "(team_id, n) FORMAT CSV": b"1,7\n",
    "(team_id, n) SETTINGS format_csv_delimiter = ';' FORMAT CSV": b"1;7\n",
    "(* EXCEPT(word, hint, shout)) FORMAT TSV": b"1\t7\n",
    "(team_id, n, word) FORMAT JSONEachRow": b'{"team_id": 1, "n": 7}',
    "(team_id, n, word, shout, hint) FORMAT JSONEachRow": b'{"team_id": 1, "n": 7, "hint": "none"}',
    "(n, team_id) FORMAT CSVWithNames": b"n,team_id\n7,1\n",
    "(team_id, n) VALUES": b"(1, 3 + 4)",
    "(n, team_id) SETTINGS async_insert = 1 VALUES": b"(7, 1)",
}


def test_defaults_column_lists_and_settings_hold_as_ever(ask: Ask) -> None:
    ask(DEFAULTS.encode())
    found = {}
    for insert, data in INSERTS.items():
        assert ask(data, query=f"INSERT INTO t {insert}").status == 200
        found[insert] = ask(b"SELECT *, twice FROM t").body
        ask(b"TRUNCATE TABLE t")
    assert found == dict.fromkeys(INSERTS, b"1\t7\tn7\tNONE\t14\n")


def test_many_blocks_are_stored_whole_and_counted(ask: Ask) -> None:
    ask(TABLE.encode())
    rows = "SELECT toInt64(1) AS team_id, toUInt32(number) AS n FROM numbers(3000000)"
    data = ask(f"{rows} FORMAT Native".encode()).body
    assert len(data) > 32 << 20
    reply = ask((data[at : at + 70_000] for at in range(0, len(data), 70_000)), query="INSERT INTO t FORMAT Native")
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "3000000"
    assert ask(b"SELECT count(), sum(n) FROM t").body == b"3000000\t4499998500000\n"


@pytest.mark.parametrize("sent", [b"1\t7\n" * 1000, b"1\t7\n" * (1 << 20)], ids=["little", "much"])
def test_an_insert_that_breaks_off_stores_nothing(
    ask: Ask, settings: Settings, basic: dict[str, str], sent: bytes
) -> None:
    ask(TABLE.encode())
    url = urlsplit(settings.clickhouse_url or "")
    target = "/?" + urlencode(
        {"query": "INSERT INTO t FORMAT TSV", "database": url.path.strip("/"), "query_id": "left"}
    )
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic['Authorization']}\r\n"
    for _ in range(5):
        with socket.create_connection((url.hostname, url.port or 0)) as raw:
            raw.sendall(head.encode() + b"Content-Length: 100000000\r\n\r\n" + sent)
            raw.shutdown(socket.SHUT_WR)
            # That the client left is noticed by whoever reads, or by whoever looks for abandoned queries.
            assert re.search(rb"\r\nX-ClickHouse-Exception-Code: (210|394)\r\n", raw.recv(1000))
    assert ask(b"SELECT count() FROM t").body == b"0\n"


@pytest.mark.parametrize("data_format", ["CSV", "JSONEachRow", "Native", "ArrowStream"])
def test_data_that_cannot_be_read_is_explained_once(ask: Ask, data_format: str) -> None:
    ask(TABLE.encode())
    reply = ask(b'{"n": "seven"}', query=f"INSERT INTO t FORMAT {data_format}")
    text = reply.body.decode()
    assert reply.code in (27, 33, 117)
    assert re.fullmatch(r"(?s)Code: \d+\. DB::Exception: .*: While executing \w+\. \([A-Z_]+\) \(version .*\)\n", text)
    assert (text.count("Code: "), text.count("(version "), text.count("/dev/fd/")) == (1, 1, 0)


def test_damaged_data_after_the_first_blocks_stores_no_more(ask: Ask, basic: dict[str, str]) -> None:
    ask(TABLE.encode())

    def pieces() -> Iterator[bytes]:
        yield from (b"1\t7\n" * (1 << 18) for _ in range(4))
        yield b"1\tseven\n"

    assert ask(pieces(), query="INSERT INTO t FORMAT TSV").code == 27
    assert ask(b"SELECT count() FROM t").body == b"0\n"


def test_the_function_input_is_refused_instead_of_storing_nothing(ask: Ask) -> None:
    ask(TABLE.encode())
    query = "INSERT INTO t SELECT a, 7 FROM input('a Int64') FORMAT CSV"
    assert ask(b"1\n", query=query).code == 48
    assert ask(query.encode() + b"\n1\n").code == 48


RUNS = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO t%query_id: endless */'"


def test_an_insert_is_killed_by_its_clients_id(ask: Ask, settings: Settings, basic: dict[str, str]) -> None:
    ask(TABLE.encode())
    url = urlsplit(settings.clickhouse_url or "")
    target = "/?" + urlencode(
        {"query": "INSERT INTO t FORMAT TSV", "database": url.path.strip("/"), "query_id": "endless"}
    )
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic['Authorization']}\r\n"
    with socket.create_connection((url.hostname, url.port or 0)) as raw:
        raw.sendall(head.encode() + b"Content-Length: 8388608\r\n\r\n" + b"1\t7\n" * (1 << 20))
        while ask(RUNS.encode()).body != b"1\n":
            pass
        assert ask(b"KILL QUERY WHERE query_id = 'endless'").status == 200
        raw.sendall(b"1\t7\n" * (1 << 20))
        assert b"\r\nX-ClickHouse-Exception-Code: 394\r\n" in raw.recv(1000)
    assert ask(b"SELECT count() FROM t").body == b"0\n"
