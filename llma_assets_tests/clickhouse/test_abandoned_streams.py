"""A reader that leaves in the middle of an answer costs its own query, not the server."""

import http.client
import time
from urllib.parse import quote, urlsplit

import pytest

from llma_assets.clickhouse import Database, ServerState
from llma_assets.settings import Settings

MANY = "SELECT number FROM numbers(30000000)"


@pytest.mark.parametrize("session", ["", "&session_id=left"], ids=["no session", "named session"])
def test_the_server_goes_on_after_a_client_left(
    settings: Settings, database: Database, server: ServerState, session: str
) -> None:
    url = urlsplit(str(settings.clickhouse_url))
    headers = {"X-ClickHouse-User": str(url.username), "X-ClickHouse-Key": str(url.password)}
    for _ in range(3):
        for _attempt in range(100):
            connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
            connection.request("GET", f"/?query={quote(MANY)}&default_format=TabSeparated{session}", headers=headers)
            begins = connection.getresponse().read(10)
            connection.close()
            if begins != b"Code: 373.":  # The session is locked until the server has noticed that its client left.
                break
            time.sleep(0.1)
        assert begins == b"0\n1\n2\n3\n4\n"
        assert database.value("SELECT 41 + 1") == 42


def test_a_stream_may_be_left_and_the_next_one_read(database: Database) -> None:
    for _ in range(3):
        rows = database.stream(MANY)
        assert next(iter(rows))["number"] == 0
        rows.close()  # type: ignore[attr-defined]
    assert sum(1 for _ in database.stream("SELECT number FROM numbers(100000)")) == 100_000
