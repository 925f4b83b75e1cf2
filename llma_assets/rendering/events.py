"""Parses events, even malformed ones: names, numbers, times, errors, ids.

Messages belong in `message_parser`, the layout of the text in `trace`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from llma_assets.rendering.cleaning import one_line
from llma_assets.rendering.json_text import parse_json, text_of

_HELD_OF_A_NAME: Final = 1_000

PIPELINE_EVENTS: Final = {
    "$ai_trace_summary",
    "$ai_generation_summary",
    "$ai_trace_clusters",
    "$ai_generation_clusters",
    "$ai_tag",
}
"""Events that pipelines write: in a text they would change it with each summary."""

KINDS: Final = {
    "$ai_generation": "GEN",
    "$ai_embedding": "EMBED",
    "$ai_span": "SPAN",
    "$ai_trace": "TRACE",
    "$ai_evaluation": "EVAL",
    "$ai_metric": "METRIC",
    "$ai_feedback": "FEEDBACK",
}


@dataclass(frozen=True, slots=True)
class Event:
    """The small fields of an event; its payload is parsed again from `raw` when it is needed.

    Attributes:
        name: event name, such as `$ai_span`.
        uuid: as text, "" if missing.
        end: the event's timestamp in seconds since 1970, None if it is not valid.
        latency_s: None if missing, negative or not a number.
        node_id: generation id, else span id, else uuid.
        aliases: every id by which a child may refer to the event.
        parent_id: id of the parent, "" for none.
        label: the name of the span, evaluation or metric, "" for none.
        trace_name: the name of the trace in this event, "" for none.
        cost_usd: None if unknown.
        tokens: input and output tokens.
        raw: the properties as received.
        parsed: the parsed properties, None if they are not kept in memory.
    """

    name: str
    uuid: str
    end: float | None
    latency_s: float | None
    node_id: str
    aliases: tuple[str, ...]
    parent_id: str
    is_error: bool
    label: str
    trace_name: str
    cost_usd: float | None
    tokens: float
    raw: object
    parsed: Mapping[str, object] | None

    @property
    def start(self) -> float:
        """Start in seconds since 1970: an event is sent when its work ends. An unknown time sorts last."""
        return math.inf if self.end is None else self.end - (self.latency_s or 0.0)

    @property
    def kind(self) -> str:
        """Short name for a node line."""
        return KINDS.get(self.name, "EVENT")

    def properties(self) -> Mapping[str, object]:
        """The properties; `{}` if they cannot be parsed."""
        return properties_of(self.raw) if self.parsed is None else self.parsed


def read_events(events: Iterable[Mapping[str, object]]) -> tuple[list[Event], int]:
    """The events of the application in order of start, each uuid once, and the number of events left out."""
    found: list[Event] = []
    seen: set[str] = set()
    ignored = 0
    held, held_size = -1, 1_000_000
    for mapping in events:
        raw = mapping.get("properties")
        event = read_event(mapping)
        if event.name in PIPELINE_EVENTS or (event.uuid and event.uuid in seen):
            ignored += 1
            continue
        seen.add(event.uuid)
        # Most payloads are cheap to parse twice and expensive to keep; for the largest it is the other way round.
        size = len(raw) if isinstance(raw, str | bytes) else 0
        if size > held_size:
            if held >= 0:
                found[held] = replace(found[held], parsed=None)
            held, held_size = len(found), size
        else:
            event = replace(event, parsed=None)
        found.append(event)
    found.sort(key=lambda event: (event.start, event.end or 0.0, event.uuid))
    return found, ignored


def read_event(event: Mapping[str, object]) -> Event:
    """Parse the small fields of one event; a missing or invalid field gets an empty value."""
    raw = event.get("properties")
    properties = properties_of(raw)
    uuid = text_id(event.get("uuid"))
    generation, span = text_id(properties.get("$ai_generation_id")), text_id(properties.get("$ai_span_id"))
    name = event.get("event")
    return Event(
        name=name if isinstance(name, str) else "",
        uuid=uuid,
        end=seconds_of(event.get("timestamp")),
        latency_s=number(properties.get("$ai_latency")),
        node_id=generation or span or uuid,
        aliases=tuple(alias for alias in (generation, span, uuid) if alias),
        parent_id=text_id(properties.get("$ai_parent_id")),
        is_error=has_error(properties),
        label=_label(name, properties),
        trace_name=_name(properties.get("$ai_trace_name")),
        cost_usd=_cost(properties),
        tokens=sum(number(properties.get(key)) or 0.0 for key in ("$ai_input_tokens", "$ai_output_tokens")),
        raw=raw,
        parsed=properties,
    )


def properties_of(raw: object) -> Mapping[str, object]:
    """The properties as an object, whether they are an object or JSON."""
    if isinstance(raw, bytes | bytearray):
        raw = raw.decode("utf-8", "replace")
    if isinstance(raw, str):
        raw = parse_json(raw)
    return raw if isinstance(raw, Mapping) else {}


def text_id(value: object) -> str:
    """An id as text; ids may be strings, numbers or UUID objects."""
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    if isinstance(value, int) and value.bit_length() > 256:
        return ""
    return text_of(value)[:1_000]


def number(value: object) -> float | None:
    """A finite number of at least 0, also from text; None for anything else.

    >>> number("1.5"), number(2), number("-1"), number("nan"), number(True), number([])
    (1.5, 2.0, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value[:64] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def has_error(properties: Mapping[str, object]) -> bool:
    """Whether the event failed: by its flag, its error, or an HTTP status of 400 or more."""
    status = number(properties.get("$ai_http_status"))
    return (
        is_flag(properties.get("$ai_is_error"))
        or _has_error_value(properties)
        or (status is not None and status >= 400)
    )


def is_flag(value: object) -> bool:
    """True and "true" in any case.

    >>> is_flag("True"), is_flag("false"), is_flag(1)
    (True, False, False)
    """
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _has_error_value(properties: Mapping[str, object]) -> bool:
    error = properties.get("$ai_error")
    if isinstance(error, str):
        return error.strip().lower() not in {"", "null", "none", "{}", "[]", '""', "false"}
    return error is not None and error is not False and error not in ({}, [], 0)


def seconds_of(timestamp: object) -> float | None:
    """Seconds since 1970 of a datetime, an ISO 8601 text (UTC without a zone), or a Unix time in s or ms."""
    if isinstance(timestamp, str):
        try:
            timestamp = datetime.fromisoformat(timestamp.strip()[:64])
        except ValueError:
            return None
    if isinstance(timestamp, datetime):
        aware = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)
        try:
            return aware.timestamp()
        except (OverflowError, ValueError, OSError):
            return None
    seconds = number(timestamp)
    return seconds / 1_000 if seconds is not None and seconds > 1e11 else seconds


def _label(name: object, properties: Mapping[str, object]) -> str:
    own = {"$ai_evaluation": "$ai_evaluation_name", "$ai_metric": "$ai_metric_name"}.get(
        name if isinstance(name, str) else ""
    )
    other = "$ai_trace_name" if name == "$ai_trace" else None
    return next((label for key in (own, "$ai_span_name", other) if key and (label := _name(properties.get(key)))), "")


def _name(value: object) -> str:
    """A name on one line, "" if it is not a string; it is cut to its final length where it is written."""
    return one_line(value, _HELD_OF_A_NAME) if isinstance(value, str) else ""


def _cost(properties: Mapping[str, object]) -> float | None:
    """US dollars of one model call: the total, else the sum of input and output."""
    total = number(properties.get("$ai_total_cost_usd"))
    if total is not None:
        return total
    parts = [number(properties.get(key)) for key in ("$ai_input_cost_usd", "$ai_output_cost_usd")]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
