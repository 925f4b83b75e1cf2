"""PostHog: its events API, capture batches as its SDKs send them, batch exports, and rows of `ai_events`.

Events whose line has `uuid`, `event` and `properties` are ours already, and do not come here unless they lack one.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    decoded,
    field,
    one,
    text_field,
)
from llma_assets.ingest.moments import micros

_HEAVY: Final = ("input", "output", "output_choices", "input_state", "output_state", "tools")
_LIGHT: Final = (
    *("trace_id", "session_id", "parent_id", "span_id", "generation_id", "span_name", "trace_name"),
    *("model", "provider", "framework", "input_tokens", "output_tokens", "total_tokens"),
    *("input_cost_usd", "output_cost_usd", "total_cost_usd", "latency", "is_error", "error"),
)


def recognises(record: Record) -> bool:
    """An event with its properties, a batch of them, or a row of `ai_events`."""
    return _is_batch(record) or ("event" in record and ("properties" in record or is_row(record)))


def read(record: Record) -> Iterator[Outcome]:
    """The events of a record; all events are kept, those of other names, too."""
    if not _is_batch(record):
        yield one(record, "", lambda event: _draft(event, None))
        return
    sent = record.get("sent_at") or record.get("sentAt")
    batch = record["batch"]
    for number, event in enumerate(batch):
        yield one(event, f"batch[{number}]", lambda event: _draft(event, sent))


def _is_batch(record: Record) -> bool:
    batch = record.get("batch")
    return isinstance(batch, list) and any(isinstance(each, Mapping) and "event" in each for each in batch)


def is_row(record: Record) -> bool:
    """Whether it is a row of `ai_events`, whose content stands beside its properties."""
    return "trace_id" in record and any(name in record for name in _HEAVY)


def _draft(event: Record, sent_at: object) -> Draft:
    name = text_field(event, "event")
    if not name:
        raise LineError("missing_field", "event is missing")
    properties = decoded(event.get("properties") or {})
    if not isinstance(properties, Mapping):
        raise LineError("wrong_type", "properties must be a JSON object, or a string that holds one")
    properties = {**_columns(event), **properties}
    moment = field(event, "timestamp", "created_at") or sent_at
    if moment is None:
        raise LineError("missing_field", "timestamp is missing")
    user = text_field(event, "distinct_id", "distinctId") or text_field(properties, "distinct_id")
    uuid = text_field(event, "uuid", "id") or text_field(properties, "$insert_id")
    trace_id = text_field(properties, "$ai_trace_id") or user
    time_us = micros(moment, "timestamp")
    span = text_field(properties, "$ai_span_id", "$ai_generation_id")
    return Draft(
        trace_id,
        uuid or f"{name}:{time_us}:{span}:{_digest(properties)}",
        name,
        time_us,
        user,
        {key: value for key, value in properties.items() if key != "distinct_id"},
        uuid=uuid.lower() if _is_uuid(uuid) else "",
        team=field(event, "team_id"),
    )


def _columns(event: Record) -> dict[str, Any]:
    """Properties that `ai_events` holds as columns: light ones as they are, heavy ones as JSON text."""
    light = {f"$ai_{name}": event[name] for name in _LIGHT if event.get(name) is not None}
    return {**light, **{f"$ai_{name}": decoded(event[name]) for name in _HEAVY if event.get(name) is not None}}


def _digest(properties: Record) -> str:
    """Tells events apart that have neither an id of their own nor one of a span."""
    try:
        content = orjson.dumps(properties, default=str, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise LineError("too_deep", "properties are nested too deeply") from None
    return blake2b(content, digest_size=16).hexdigest()


def _is_uuid(text: str) -> bool:
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        set(part.lower()) <= set("0123456789abcdef") for part in parts
    )


FORMAT: Final = Format(
    "posthog",
    "PostHog",
    recognises,
    read,
    ("event", "distinct_id", "properties", "timestamp", "elements_chain", "person", "batch", "api_key", "sent_at"),
    has_teams=True,
)
