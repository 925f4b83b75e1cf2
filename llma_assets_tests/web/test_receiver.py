"""`POST /v1/traces`: stored before 200, each span once, whose it is, what is refused, and how much is taken at once."""

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.ingest import MAX_CONTENT_BYTES, Busy, Inbox
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app, token_hash
from llma_assets.web.access import Entry
from llma_assets_tests.ingest.events import NOW
from llma_assets_tests.ingest.test_containers import OTLP, requests

ADDRESS = "http://127.0.0.1:4318"
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}
TEAM = {"x-llma-team": "5"}
SPANS = 3
TOKENS = Access(
    entries=(
        Entry(name="one", sha256=token_hash("one"), teams=[7], rights="change"),
        Entry(name="two", sha256=token_hash("two"), teams=[7, 8], rights="change"),
        Entry(name="reader", sha256=token_hash("reader"), teams=[7], rights="read"),
    ),
    is_open=False,
)


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    made = Site(settings, Access(owner="me"), clock=lambda: NOW)
    made.opened = database
    return made


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    app = create_app(site)
    yield TestClient(app, ADDRESS, raise_server_exceptions=False)
    app.state.inbox.close()


def body() -> bytes:
    return requests()[0]


def stored(database: Database) -> dict[int, int]:
    rows = database.rows("SELECT team_id, uniqExact(uuid) AS n, count() AS rows FROM events GROUP BY team_id")
    assert all(row["n"] == row["rows"] for row in rows)
    return {row["team_id"]: row["n"] for row in rows}


def send(client: TestClient, content: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/traces", content=content, headers={**PROTOBUF, **TEAM, **named})


def message(response: Any) -> str:
    """The message of an error in protobuf."""
    return str(Status.FromString(response.content).message)


def test_spans_are_stored_when_200_comes_and_once_however_often_they_are_sent(
    client: TestClient, database: Database
) -> None:
    for _ in range(2):
        response = send(client, body())
        assert (response.status_code, response.headers["content-type"]) == (200, "application/x-protobuf")
        assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
        assert stored(database) == {5: SPANS}


def test_json_and_gzip_are_read_and_are_the_same_spans(client: TestClient, database: Database) -> None:
    line = OTLP.read_bytes().splitlines()[0]
    response = client.post("/v1/traces", content=line, headers={**JSON, **TEAM})
    assert (response.status_code, response.json()) == (200, {})
    response = send(client, gzip.compress(body()), content_encoding="gzip")
    assert response.status_code == 200
    assert stored(database) == {5: SPANS}


def test_a_request_without_spans_is_fine(client: TestClient, database: Database) -> None:
    assert send(client, b"").status_code == 200
    assert stored(database) == {}


def test_a_bad_span_is_told_and_the_others_are_stored(client: TestClient, database: Database) -> None:
    request = ExportTraceServiceRequest.FromString(body())
    request.resource_spans[0].scope_spans[0].spans[1].start_time_unix_nano = 0
    response = send(client, request.SerializeToString())
    told = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, told.rejected_spans) == (200, 1)
    assert "scopeSpans[0].spans[1]: startTimeUnixNano is missing" in told.error_message
    assert stored(database) == {5: SPANS - 1}
    as_json = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x"}]}]}]}
    response = client.post("/v1/traces", json=as_json, headers=TEAM)
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (b"hello", {}, 400, "no OTLP protobuf"),
        (b"\x0a\x05ab", {}, 400, "truncated"),
        (b"\x0a\x02\xff\xff", {}, 400, "ResourceSpans"),
        (b"", {"content-type": "text/plain"}, 415, "application/x-protobuf"),
        (b"x", {"content-encoding": "br"}, 415, "gzip"),
        (b"a text of some bytes", {"content-encoding": "gzip"}, 400, "no gzip"),
        (gzip.compress(b"abc", mtime=0)[:-4], {"content-encoding": "gzip"}, 400, "cut"),
        (b"", {"x-llma-team": "shop"}, 400, "number of a team"),
        (b"", {"x-llma-team": ""}, 400, "OTEL_EXPORTER_OTLP_HEADERS"),
    ],
)
def test_what_is_no_request_is_refused_for_good(
    client: TestClient, database: Database, content: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    response = client.post("/v1/traces", content=content, headers={**PROTOBUF, **TEAM, **headers})
    assert response.status_code == status
    assert said in message(response)
    assert "retry-after" not in response.headers
    assert stored(database) == {}


def test_json_that_is_none_is_refused_in_json(client: TestClient) -> None:
    response = client.post("/v1/traces", content=b'{"resourceSpans": [', headers={**JSON, **TEAM})
    assert (response.status_code, list(response.json())) == (400, ["message"])


def test_a_bomb_is_not_unpacked(client: TestClient) -> None:
    response = send(client, gzip.compress(b"\0" * (MAX_CONTENT_BYTES + 1)), content_encoding="gzip")
    assert response.status_code == 413
    assert "send smaller batches" in message(response)
    assert client.app.state.inbox._held == 0  # type: ignore[attr-defined]


def test_tokens_say_whose_spans_they_are(site: Site, client: TestClient, database: Database) -> None:
    site.access = TOKENS

    def asked(token: str, **headers: str) -> int:
        sent = {**PROTOBUF, "authorization": f"Bearer {token}", **headers}
        return int(client.post("/v1/traces", content=body(), headers=sent).status_code)

    assert asked("nobody") == 401
    assert asked("reader") == 403
    assert asked("one", **{"x-llma-team": "8"}) == 403
    assert asked("two") == 400
    assert stored(database) == {}
    assert asked("one") == 200
    assert asked("two", **{"x-llma-team": "8"}) == 200
    assert stored(database) == {7: SPANS, 8: SPANS}


def test_the_server_may_name_a_team_for_spans_without_one(site: Site, client: TestClient, database: Database) -> None:
    site.default_team = 9
    assert client.post("/v1/traces", content=body(), headers=PROTOBUF).status_code == 200
    assert stored(database) == {9: SPANS}


def test_a_page_of_another_origin_may_not_send(client: TestClient, database: Database) -> None:
    assert send(client, body(), origin="https://example.com").status_code == 403
    assert stored(database) == {}


def test_when_the_database_is_away_the_sender_is_asked_to_come_again(
    site: Site, client: TestClient, database: Database
) -> None:
    known, site.opened = site.settings, None
    site.settings = replace(known, clickhouse_url="http://127.0.0.1:1")
    response = send(client, body())
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    site.opened = database
    assert send(client, body()).status_code == 200
    assert stored(database) == {5: SPANS}


def test_when_too_much_waits_the_sender_is_asked_to_come_again(client: TestClient, database: Database) -> None:
    inbox: Inbox = client.app.state.inbox  # type: ignore[attr-defined]
    with inbox.hold() as held:
        held.add(inbox.limit)
        response = send(client, body())
        assert (response.status_code, response.headers["retry-after"]) == (429, "2")
        assert stored(database) == {}
    assert send(client, body()).status_code == 200


def test_requests_that_come_at_once_share_an_insert(client: TestClient, database: Database) -> None:
    inbox: Inbox = client.app.state.inbox  # type: ignore[attr-defined]
    begun, opened, inserts = threading.Event(), threading.Event(), []
    real = inbox.database

    def slow() -> Database:
        begun.set()
        opened.wait(60)  # until all have come, however busy the machine is
        inserts.append(1)
        return real()

    inbox.database = slow
    bodies = []
    for number in range(1, 9):
        line = orjson.loads(OTLP.read_bytes().splitlines()[0])
        for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            span["traceId"] = f"{number:032x}"
        bodies.append(orjson.dumps(line))

    def sent(content: bytes) -> int:
        return int(client.post("/v1/traces", content=content, headers={**JSON, **TEAM}).status_code)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(sent, bodies[0])]
        assert begun.wait(60), "the first is alone in its insert"
        futures += [pool.submit(sent, content) for content in bodies[1:]]
        while len(inbox._waiting) < 7:
            assert not any(future.done() for future in futures)
            time.sleep(0.01)
        opened.set()
        assert {future.result() for future in futures} == {200}
    assert len(inserts) == 2
    assert stored(database) == {5: 8 * SPANS}


def test_what_waits_at_the_end_is_stored_and_nothing_more_is_taken(database: Database) -> None:
    from llma_assets.ingest import read_request

    inbox = Inbox(lambda: database)
    received = read_request(body(), is_json=False, now=NOW, team_id=3)
    future = inbox.put(received.events)
    inbox.close()
    assert future.result(timeout=0) == SPANS
    with pytest.raises(Busy):
        inbox.put(received.events)
