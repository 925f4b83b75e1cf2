"""What a format makes of a record: drafts of events, and faults with their place. Values and small readers of fields.

No JSON text, no database, no clock: whether a time is within bounds, and whose team it is, `converting` decides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.moments import micros

_MOST_DIGITS: Final = 19
_MOST_SECONDS: Final = 1e9
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Draft:
    """An event of ours, before its uuid and team.

    Attributes:
        trace_id: not empty.
        span_id: with the trace, it decides the uuid: the same span, read again, is the same event.
        event: one of `trace_events.TRIGGER_EVENTS`.
        time_us: end of the work in microseconds since 1970, UTC; its start where no end is known.
        user: "" where none is known; then the session stands for it, else the trace.
        properties: `$ai_*`, and what else the span has; values None, "", [] and {} are left out.
        uuid: "" to derive it.
        team: as the record has it, None if it names none.
        tenant: the project or service that the record names, "" for none: with the format it decides the team.
    """

    trace_id: str
    span_id: str
    event: str
    time_us: int
    user: str
    properties: Mapping[str, Any]
    uuid: str = ""
    team: object = None
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a record that is no event; the other parts stand.

    Attributes:
        error: the reason, with the place inside the record.
        part: the part, for the file of rejected lines.
    """

    error: LineError
    part: object


@dataclass(frozen=True, slots=True)
class Piece:
    """Content of a span that stands in a record of its own: a message in a log record, or under its hash.

    Attributes:
        key: by which the span finds it.
        place: its order among those of one key.
        value: what JSON can hold.
    """

    key: str
    place: int
    value: Any


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft whose content may stand in other records of the file, before it or after it.

    Attributes:
        draft: the event, if there is none.
        keys: of the pieces that it lacks.
        state: what `Format.finish` needs; what JSON can hold.
    """

    draft: Draft
    keys: tuple[str, ...]
    state: Mapping[str, Any]


Outcome = Draft | Fault | Piece | Waiting
Record = Mapping[str, Any]
Pieces = Mapping[str, Sequence[Any]]
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Format:
    """One tool's way to write traces.

    Attributes:
        name: as `--format` takes it.
        title: the tool, for people.
        recognises: whether a record is of this format, by its structure.
        read: the events of a record.
        fields: names that records of it have; they tell which format is nearest.
        has_teams: whether its records may name a team.
        tenant: the field that says whose a record is, "" for none.
        kind: of `sources.KINDS`, whose tenants are those of this format; "" for the format's own name.
        if_empty: what to do where its records hold no event.
        finish: the event of a draft that waited, its state, and the pieces that were found, by key, in order.
    """

    name: str
    title: str
    recognises: Callable[[Record], bool]
    read: Callable[[Record], Iterator[Outcome]]
    fields: tuple[str, ...]
    has_teams: bool = False
    tenant: str = ""
    kind: str = ""
    if_empty: str = ""
    finish: Callable[[Draft, Record, Pieces], Draft] | None = None


def each(parts: object, place: str, read: Callable[[Record], Outcome]) -> Iterator[Outcome]:
    """A draft for each part of a list, and a fault, with its place, where one cannot be read."""
    if parts is None:
        return
    if not isinstance(parts, list):
        yield Fault(LineError("wrong_type", f"{place} must be a list"), parts)
        return
    for number, part in enumerate(parts):
        yield one(part, f"{place}[{number}]", read)


def each_of(parts: Iterable[Part], place: str, read: Callable[[Part], Outcome]) -> Iterator[Outcome]:
    """As `each`, for parts whose type is known."""
    for number, part in enumerate(parts):
        try:
            yield read(part)
        except LineError as error:
            yield Fault(LineError(error.reason, f"{place}[{number}]: {error.detail}"), str(part))


def one(part: object, place: str, read: Callable[[Record], Outcome]) -> Outcome:
    """The draft of a part, or its fault."""
    try:
        if not isinstance(part, Mapping):
            raise LineError("not_an_object", "it must be a JSON object")
        return read(part)
    except LineError as error:
        return Fault(LineError(error.reason, f"{place}: {error.detail}" if place else error.detail), part)


def with_users(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Give the spans of a trace without user and session those of another one: often the root alone has them."""
    held = list(outcomes)
    users: dict[str, str] = {}
    for outcome in held:
        draft = outcome.draft if isinstance(outcome, Waiting) else outcome
        if isinstance(draft, Draft) and (user := draft.user or str(draft.properties.get("$ai_session_id") or "")):
            users.setdefault(draft.trace_id, user)
    for outcome in held:
        draft = outcome.draft if isinstance(outcome, Waiting) else outcome
        if not isinstance(draft, Draft) or draft.user or draft.trace_id not in users:
            yield outcome
            continue
        draft = replace(draft, user=users[draft.trace_id])
        yield replace(outcome, draft=draft) if isinstance(outcome, Waiting) else draft


def of_span(draft: Draft, span_id: str) -> Waiting:
    """A draft about a span of which it knows no trace, as evaluations are often stored."""
    return Waiting(draft, (f"span/{span_id}",), {})


def known_span(trace_id: str, span_id: str) -> Piece:
    """Lets drafts `of_span` find the trace of a span."""
    return Piece(f"span/{span_id}", 0, trace_id)


def with_trace(draft: Draft, _state: Record, found: Pieces) -> Draft:
    """The event of a draft `of_span` whose span was found."""
    trace_id = next(iter(found.values()))[0]
    return replace(draft, trace_id=trace_id, properties={**draft.properties, "$ai_trace_id": trace_id})


def evaluation(result: object) -> dict[str, Any]:
    """What an evaluation found, as a typed result: a yes or no, a number, or a category.

    >>> evaluation(True), evaluation(0)
    ({'$ai_evaluation_result': True}, {'$ai_evaluation_numeric_result': 0})
    >>> evaluation("good")
    {'$ai_evaluation_categorical_result': 'good'}
    """
    if isinstance(result, bool):
        return {"$ai_evaluation_result": result}
    if isinstance(result, int | float | Decimal):
        return {"$ai_evaluation_numeric_result": result}
    return {"$ai_evaluation_categorical_result": result}


def filled(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that have a value; 0 and false are values."""
    return {name: value for name, value in properties.items() if value not in _EMPTY}


def required_id(record: Record, *names: str) -> str:
    """The first of some fields that has an id.

    Raises:
        LineError: none has.
    """
    found = text_field(record, *names)
    if not found:
        raise LineError("missing_field", f"{' or '.join(names)} is missing")
    return found


def text_field(record: Record, *names: str) -> str:
    """The first of some fields that has a text or a number, as text; "" for none."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "" and not isinstance(value, bool | Mapping | list):
            return str(value)
    return ""


def field(record: Record, *names: str) -> Any:
    """The first of some fields that has a value; None for none."""
    for name in names:
        value = record.get(name)
        if value not in _EMPTY:
            return value
    return None


def mapping(value: object) -> Mapping[str, Any]:
    """An object, also one that is written as JSON in a string or as pairs of key and value; empty for anything else."""
    value = decoded(value)
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in value):
        return {str(key): held for key, held in value}
    return {}


def decoded(value: object) -> Any:
    """The value that a string of JSON holds, if it holds an object, an array or a string; else the value itself."""
    if isinstance(value, bytes) or (isinstance(value, str) and value[:1] in ("{", "[", '"')):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def whole_number(text: str) -> int | None:
    """The number that decimal digits are; None for anything else.

    >>> whole_number("1500"), whole_number("-1"), whole_number("1.5")
    (1500, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def seconds(value: object) -> float | None:
    """A duration in seconds; None for what is none, or is longer than thirty years."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _MOST_SECONDS else None  # type: ignore[arg-type, operator]


def times(record: Record, starts: tuple[str, ...], ends: tuple[str, ...]) -> tuple[int, float | None]:
    """End in microseconds since 1970, else start; and the seconds between them, None where one is missing.

    Raises:
        LineError: both are missing, or one is no time.
    """
    start, end = field(record, *starts), field(record, *ends)
    if start is None and end is None:
        raise LineError("missing_field", f"{' or '.join(starts)} is missing")
    start_us = micros(start, starts[0]) if start is not None else None
    if end is None:
        assert start_us is not None
        return start_us, None
    end_us = micros(end, ends[0])
    return end_us, None if start_us is None else max(0, end_us - start_us) / 1e6
