"""Events and lines as the ingest tests write them, and what the table then holds. No tests here."""

import gzip
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from llma_assets.clickhouse import Database
from llma_assets.ingest.parsing import Event, parse_event

NOW = datetime(2026, 11, 8, tzinfo=UTC)


def clock() -> datetime:
    """The time now, in these tests."""
    return NOW


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A valid event; fields of the same number are equal, given ones replace them."""
    return {
        "uuid": str(uuid5(NAMESPACE_URL, str(number))),
        "event": "$ai_generation",
        "team_id": 1,
        "distinct_id": f"user-{number % 7}",
        "timestamp": f"2026-11-0{1 + number % 7}T10:00:00.123456Z",
        "properties": {"$ai_trace_id": f"trace-{number // 3}", "n": number},
        **fields,
    }


def without(field: str) -> dict[str, Any]:
    """A valid event but for a field that is missing."""
    return {name: value for name, value in event().items() if name != field}


def lines(*events: dict[str, Any] | bytes) -> bytes:
    """Events, or raw lines, as a file."""
    return b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in events)


def stream(*events: dict[str, Any] | bytes) -> BytesIO:
    """The same as an open file."""
    return BytesIO(lines(*events))


def compressed(content: bytes, members: int = 1) -> bytes:
    """`content` as gzip, in several members."""
    step = -(-len(content) // members)
    return b"".join(gzip.compress(content[at : at + step]) for at in range(0, len(content), step))


def stored(database: Database) -> int:
    """Rows in the table, physical ones."""
    return int(database.value("SELECT count() FROM events"))


def parsed(*events: dict[str, Any]) -> list[Event]:
    """Events as they are stored."""
    return [parse_event(orjson.dumps(each), NOW) for each in events]
