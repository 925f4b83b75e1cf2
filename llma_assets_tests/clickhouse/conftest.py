"""ClickHouse's HTTP interface, spoken byte by byte."""

import base64
import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.headers.get("X-ClickHouse-Exception-Code", 0))


Ask = Callable[..., Reply]


@pytest.fixture
def basic(settings: Settings) -> dict[str, str]:
    url = urlsplit(settings.clickhouse_url or "")
    return {"Authorization": "Basic " + base64.b64encode(f"{url.username}:{url.password}".encode()).decode()}


@pytest.fixture
def ask(settings: Settings, database: Database, basic: dict[str, str]) -> Iterator[Ask]:
    """Send one request in the test's database."""
    url = urlsplit(settings.clickhouse_url or "")
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)

    def send(
        body: bytes | Iterator[bytes] = b"",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] = basic,
        **fields: str,
    ) -> Reply:
        target = f"{path}?{urlencode({'database': database.name, **fields})}"
        connection.request(method, target, body, {**headers}, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())

    yield send
    connection.close()
