"""Makes the row of `trace_texts` for one item, even for a malformed one. Storing it belongs in `store`.

An item that cannot be rendered is shown as recorded, and facts that cannot be computed are 0: a fault in an item or in
the renderer affects this item only. The row comes with a description of the fault.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeVar

import orjson

from llma_assets.isolation import fault_of
from llma_assets.privacy import redactor_of
from llma_assets.rendering.content import has_content
from llma_assets.rendering.document import Document, Keep
from llma_assets.rendering.facts import ItemFacts, item_facts
from llma_assets.rendering.generation import render_generation
from llma_assets.rendering.json_text import compact_json, text_of
from llma_assets.rendering.options import Loss, RenderedTrace, RenderOptions, renderer_of
from llma_assets.rendering.queries import Candidate
from llma_assets.rendering.trace import render_trace
from llma_assets.rendering.truncation import fit
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

AS_RECORDED: Final = "as_recorded"
"""The rule in a text's loss for an item that could not be rendered."""

_UNKNOWN: Final = ItemFacts("", None, 0.0, 0.0, 0, 0, 0)
_Made = TypeVar("_Made")
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of `trace_texts`.

    Attributes:
        row: its columns.
        fault: what failed while it was made, "" for nothing.
    """

    row: dict[str, Any]
    fault: str = ""


def text_row(item: Candidate, stored: Events, level: Level, team_day: TeamDay, options: RenderOptions) -> TextRow:
    """The row of an item from its stored events. Never raises, whatever the events are."""
    faults: list[str] = []
    events = [{**event, "properties": _parsed(event["properties"])} for event in stored]
    rendered = _unless_it_fails(
        lambda: render_trace(events, options) if level == "trace" else render_generation(events[0], options),
        lambda: _unless_it_fails(lambda: as_recorded(stored, options), _unreadable, faults),
        faults,
    )
    facts = _unless_it_fails(lambda: item_facts(events), lambda: _UNKNOWN, faults)
    row = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "level": level,
        "item_id": item.item_id,
        "trace_id": item.trace_id,
        "generation_id": item.item_id if level == "generation" else "",
        "text": rendered.text,
        "text_hash": hashlib.sha256(rendered.text.encode()).hexdigest(),
        "loss": orjson.dumps(asdict(rendered.loss)).decode(),
        "line_count": rendered.text.count("\n") + 1,
        "event_count": item.events,
        "events_digest": item.digest,
        "trace_timestamp": item.first_at,
        "cost_usd": facts.cost_usd,
        "latency_s": facts.latency_s,
        "tokens": facts.tokens,
        "error_count": facts.error_count,
        "has_content": rendered.has_content,
        "renderer": renderer_of(options),
        "drawn": item.drawn,
        "inclusion_probability": item.probability,
        "user_hash": item.user_hash,
        "last_event_at": item.last_at,
    }
    return TextRow(row, "; ".join(dict.fromkeys(faults)))


def as_recorded(events: Events, options: RenderOptions) -> RenderedTrace:
    """The events as JSON, one after the other, redacted and truncated like any text."""
    redactor = redactor_of(
        redact=options.redact, extra_patterns=options.extra_patterns, transformations=options.transformations
    )
    document = Document(options.max_value_chars, redactor, options.max_chars)
    document.line("EVENTS AS RECORDED", keep=Keep.HEADER)
    for number, event in enumerate(events, 1):
        document.event = number
        # Serialized again, so that an escape hides nothing from the redactor.
        properties = _parsed(event.get("properties"))
        document.line("")
        document.line(document.name(text_of(event.get("event")) or "event"))
        document.text(properties if isinstance(properties, str) else compact_json(properties))
        document.has_content = document.has_content or has_content(properties)
    text, loss = fit(document.close(), options)
    redactions = dict(redactor.counts) if redactor is not None else {}
    loss = replace(loss, rules=(AS_RECORDED, *loss.rules), redactions=redactions)
    return RenderedTrace(text, loss, document.has_content)


def _unreadable() -> RenderedTrace:
    """The text of an item whose JSON cannot be shown either, because it cannot be redacted."""
    return RenderedTrace("(could not be read)", Loss(rules=(AS_RECORDED,)), has_content=False)


def _unless_it_fails(make: Callable[[], _Made], instead: Callable[[], _Made], faults: list[str]) -> _Made:
    try:
        return make()
    # The fault affects this item only; it is counted, recorded and checked where the row is stored.
    except Exception as error:
        faults.append(fault_of(error))
        return instead()


def _parsed(properties: Any) -> Any:
    """The parsed properties; the renderer shows properties that cannot be parsed as they are."""
    try:
        return orjson.loads(properties)
    except orjson.JSONDecodeError:
        return properties
