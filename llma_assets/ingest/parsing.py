"""From one line of JSON to one valid event. Pure: no files, no database, no clock."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from json import JSONDecoder
from typing import Any

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.lines import Line
from llma_assets.ingest.repairs import Repair, repaired

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
_SHOWN_OF_VALUE = 40


@dataclass(frozen=True, slots=True)
class Event:
    """One valid event.

    Attributes:
        uuid: in lower case, with hyphens.
        event: the event's name, not empty.
        team_id: from 0 to 2**63 - 1.
        distinct_id: the user, as sent; the digits of a number, empty where there is none.
        timestamp_us: microseconds since 1970, UTC.
        properties: a JSON object, the text as it stood in the line but for repairs.
        repairs: how often what was replaced in the line.
    """

    uuid: str
    event: str
    team_id: int
    distinct_id: str
    timestamp_us: int
    properties: bytes
    repairs: Mapping[Repair, int] = field(default_factory=dict)

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
    repairs: Mapping[Repair, int] = {}
    try:
        record, properties = _read(line)
    except LineError as error:
        if error.reason not in ("broken_json", "invalid_utf8"):
            raise
        line, repairs = repaired(line)
        if not repairs:
            raise
        record, properties = _read(line)
    if type(record.get("properties")) is str:  # as tables are exported whose column is a string
        properties, inner_repairs = _read_properties(record["properties"].encode())
        repairs = Counter(repairs) + inner_repairs
    uuid = _string(record, "uuid")
    if not _UUID.fullmatch(uuid):
        raise LineError("invalid_uuid", "uuid is not of the form 8-4-4-4-12 hexadecimal digits")
    event = _string(record, "event")
    if not event:
        raise LineError("wrong_type", "event is empty")
    team = _team(record) if team_id is None else team_id
    distinct_id = _opaque_id(record, "distinct_id", line)
    timestamp_us = _timestamp(_string(record, "timestamp"), latest)
    return Event(uuid.lower(), event, team, distinct_id, timestamp_us, properties, repairs)


def _required(record: Mapping[str, Any], name: str) -> Any:
    if name not in record:
        raise LineError("missing_field", f"{name} is missing")
    return record[name]


def _string(record: Mapping[str, Any], name: str) -> str:
    value = _required(record, name)
    if type(value) is not str:
        raise LineError("wrong_type", f"{name} is not a string")
    return value


def _team(record: Mapping[str, Any]) -> int:
    """The number of the team, also where a table was exported with its 64-bit numbers in quotes."""
    value = _required(record, "team_id")
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is str:
        shown = value if len(value) <= _SHOWN_OF_VALUE else f"{value[:_SHOWN_OF_VALUE]}…"
        raise LineError(
            "wrong_type",
            f"team_id is {shown!r}; teams are numbers: give each a number, or store all as one by --team N",
        )
    if type(value) is not int:  # true is not an integer
        raise LineError("wrong_type", "team_id is not an integer")
    if not 0 <= value <= MAX_TEAM_ID:
        raise LineError("wrong_type", "team_id is negative or has more than 63 bits")
    return value


def _opaque_id(record: Mapping[str, Any], name: str, line: bytes) -> str:
    """An id as text: of a number its digits as they were sent, of null and of what is missing nothing."""
    value = record.get(name)
    if value is None:
        return ""
    if type(value) is float:  # or an integer of more than 64 bits
        return _text_of_member(line, name).decode()
    if type(value) not in (str, int):
        raise LineError("wrong_type", f"{name} is neither a string nor a number")
    return str(value)


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
    """The line as an object, and the text of its properties, which need not be in it; a string of JSON stays there.

    Numbers of more than 64 bits, repeated keys and escapes so stay what they were.
    """
    split = _split_before_properties(line)
    if split is not None:
        return split
    record = _loads(line)
    if type(record) is not dict:
        raise LineError("not_an_object", "the line is not a JSON object")
    properties = _required(record, "properties")
    if type(properties) is str:
        return record, b""
    if type(properties) is not dict:
        raise LineError("wrong_type", "properties is not an object")
    _check_depth(properties, line)
    return record, _text_of_member(line, "properties")


def _read_properties(text: bytes) -> tuple[bytes, Counter[Repair]]:
    """Properties that were a string: the text in it if that is an object, and what was repaired."""
    text, repairs = text.strip(_WHITESPACE), Counter[Repair]()
    try:
        properties = _loads(text)
    except LineError as error:
        text, repairs = repaired(text)
        try:
            properties = _loads(text)
        except LineError:
            raise LineError(error.reason, f"properties is a string that is not JSON: {error.detail}") from None
    if type(properties) is not dict:
        raise LineError("wrong_type", "properties is not an object")
    _check_depth(properties, text)
    return text, repairs


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
