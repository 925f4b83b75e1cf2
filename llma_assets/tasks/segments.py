"""A segment of a session replay, and how it is parsed from a line of JSON or a stored row. No database, no files.

What a description means belongs in `impact`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import orjson

MAX_TEAM_ID: Final = 2**63 - 1
MAX_DESCRIPTION: Final = 20_000
MAX_METADATA: Final = 65_536
"""In bytes; longer metadata is cut, and is refused as invalid JSON."""
MAX_ID: Final = 500
MAX_DIMENSION: Final = 16_384
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)

_TIME: Final = (
    r"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?|\d\d:\d\d:\d\d(?:\.\d+)?|[^:]+)"
)
_DOCUMENT_ID: Final = re.compile(rf"(?P<session>.+?):{_TIME}:{_TIME}", re.DOTALL)
"""`{session}:{start}:{end}`: a session may contain colons, and so may an ISO 8601 time."""

Reason = Literal[
    "broken_json",
    "not_an_object",
    "too_long",
    "missing_field",
    "wrong_type",
    "invalid_session_id",
    "invalid_time",
    "times_reversed",
    "no_description",
    "invalid_vector",
    "duplicate",
    "embedding_failed",
    "team_on_skip_list",
    "unusable",
]
"""Why a segment was refused; stored, so the values never change."""


class SegmentError(ValueError):
    """One segment cannot be used; others are not affected.

    Attributes:
        reason: the class of the error.
        detail: the field and what is wrong with it; contains no text of the segment.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Segment:
    """A few seconds of a session, described in words.

    Attributes:
        team_id: the team.
        session_id: the replay; an opaque string.
        start: first moment, UTC.
        end: last moment, UTC; not before `start`.
        distinct_id: the user.
        description: what was seen.
        embedding: finite numbers, not all zero; None if the embedder makes it.
    """

    team_id: int
    session_id: str
    start: datetime
    end: datetime
    distinct_id: str
    description: str
    embedding: tuple[float, ...] | None = None

    @property
    def document_id(self) -> str:
        """`{session_id}:{start}:{end}`, times as `20261107T093000.000000Z`."""
        return f"{self.session_id}:{_compact(self.start)}:{_compact(self.end)}"


def parse_segment(line: bytes, *, latest: datetime) -> Segment:
    """Parse a segment from a line of JSON.

    Args:
        line: an object with `team_id, session_id, start, end, distinct_id, description`, optional `embedding`.
            Times are ISO 8601 (UTC without an offset), or seconds since 1970.
        latest: times after it are refused.

    Raises:
        SegmentError: what is wrong with it.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise SegmentError("broken_json", str(error)) from None
    if not isinstance(record, dict):
        raise SegmentError("not_an_object", "the line must be a JSON object")
    team_id = _required(record, "team_id")
    if isinstance(team_id, str) and team_id.isascii() and team_id.isdecimal():
        team_id = int(team_id)  # as ClickHouse exports 64 bits
    if not isinstance(team_id, int) or isinstance(team_id, bool) or not 0 <= team_id <= MAX_TEAM_ID:
        raise SegmentError("wrong_type", "team_id must be a non-negative integer")
    start, end = _times(_required(record, "start"), _required(record, "end"), latest)
    return Segment(
        team_id=team_id,
        session_id=_id(_required(record, "session_id"), "session_id"),
        start=start,
        end=end,
        distinct_id=_id(_required(record, "distinct_id"), "distinct_id"),
        description=_description(_required(record, "description")),
        embedding=None if record.get("embedding") is None else _vector(record["embedding"]),
    )


def stored_segment(team_id: int, document_id: str, description: str, metadata: str, *, latest: datetime) -> Segment:
    """Parse a segment from a row of `document_embeddings`, also one of another pipeline, without its vector.

    Args:
        metadata: JSON with `distinct_id`, and `start` and `end` (or `start_time` and `end_time`); the session
            is its `session_id`, else the part of `document_id` before the times.

    Raises:
        SegmentError: what is wrong with it.
    """
    try:
        record = orjson.loads(metadata or "{}")
    except orjson.JSONDecodeError as error:
        raise SegmentError("broken_json", f"metadata: {error}") from None
    if not isinstance(record, dict):
        raise SegmentError("not_an_object", "metadata must be a JSON object")
    session_id = _session_of(document_id, record.get("session_id"))
    start, end = _times(
        _required(record, "start" if "start" in record else "start_time"),
        _required(record, "end" if "end" in record else "end_time"),
        latest,
    )
    return Segment(
        team_id=team_id,
        session_id=session_id,
        start=start,
        end=end,
        distinct_id=_id(_required(record, "distinct_id"), "distinct_id"),
        description=_description(description),
    )


def metadata_of(segment: Segment) -> str:
    """The `document_embeddings.metadata` of a segment; `stored_segment` parses it."""
    return orjson.dumps(
        {
            "session_id": segment.session_id,
            "distinct_id": segment.distinct_id,
            "start": segment.start.isoformat(),
            "end": segment.end.isoformat(),
        }
    ).decode()


def _required(record: Mapping[str, Any], name: str) -> Any:
    value = record.get(name)
    if value is None:
        raise SegmentError("missing_field" if name != "description" else "no_description", f"{name} is missing")
    return value


def _text(value: object, name: str, most: int) -> str:
    if not isinstance(value, str):
        raise SegmentError("wrong_type", f"{name} must be a string")
    if not value.strip():
        raise SegmentError("missing_field", f"{name} is empty")
    if len(value) > most:
        raise SegmentError("too_long", f"{name} has {len(value):,} characters; at most {most:,} are allowed")
    return value


def _id(value: object, name: str) -> str:
    """An opaque id; an integer is accepted, too, because many systems use them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value, name, MAX_ID)


def _session_of(document_id: str, named: object) -> str:
    """The session of a stored segment: from its metadata, else the part of its id before the times."""
    if named is not None:
        session_id = _id(named, "session_id")
        if not re.fullmatch(f"{_TIME}:{_TIME}", document_id.removeprefix(f"{session_id}:")):
            raise SegmentError(
                "invalid_session_id", "document_id must be session:start:end, with the session_id of metadata"
            )
        return session_id
    found = _DOCUMENT_ID.fullmatch(document_id)
    if found is None:
        raise SegmentError(
            "invalid_session_id", "document_id must be session:start:end, or metadata must have a session_id"
        )
    return _id(found["session"], "session_id")


def _description(value: object) -> str:
    if isinstance(value, str) and not value.strip():
        raise SegmentError("no_description", "description is empty")
    return _text(value, "description", MAX_DESCRIPTION)


def _times(start: object, end: object, latest: datetime) -> tuple[datetime, datetime]:
    first, last = _time(start, "start", latest), _time(end, "end", latest)
    if last < first:
        raise SegmentError("times_reversed", "end is before start")
    return first, last


def _time(value: object, name: str, latest: datetime) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value)
        else:
            raise SegmentError("invalid_time", f"{name} must be a string or a number")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise SegmentError("invalid_time", f"{name} must be an ISO 8601 time or seconds since 1970") from None
    if not OLDEST <= moment <= latest + timedelta(days=1):
        raise SegmentError("invalid_time", f"{name} must be between 2000 and tomorrow")
    return moment


def _vector(value: object) -> tuple[float, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not 0 < len(value) <= MAX_DIMENSION:
        raise SegmentError("invalid_vector", f"embedding must be a list of 1 to {MAX_DIMENSION:,} numbers")
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value):
        raise SegmentError("invalid_vector", "embedding must hold numbers only")
    if not all(math.isfinite(number) and abs(number) < 1e18 for number in value):
        raise SegmentError("invalid_vector", "embedding holds NaN, infinity or a number above 1e18")
    if not any(value):
        raise SegmentError("invalid_vector", "embedding is zero")
    return tuple(float(number) for number in value)


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S.%f}Z"
