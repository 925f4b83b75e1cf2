"""Parses and validates one line of JSON as an event. Pure: no files, no database, no clock."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.lines import Line
from llma_assets.ingest.members import text_of_member
from llma_assets.ingest.moments import check_time, micros, timestamp_us
from llma_assets.ingest.repairs import Repair, repaired

MAX_TEAM_ID = 2**63 - 1
MAX_DEPTH = 254
"""Deepest nesting of properties: the most that orjson writes, so that later stages can serialize them again."""

_UUID = re.compile("-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12)))
_PROPERTIES_AT_ONCE = b'"properties":'
_PROPERTIES = re.compile(rb'"properties"[ \t\r]*:')
_WHITESPACE = b" \t\r\n"
_SHOWN_OF_VALUE = 40
_NO_REPAIRS: Mapping[Repair, int] = {}


class Event(NamedTuple):
    """One valid event.

    Attributes:
        uuid: lower case, with hyphens.
        event: name of the event, not empty.
        team_id: from 0 to 2**63 - 1.
        distinct_id: the user as sent; the digits of a number, "" for none.
        timestamp_us: microseconds since 1970, UTC.
        properties: the text of a JSON object, as in the line but for repairs.
        repairs: number of repairs of the line, by kind.
    """

    uuid: str
    event: str
    team_id: int
    distinct_id: str
    timestamp_us: int
    properties: bytes
    repairs: Mapping[Repair, int] = _NO_REPAIRS

    @property
    def key(self) -> tuple[int, str]:
        """What identifies an event: the same uuid in two teams is two events."""
        return self.team_id, self.uuid


def parse_line(line: Line, latest: datetime, team_id: int | None = None) -> Event | None:
    """As `parse_event`, but None for a blank line, and `too_long` for a line over the limit."""
    if line.too_long:
        raise LineError("too_long", f"the line has {line.size:,} bytes, more than the limit")
    return None if not line.content.strip() else parse_event(line.content, latest, team_id)


def parse_event(line: bytes, latest: datetime, team_id: int | None = None) -> Event:
    """Parse one event from one line of JSON.

    Args:
        line: the line without its line end.
        latest: latest valid timestamp; the earliest is the start of 2000.
        team_id: team of the event, whatever the line says; None to use the team of the line.

    Raises:
        LineError: the line is not a valid event.
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
    if type(record.get("properties")) is str:  # exports of tables in which the column is a string
        properties, string_repairs = _read_properties(record["properties"].encode())
        repairs = Counter(repairs) + Counter(string_repairs)
    return _event(record, properties, repairs, latest, team_id, line)


def parse_row(row: Mapping[str, Any], latest: datetime, team_id: int | None = None) -> Event:
    """As `parse_event`, of a row of a table: properties are JSON or an object, the timestamp is text or a Unix time.

    Raises:
        LineError: the row is not a valid event.
    """
    held = _required(row, "properties")
    if type(held) is dict:
        held = orjson.dumps({name: value for name, value in held.items() if value is not None}, default=str)
    elif type(held) is str:
        held = held.encode("utf-8", "surrogatepass")
    if type(held) is not bytes:
        raise LineError("wrong_type", "properties must be a string that holds a JSON object")
    properties, repairs = _read_properties(held)
    return _event(row, properties, repairs, latest, team_id, b"")


def loads_repaired(line: bytes) -> tuple[Any, Mapping[Repair, int]]:
    """The value of a line of JSON, and the repairs that it took.

    Raises:
        LineError: it is not JSON.
    """
    try:
        return _loads(line), {}
    except LineError as error:
        if error.reason not in ("broken_json", "invalid_utf8"):
            raise
        line, repairs = repaired(line)
        if not repairs:
            raise
        return _loads(line), repairs


def _event(
    record: Mapping[str, Any],
    properties: bytes,
    repairs: Mapping[Repair, int],
    latest: datetime,
    team_id: int | None,
    line: bytes,
) -> Event:
    uuid = _string(record, "uuid")
    if not _UUID.fullmatch(uuid):
        raise LineError("invalid_uuid", "uuid must be 8-4-4-4-12 hexadecimal digits")
    event = _string(record, "event")
    if not event:
        raise LineError("wrong_type", "event must not be empty")
    team = team_of(record) if team_id is None else team_id
    distinct_id = _opaque_id(record, "distinct_id", line)
    moment = record.get("timestamp")
    if line or not isinstance(moment, int):
        time_us = timestamp_us(_string(record, "timestamp"), latest)
    else:
        time_us = micros(moment, "timestamp")
        check_time(time_us, latest)
    return Event(uuid.lower(), event, team, distinct_id, time_us, properties, repairs)


def _required(record: Mapping[str, Any], name: str) -> Any:
    if name not in record:
        raise LineError("missing_field", f"{name} is missing")
    return record[name]


def _string(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if type(value) is str:
        return value
    _required(record, name)
    raise LineError("wrong_type", f"{name} must be a string")


def team_of(record: Mapping[str, Any]) -> int:
    """The team id; exports may have 64-bit numbers in quotes.

    Raises:
        LineError: there is none, or it is no number.
    """
    value = record.get("team_id")
    if type(value) is int and 0 <= value <= MAX_TEAM_ID:
        return value
    if "team_id" not in record:
        raise LineError("missing_field", "team_id is missing; store all as one team by --team N")
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is str:
        shown = value if len(value) <= _SHOWN_OF_VALUE else f"{value[:_SHOWN_OF_VALUE]}…"
        raise LineError(
            "wrong_type",
            f"team_id must be a number, not {shown!r}; give each team a number, or store all as one team by --team N",
        )
    if type(value) is not int:  # true is not an integer
        raise LineError("wrong_type", "team_id must be an integer")
    if not 0 <= value <= MAX_TEAM_ID:
        raise LineError("wrong_type", "team_id must be a non-negative integer of at most 63 bits")
    return value


def _opaque_id(record: Mapping[str, Any], name: str, line: bytes) -> str:
    """An id as text: the digits of a number as sent, "" for null or a missing id."""
    value = record.get(name)
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is float and line:  # or an integer of more than 64 bits
        return text_of_member(line, name).decode()
    if type(value) is not int:
        raise LineError("wrong_type", f"{name} must be a string or a number")
    return str(value)


def _read(line: bytes) -> tuple[Mapping[str, Any], bytes]:
    """The line as an object, and the text of its properties, which the object may lack; b"" if they are a string.

    The text keeps numbers of more than 64 bits, repeated keys and escapes as they are.
    """
    split = _split_before_properties(line)
    if split is not None:
        return split
    record = _loads(line)
    if type(record) is not dict:
        raise LineError("not_an_object", "the line must be a JSON object")
    properties = _required(record, "properties")
    if type(properties) is str:
        return record, b""
    if type(properties) is not dict:
        raise LineError("wrong_type", "properties must be a JSON object")
    _check_depth(properties, line)
    return record, text_of_member(line, "properties")


def _read_properties(text: bytes) -> tuple[bytes, Mapping[Repair, int]]:
    """The text of properties that are a string of JSON, and the repairs of it."""
    text, repairs = text.strip(_WHITESPACE), _NO_REPAIRS
    try:
        properties = _loads(text)
    except LineError as error:
        text, repairs = repaired(text)
        try:
            properties = _loads(text)
        except LineError:
            raise LineError(
                error.reason, f"properties must be a JSON object; the string is not JSON: {error.detail}"
            ) from None
    if type(properties) is not dict:
        raise LineError("wrong_type", "properties must be a JSON object")
    _check_depth(properties, text)
    return text, repairs


def _split_before_properties(line: bytes) -> tuple[Mapping[str, Any], bytes] | None:
    """The fast path for a line that ends with its properties; None if it does not, or is not valid.

    If `head "properties": 0}` is an object, and the text after the colon is an object and one brace, then the line is
    an object, and this is its last `properties`: no other split of a line is valid on both sides.
    """
    at = line.find(_PROPERTIES_AT_ONCE) + len(_PROPERTIES_AT_ONCE)
    if at < len(_PROPERTIES_AT_ONCE):
        match = _PROPERTIES.search(line)
        if match is None:
            return None
        at = match.end()
    end = line.rstrip(_WHITESPACE)
    if not end.endswith(b"}"):
        return None
    text = end[at:-1].strip(_WHITESPACE)
    try:
        record = orjson.loads(end[:at] + b"0}")
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
        raise LineError("invalid_utf8", f"the line must be UTF-8; byte {error.start} is not") from None
    raise LineError("too_deep" if fault.startswith("depth limit") else "broken_json", fault)


def _check_depth(properties: dict[str, Any], text: bytes) -> None:
    if len(text) <= 2 * MAX_DEPTH or text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return
    try:
        orjson.dumps(properties)
    except orjson.JSONEncodeError:
        raise LineError("too_deep", f"properties must be nested at most {MAX_DEPTH} deep") from None
