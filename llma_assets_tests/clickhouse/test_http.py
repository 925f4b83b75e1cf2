"""ClickHouse's HTTP interface as other clients use it, spoken here byte by byte."""

import base64
import gzip
import http.client
import json
import socket
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import lz4.frame
import pytest

from llma_assets.settings import Settings
from llma_assets_tests.clickhouse.conftest import Ask


def test_ping_needs_no_password(ask: Ask) -> None:
    assert ask(method="GET", path="/ping", headers={}).body == b"Ok.\n"


def test_a_query_may_stand_in_the_url_or_in_the_body(ask: Ask) -> None:
    assert ask(b"SELECT 1 AS x").body == b"1\n"
    assert ask(method="GET", query="SELECT 1 AS x").body == b"1\n"
    assert ask(b"+ 2 AS x", query="SELECT 1").body == b"3\n"


def test_the_answer_names_format_query_and_timezone(ask: Ask) -> None:
    reply = ask(b"SELECT 1 AS x", query_id="mine", default_format="JSONEachRow")
    assert reply.body == b'{"x":1}\n'
    assert reply.headers["X-ClickHouse-Query-Id"] == "mine"
    assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert reply.headers["X-ClickHouse-Timezone"] == "UTC"
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["result_rows"] == "1"


def test_a_query_id_cannot_add_headers(ask: Ask) -> None:
    reply = ask(b"SELECT 1", query_id="a\r\nX-Evil: 1\n\u0439")
    assert reply.status == 200
    assert "X-Evil" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic " + base64.b64encode(b"default:wrong").decode()},
        {"Authorization": "Basic !!!"},
        {"X-ClickHouse-User": "root", "X-ClickHouse-Key": ""},
        {"X-ClickHouse-User": "\xff", "X-ClickHouse-Key": "\xff"},
    ],
)
def test_who_does_not_know_the_password_gets_nothing(ask: Ask, headers: dict[str, str]) -> None:
    reply = ask(b"SELECT 1", headers=headers)
    assert (reply.status, reply.code) == (403, 516)


def test_user_and_password_may_come_in_headers_or_url(ask: Ask, settings: Settings) -> None:
    password = urlsplit(settings.clickhouse_url or "").password or ""
    assert ask(b"SELECT 1", headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": password}).body == b"1\n"
    assert ask(b"SELECT 1", headers={}, user="default", password=password).body == b"1\n"


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (a Int64) ENGINE = Memory", "INSERT INTO skips (day) VALUES (1)"]
)
def test_get_changes_nothing(ask: Ask, statement: str) -> None:
    assert ask(method="GET", query=statement).code == 164


def test_an_unknown_path_or_method_is_refused(ask: Ask) -> None:
    assert ask(b"SELECT 1", path="/other").status == 404
    assert ask(b"SELECT 1", method="DELETE").status == 405


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [("SELEC 1", 400, 62), ("SELECT * FROM no_such", 404, 60), ("SELECT 1 SETTINGS no_such = 1", 404, 115)],
)
def test_an_error_carries_status_code_and_text(ask: Ask, statement: str, status: int, code: int) -> None:
    reply = ask(statement.encode())
    assert reply.code == code
    assert reply.status in (status, 400)
    assert reply.body.startswith(b"Code: %d. DB::Exception: " % code)


@pytest.mark.parametrize(
    ("encoding", "decode"),
    [("gzip", gzip.decompress), ("deflate", zlib.decompress), ("lz4", lz4.frame.decompress)],
)
def test_answers_are_compressed_as_asked(
    ask: Ask, basic: dict[str, str], encoding: str, decode: Callable[[bytes], bytes]
) -> None:
    headers = {**basic, "Accept-Encoding": f"unknown, {encoding}"}
    reply = ask(b"SELECT number FROM numbers(100000)", headers=headers, enable_http_compression="1")
    assert reply.headers["Content-Encoding"] == encoding
    assert decode(reply.body) == b"".join(b"%d\n" % number for number in range(100_000))


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("lz4", lz4.frame.compress)])
def test_compressed_inserts_arrive(
    ask: Ask, basic: dict[str, str], encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    ask(b"CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    rows = encode(b"1\n2\n") + encode(b"3\n")  # frames may follow each other
    headers = {**basic, "Content-Encoding": encoding}
    assert ask(rows, headers=headers, query="INSERT INTO t FORMAT TSV").status == 200
    assert ask(b"SELECT sum(a) FROM t").body == b"6\n"


@pytest.mark.parametrize("encoding", ["gzip", "lz4", "zstd", "deflate"])
def test_damaged_compression_is_refused_and_stores_nothing(ask: Ask, basic: dict[str, str], encoding: str) -> None:
    ask(b"CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    headers = {**basic, "Content-Encoding": encoding}
    assert ask(b"1\n2\n" * 100, headers=headers, query="INSERT INTO t FORMAT TSV").code == 271
    assert ask(b"SELECT count() FROM t").body == b"0\n"


def test_an_unknown_compression_is_refused(ask: Ask, basic: dict[str, str]) -> None:
    assert ask(b"x", headers={**basic, "Content-Encoding": "rar"}).code == 89


def test_a_chunked_insert_streams_in(ask: Ask) -> None:
    ask(b"CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    rows = (b"%d\n" % number for number in range(10_000))
    reply = ask(rows, query="INSERT INTO t FORMAT TSV")
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "10000"
    assert ask(b"SELECT sum(a) FROM t").body == b"49995000\n"


def test_an_insert_may_have_parameters(ask: Ask) -> None:
    ask(b"CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    assert ask(b"7\n", query="INSERT INTO {name:Identifier} FORMAT TSV", param_name="t").status == 200
    assert ask(b"INSERT INTO t VALUES ({a:Int64} + 1)", param_a="7").status == 200
    assert ask(b"SELECT arraySort(groupArray(a)) FROM t").body == b"[7,8]\n"


def test_a_large_insert_of_values_streams_in(ask: Ask) -> None:
    ask(b"CREATE TABLE t (a Int64, b String) ENGINE = MergeTree ORDER BY a")
    values = b", ".join(b"(%d, 'it\\'s %d')" % (number, number) for number in range(100_000))
    assert len(values) > 2 << 20
    assert ask(b"INSERT INTO t VALUES " + values).status == 200
    assert ask(b"SELECT count(), max(b) FROM t").body == b"100000\tit\\'s 99999\n"


def test_an_insert_whose_client_breaks_off_stores_nothing(ask: Ask, settings: Settings, basic: dict[str, str]) -> None:
    ask(b"CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    url = urlsplit(settings.clickhouse_url or "")
    name = url.path.strip("/")
    with socket.create_connection((url.hostname, url.port or 0)) as raw:
        target = "/?" + urlencode({"query": "INSERT INTO t FORMAT TSV", "database": name})
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic['Authorization']}\r\n"
        raw.sendall(head.encode() + b"Content-Length: 1000000\r\n\r\n" + b"1\n" * 100_000)
    assert ask(b"SELECT count() FROM t").body == b"0\n"


def test_a_length_that_is_none_is_refused(settings: Settings, ask: Ask, basic: dict[str, str]) -> None:
    url = urlsplit(settings.clickhouse_url or "")
    with socket.create_connection((url.hostname, url.port or 0)) as raw:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {basic['Authorization']}\r\n"
        raw.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 500")
    assert ask(b"SELECT 1").body == b"1\n"


def test_an_external_table_is_there_for_its_query_alone(ask: Ask, basic: dict[str, str]) -> None:
    boundary = "b0undary"
    part = 'Content-Disposition: form-data; name="people"; filename="people.csv"\r\n\r\n'
    body = f"--{boundary}\r\n{part}1,Ann\r\n2,Bo\r\n--{boundary}--\r\n".encode()
    headers = {**basic, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    fields = {"people_structure": "id Int64, name String", "people_format": "CSV"}
    statement = "SELECT groupArray(name) FROM people"
    assert ask(body, headers=headers, query=statement, **fields).body == b"['Ann','Bo']\n"
    assert ask(statement.encode()).code == 60


def test_a_form_may_carry_the_query(ask: Ask, basic: dict[str, str]) -> None:
    body = urlencode({"query": "SELECT {text:String}", "param_text": "it's ünï\\n"}).encode()
    headers = {**basic, "Content-Type": "application/x-www-form-urlencoded"}
    assert ask(body, headers=headers).body == "it\\'s ünï\\n\n".encode()


@pytest.mark.parametrize("body", [b"query=\xff", b"--x\r\n\r\n--x--", b"cut off"])
def test_a_broken_form_is_refused(ask: Ask, basic: dict[str, str], body: bytes) -> None:
    kind = "application/x-www-form-urlencoded" if body.startswith(b"query") else "multipart/form-data; boundary=x"
    assert ask(body, headers={**basic, "Content-Type": kind}).code == 36
    assert ask(b"SELECT 1").body == b"1\n"


def test_settings_hold_for_one_request(ask: Ask) -> None:
    statement = b"SELECT getSetting('max_threads')"
    plain = ask(statement).body
    assert ask(statement, max_threads="3").body == b"3\n"
    assert ask(statement).body == plain
    assert ask(statement, session_id="s", max_threads="3").body == b"3\n"
    assert ask(statement, session_id="s").body == plain


def test_a_session_keeps_its_tables_and_settings(ask: Ask) -> None:
    ask(b"CREATE TEMPORARY TABLE mine (a Int64)", session_id="one")
    ask(b"SET max_threads = 3", session_id="one")
    assert ask(b"SELECT count() FROM mine", session_id="one").body == b"0\n"
    assert ask(b"SELECT getSetting('max_threads')", session_id="one").body == b"3\n"
    assert ask(b"SELECT count() FROM mine", session_id="two").code == 60
    assert ask(b"SELECT 1", session_id="three", session_check="1").code == 372


def test_a_session_serves_one_request_at_a_time(ask: Ask, settings: Settings, basic: dict[str, str]) -> None:
    url = urlsplit(settings.clickhouse_url or "")

    def occupy() -> None:
        other = http.client.HTTPConnection(url.hostname or "", url.port)
        status = 0
        while status != 200:
            other.request("POST", "/?session_id=busy", b"SELECT sleep(1.5)", basic)
            answer = other.getresponse()
            answer.read()
            status = answer.status
        other.close()

    busy = threading.Thread(target=occupy)
    busy.start()
    codes = set()
    while busy.is_alive():
        codes.add(ask(b"SELECT 1", session_id="busy").code)
        busy.join(0.1)
    assert 373 in codes
    assert ask(b"SELECT 1", session_id="busy").code == 0


def test_an_error_in_mid_stream_is_written_into_the_body(ask: Ask) -> None:
    reply = ask(b"SELECT throwIf(number = 900000) FROM numbers(1000000)")
    tag = reply.headers["X-ClickHouse-Exception-Tag"].encode()
    assert reply.status == 200
    assert reply.body.endswith(tag + b"\r\n__exception__\r\n")
    assert b"Code: 395" in reply.body[-2000:]


def test_an_error_comes_with_its_status_when_the_end_is_waited_for(ask: Ask) -> None:
    reply = ask(b"SELECT throwIf(number = 900000) FROM numbers(1000000)", wait_end_of_query="1")
    assert reply.status == 500
    assert reply.code == 395


def test_an_arrow_stream_is_one_stream_of_many_blocks(ask: Ask) -> None:
    import pyarrow as pa

    statement = b"SELECT number, toString(number) AS text FROM numbers(50000) SETTINGS max_block_size = 1000"
    with pa.ipc.open_stream(ask(statement + b" FORMAT ArrowStream").body) as reader:
        batches = list(reader)
    assert len(batches) > 10
    assert pa.Table.from_batches(batches)["number"].to_pylist() == list(range(50_000))
    with pa.ipc.open_stream(ask(b"SELECT 1 AS x WHERE 0 FORMAT ArrowStream").body) as reader:
        assert reader.read_all().column_names == ["x"]


def test_a_query_is_killed_by_its_clients_id(ask: Ask, settings: Settings, basic: dict[str, str]) -> None:
    url = urlsplit(settings.clickhouse_url or "")
    codes: list[str | None] = []

    def run() -> None:
        other = http.client.HTTPConnection(url.hostname or "", url.port)
        statement = b"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 2"
        other.request("POST", "/?query_id=slow-one", statement, basic)
        answer = other.getresponse()
        answer.read()
        codes.append(answer.getheader("X-ClickHouse-Exception-Code"))
        other.close()

    running = threading.Thread(target=run)
    running.start()
    while running.is_alive():
        ask(b"KILL QUERY WHERE query_id = 'slow-one'")
        running.join(0.1)
    assert codes == ["394"]


def test_a_url_of_half_a_megabyte_is_read(ask: Ask) -> None:
    assert ask(b"SELECT length({text:String})", param_text="x" * 500_000).body == b"500000\n"


def test_the_log_holds_no_query(ask: Ask, data_dir: Path) -> None:
    ask(b"SELECT 'private-words' FROM no_such", param_x="private-words")
    assert "private-words" not in (data_dir / "clickhouse" / "server.log").read_text()
