"""Turns the records of a file into events: our own lines as they are, those of other tools through their format.

Which format a file has is decided once, by the first record that one of them recognises, or by name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from llma_assets.attribute_names import NUMBERS
from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats import (
    FORMATS,
    Draft,
    Fault,
    Format,
    Outcome,
    Piece,
    Waiting,
    is_own,
    nearest,
    recognised,
    whole_number,
)
from llma_assets.ingest.lines import KEPT_OF_LONG_LINE, DamagedSource, Line
from llma_assets.ingest.moments import check_time
from llma_assets.ingest.parsing import (
    Event,
    loads_repaired,
    parse_line,
    parse_row,
    team_of,
)
from llma_assets.ingest.pieces import PieceStore

OWN: Final = "events"
"""The name of our own format."""

FORMAT_NAMES: Final = (OWN, *(each.name for each in FORMATS))
_OWN_FIELDS: Final = ("uuid", "event", "timestamp", "properties")
_LOOKED_AT: Final = 20
_LOOKED_AT_BYTES: Final = 4 << 20
_LISTS: Final = ("data", "results", "runs", "traces", "spans", "batch", "items", "observations", "rows")
"""Names under which pages of an API hold their records."""


class Item(NamedTuple):
    """One record of a file, as text or as a value.

    Attributes:
        number: from 1.
        line: of a file of text.
        value: of any other file.
    """

    number: int
    line: Line | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record, or a part of one, that is no event."""

    line: Line
    error: LineError


@dataclass(slots=True)
class Converter:
    """Makes events of the items of one file.

    Attributes:
        format: None for our own events.
        is_certain: whether the format was recognised or named.
        team_id: the team of all events, None to use that of each record.
        seen: the first record that could be read, for `advice`.
        teams: gives the team of a tenant; None where none may have one.
        pieces: where content and the spans that wait for it are kept; None joins nothing.
        kept: number of pieces and waiting spans so far.
    """

    format: Format | None = None
    is_certain: bool = False
    team_id: int | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)
    teams: Callable[[str], int] | None = None
    pieces: PieceStore | None = None
    kept: int = 0

    @property
    def name(self) -> str:
        """Name of the format."""
        return OWN if self.format is None else self.format.name

    def read(self, item: Item, latest: datetime) -> Iterable[Event | Rejected]:
        """The events of an item, in order; nothing for a blank line."""
        if self.format is not None:
            return self._read_foreign(self.format, item, latest)
        try:
            event = (
                parse_line(item.line, latest, self.team_id)
                if item.line is not None
                else parse_row(item.value, latest, self.team_id)
            )
        except LineError as error:
            return (Rejected(line_of(item), error),)
        return () if event is None else (event,)

    def _read_foreign(self, form: Format, item: Item, latest: datetime) -> Iterator[Event | Rejected]:
        try:
            if item.line is not None and not item.line.content.strip():
                return
            value, repairs = (item.value, {}) if item.line is None else _loaded(item.line)
            records = list(_records(value, form))
        except LineError as error:
            yield Rejected(line_of(item), error)
            return
        for place, record in records:
            yield from self._read(form, item, record, place, repairs, latest)

    def _read(
        self, form: Format, item: Item, record: Any, place: str, repairs: Mapping[Any, int], latest: datetime
    ) -> Iterator[Event | Rejected]:
        try:
            for outcome in form.read(record):
                try:
                    if (draft := self._draft(item.number, outcome)) is not None:
                        yield _event(draft, latest, self._team(draft), repairs)
                        repairs = {}  # counted once a record
                except LineError as error:
                    said = f"{place}: {error.detail}" if place else error.detail
                    yield Rejected(_shown(item.number, _part(outcome)), LineError(error.reason, said))
        except LineError as error:
            yield Rejected(line_of(item), error)
        except RecursionError:
            yield Rejected(line_of(item), LineError("too_deep", "the record is nested too deeply"))

    def _draft(self, record: int, outcome: Outcome) -> Draft | None:
        """The event of an outcome; None of content, and of what waits for it, which are kept."""
        match outcome:
            case Fault():
                raise outcome.error
            case Draft():
                return outcome
            case Waiting():
                if self.pieces is None:
                    return outcome.draft
                self.pieces.wait(record, outcome)
            case Piece():
                if self.pieces is not None:
                    self.pieces.add(outcome)
        self.kept += 1
        return None

    def rest(self, latest: datetime) -> Iterator[Event | Rejected]:
        """The events of the spans that waited, with the content that came; to be asked for at the end of a file."""
        if self.pieces is None or self.format is None or self.format.finish is None:
            return
        for record, draft, state, found in self.pieces.taken():
            try:
                if not found and not draft.trace_id:
                    raise LineError(
                        "missing_field", "its span is in none of the files: name the one that holds it, too"
                    )
                draft = self.format.finish(draft, state, found) if found else draft  # noqa: PLW2901
                yield _event(draft, latest, self._team(draft), {})
            except LineError as error:
                yield Rejected(_shown(record, draft.properties), error)

    def _team(self, draft: Draft) -> int:
        """The team of an event: the one given for all, the one that the record names, or that of its tenant.

        Raises:
            LineError: there is none, or it is no number.
        """
        if self.team_id is not None:
            return self.team_id
        if draft.team is None and self.format is not None and self.format.tenant and self.teams is not None:
            if draft.tenant:
                return self.teams(draft.tenant)
            raise LineError("missing_field", f"{self.format.tenant} is missing, which says whose it is; add --team N")
        return team_of({} if draft.team is None else {"team_id": draft.team})

    def outcomes(self, item: Item) -> Iterator[Outcome]:
        """What the format makes of an item; nothing of our own events.

        Raises:
            LineError: the item cannot be read.
        """
        if self.format is None or (item.line is not None and not item.line.content.strip()):
            return
        value = item.value if item.line is None else _loaded(item.line)[0]
        for _, record in _records(value, self.format):
            yield from self.format.read(record)

    def advice(self) -> str:
        """What to do where no record became an event."""
        if self.format is not None and self.kept:
            return "its records are content of spans: name the file of these in the same command"
        if self.format is not None:
            said = f"it was read as {self.format.title} (--format {self.name})"
            if self.format.if_empty and not any(self._read_quietly(self.format)):
                return f"{said}: {self.format.if_empty}"
            return f"{said}; --format names another: {_others(self.name)}"
        if not self.seen:
            return "files of JSON, Parquet and OTLP protobuf are read, plain or compressed"
        near = nearest(self.seen)
        if near is None or all(name in self.seen for name in ("event", "properties")):
            return f"it was read as events (they have {', '.join(_OWN_FIELDS)}); --format names another: {_others(OWN)}"
        other, shared = near
        fault = next((each for each in self._read_quietly(other) if isinstance(each, Fault)), None)
        lacks = f"; read as that, {fault.error.detail}" if fault is not None else ""
        return (
            f"the format is not recognised, the nearest is {other.title} (it has {', '.join(shared)}{lacks}): "
            f"--format {other.name} reads it so, others are {_others(other.name)}"
        )

    def _read_quietly(self, form: Format) -> list[Outcome]:
        """What a format makes of the first record."""
        try:
            return list(form.read(self.seen))
        except (LineError, RecursionError):
            return []


def converter_for(items: Iterator[Item], name: str | None, team_id: int | None) -> tuple[Converter, Iterator[Item]]:
    """The converter for a file, and all its items.

    Args:
        items: of the file; the first are read ahead.
        name: of the format, None to recognise it.
        team_id: as in `Converter`.
    """
    if name is not None:
        chosen = next((each for each in FORMATS if each.name == name), None)
        return Converter(chosen, True, team_id), items
    held: list[Item] = []
    found, size = Converter(team_id=team_id), 0
    damage: DamagedSource | None = None
    try:
        for item in items:
            held.append(item)
            if isinstance(item.value, bytes):
                found.format, found.is_certain = recognised(item.value), True
                break
            record = _peeked(item)
            found.seen = found.seen or record
            if is_own(record):
                found.is_certain = True
                break
            found.format = _format_of(record)
            found.is_certain = found.format is not None
            size += len(item.line.content) if item.line is not None else 0
            if found.is_certain or len(held) == _LOOKED_AT or size > _LOOKED_AT_BYTES:
                break
    except DamagedSource as error:
        damage = error

    def whole() -> Iterator[Item]:
        yield from held
        if damage is not None:
            raise damage
        yield from items

    return found, whole()


def _format_of(record: Mapping[str, Any]) -> Format | None:
    found = recognised(record)
    if found is not None:
        return found
    return next((found for _, each in _page(record) if (found := recognised(each)) is not None), None)


def _page(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The records of a page of an API, with their place; rows of a query become objects by its columns."""
    name = next((name for name in _LISTS if isinstance(value.get(name), list) and value[name]), None)
    columns = value.get("columns")
    for number, each in enumerate(value[name] if name is not None else ()):
        if isinstance(each, list) and isinstance(columns, list) and len(each) == len(columns):
            yield f"{name}[{number}]", dict(zip(map(str, columns), each, strict=True))
        else:
            yield f"{name}[{number}]", each


def _records(value: Any, form: Format) -> Iterator[tuple[str, Any]]:
    """The records that a value holds, with their place: itself, or those of a page of an API."""
    if isinstance(value, Mapping) and not form.recognises(value):
        listed = list(_page(value))
        if any(isinstance(each, Mapping) for _, each in listed):
            yield from ((place, each if isinstance(each, Mapping) else {}) for place, each in listed)
            return
    if isinstance(value, Mapping | bytes):
        yield "", value
    else:
        raise LineError("not_an_object", "the record must be a JSON object")


def _event(draft: Draft, latest: datetime, team: int, repairs: Mapping[Any, int]) -> Event:
    check_time(draft.time_us, latest)
    numbers = {name: _number(draft.properties[name]) for name in NUMBERS if type(draft.properties.get(name)) is str}
    try:
        properties = orjson.dumps({**draft.properties, **numbers}, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except (orjson.JSONEncodeError, TypeError) as error:
        raise LineError("too_deep" if "ecursion" in str(error) else "wrong_type", str(error)) from None
    user = draft.user or str(draft.properties.get("$ai_session_id") or "") or draft.trace_id
    uuid = draft.uuid or _uuid(draft.trace_id, draft.span_id)
    return Event(uuid, draft.event, team, user, draft.time_us, properties, repairs)


def _uuid(trace_id: str, span_id: str) -> str:
    """The uuid of a span: the same for the same ids, whichever format brings them."""
    digest = blake2b(f"{trace_id}\0{span_id}".encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _part(outcome: Outcome) -> object:
    """What is shown of an outcome that is no event."""
    match outcome:
        case Fault():
            return outcome.part
        case Piece():
            return outcome.value
        case Waiting():
            return outcome.draft.properties
        case Draft():
            return outcome.properties


def _number(text: str) -> float | int | str:
    """The number that a text holds; the text if it holds none."""
    number = whole_number(text)
    if number is not None:
        return number
    try:
        return float(text)
    except ValueError:
        return text


def _plain(value: object) -> object:
    """What orjson does not write by itself: values of Parquet columns."""
    if isinstance(value, Decimal):
        return float(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _loaded(line: Line) -> tuple[Any, Mapping[Any, int]]:
    if line.too_long:
        raise LineError("too_long", f"the record has {line.size:,} bytes, more than the limit; split the file")
    return loads_repaired(line.content)


def _peeked(item: Item) -> Mapping[str, Any]:
    """The record of an item as an object; empty if it is none."""
    try:
        value = item.value if item.line is None else _loaded(item.line)[0]
    except LineError:
        return {}
    return value if isinstance(value, Mapping) else {}


def line_of(item: Item) -> Line:
    """The item as a line of the file of rejected ones."""
    return item.line if item.line is not None else _shown(item.number, item.value)


def _shown(number: int, part: object) -> Line:
    try:
        content = orjson.dumps(part, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except (orjson.JSONEncodeError, TypeError):
        content = repr(part)[:KEPT_OF_LONG_LINE].encode(errors="replace")
    return Line(number, content[:KEPT_OF_LONG_LINE], len(content))


def _others(name: str) -> str:
    return ", ".join(each for each in FORMAT_NAMES if each != name)
