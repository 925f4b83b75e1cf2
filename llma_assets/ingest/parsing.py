"""From one line of JSON to one valid event. Pure: no files, no database, no clock."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json import JSONDecoder
from typing import Any

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.lines import Line

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_TEAM_ID = 2**63 - 1
MAX_DEPTH = 254
"""Deepest nesting of properties; what orjson writes at most, so that every later stage can write it again."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_PROPERTIES = re.compile(rb'"properties"[ \t\r]*:')
_SPACE = re.compile(r"[ \t\r\n]*")
_WHITESPACE = b" \t\r\n"
_KINDS = {str: "a string", int: "an integer", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Event:
    """One valid event.

    Attributes:
        uuid: in lower case, with hyphens.
        event: the event's name, not empty.
        team_id: from 0 to 2**63 - 1.
        distinct_id: the user, as sent.
        timestamp_us: microseconds since 1970, UTC.
        properties: a JSON object, the text as it stood in the line.
    """

    uuid: str
    event: str
    team_id: int
    distinct_id: str
    timestamp_us: int
    properties: bytes

    @property
    def key(self) -> tuple[int, str]:
        """What makes an event the same event: one uuid in two teams is two events."""
        return self.team_id, self.uuid


def day_of(timestamp_us: int) -> date:
    """The UTC day of a time in microseconds since 1970."""
    return (EPOCH + timestamp_us * MICROSECOND).date()


def parse_line(line: Line, latest: datetime, team_id: int | None = None) -> Event | None:
    """As `parse_event`; None for a blank line, and a line over the limit is refused as `too_long`."""
    if line.too_long:
        raise LineError("too_long", f"the line has {line.size:,} bytes")
    return None if not line.content.strip() else parse_event(line.content, latest, team_id)


def parse_event(line: bytes, latest: datetime, team_id: int | None = None) -> Event:
    """Read one event from one line of JSON.

    Args:
        line: the line without its end.
        latest: timestamps after it are refused, as are those before 2000.
        team_id: the team that gets the event, whatever the line says; None to take the line's own.

    Raises:
        LineError: the line is no valid event.
    """
    record, properties = _read(line)
    uuid = _field(record, "uuid", str)
    if not _UUID.fullmatch(uuid):
        raise LineError("invalid_uuid", "uuid is not of the form 8-4-4-4-12 hexadecimal digits")
    event = _field(record, "event", str)
    if not event:
        raise LineError("wrong_type", "event is empty")
    team = _field(record, "team_id", int) if team_id is None else team_id
    if not 0 <= team <= MAX_TEAM_ID:
        raise LineError("wrong_type", "team_id is negative or has more than 63 bits")
    distinct_id = _field(record, "distinct_id", str)
    timestamp_us = _timestamp(_field(record, "timestamp", str), latest)
    return Event(uuid.lower(), event, team, distinct_id, timestamp_us, properties)


def _field(record: Mapping[str, Any], name: str, kind: type) -> Any:
    """The field of exactly this type: true is not an integer."""
    if name not in record:
        raise LineError("missing_field", f"{name} is missing")
    value = record[name]
    if type(value) is not kind:
        raise LineError("wrong_type", f"{name} is not {_KINDS[kind]}")
    return value


def _timestamp(text: str, latest: datetime) -> int:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LineError("invalid_timestamp", "timestamp is not an ISO 8601 date and time") from None
    if not OLDEST <= moment <= latest:
        allowed = f"{OLDEST:%Y-%m-%d} to {latest:%Y-%m-%d %H:%M} UTC"
        raise LineError("timestamp_out_of_range", f"timestamp {moment.isoformat()} is not within {allowed}")
    return (moment - EPOCH) // MICROSECOND


def _read(line: bytes) -> tuple[Mapping[str, Any], bytes]:
    """The line as an object, `properties` in it unspecified, and the text of its properties.

    Numbers of more than 64 bits, repeated keys and escapes so stay what they were.
    """
    split = _split_before_properties(line)
    if split is not None:
        return split
    record = _loads(line)
    if type(record) is not dict:
        raise LineError("not_an_object", "the line is not a JSON object")
    _check_depth(_field(record, "properties", dict), line)
    return record, _text_of_member(line, "properties")


def _split_before_properties(line: bytes) -> tuple[Mapping[str, Any], bytes] | None:
    """The quick way, for lines that end with their properties; None if this is not such a line, or not valid.

    If `head "properties": 0}` is an object, and what follows the colon is an object and one brace, then the
    line is an object, and this is its last `properties`: no other split of a line parses on both sides.
    """
    match = _PROPERTIES.search(line)
    end = line.rstrip(_WHITESPACE)
    if match is None or not end.endswith(b"}"):
        return None
    text = end[match.end() : -1].strip(_WHITESPACE)
    try:
        record = orjson.loads(end[: match.end()] + b"0}")
        properties = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if type(record) is not dict or type(properties) is not dict:
        return None
    _check_depth(properties, text)
    return record, text


def _loads(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        fault = error.msg
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise LineError("invalid_utf8", f"byte {error.start} is not UTF-8") from None
    raise LineError("too_deep" if fault.startswith("depth limit") else "broken_json", fault)


def _check_depth(properties: dict[str, Any], text: bytes) -> None:
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return
    try:
        orjson.dumps(properties)
    except orjson.JSONEncodeError:
        raise LineError("too_deep", f"properties are nested more than {MAX_DEPTH} deep") from None


def _text_of_member(line: bytes, name: str) -> bytes:
    """The text of the last member called `name` of the valid JSON object `line`."""
    text = line.decode()
    decoder = JSONDecoder()
    at = _skip_space(text, _skip_space(text, 0) + 1)
    span = (at, at)
    try:
        while text[at] == '"':
            key, at = decoder.raw_decode(text, at)
            start = _skip_space(text, _skip_space(text, at) + 1)
            _, end = decoder.raw_decode(text, start)
            if key == name:
                span = (start, end)
            at = _skip_space(text, end)
            if text[at] == ",":
                at = _skip_space(text, at + 1)
    except RecursionError:
        raise LineError("too_deep", "the line is nested too deep") from None
    return text[slice(*span)].encode()


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
