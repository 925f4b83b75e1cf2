"""ClickHouse's HTTP interface, spoken byte by byte."""

import base64
import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


def authorization(url: str) -> dict[str, str]:
    """The header of basic authentication for a URL with user and password."""
    parts = urlsplit(url)
    return {"Authorization": "Basic " + base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()}


@contextmanager
def asking(url: str) -> Iterator[Ask]:
    """Send requests, one at a time, to a URL like that of CLICKHOUSE_URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def send(
        body: bytes | Iterator[bytes] = b"",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] = authorization(url),
        **fields: str,
    ) -> Reply:
        target = f"{path}?{urlencode({'database': parts.path.strip('/'), **fields})}"
        connection.request(method, target, body, {**headers}, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())

    yield send
    connection.close()


@pytest.fixture
def basic(settings: Settings) -> dict[str, str]:
    return authorization(settings.clickhouse_url or "")


@pytest.fixture
def ask(settings: Settings, database: Database) -> Iterator[Ask]:
    """Send one request in the test's database."""
    with asking(settings.clickhouse_url or "") as send:
        yield send
