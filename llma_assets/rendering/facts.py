"""Aggregates over the events of one item (a trace or a generation): cost, latency, tokens, errors. Renders nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from llma_assets.rendering.events import Event, read_events

_NAME_CHARS = 200
_MODEL_CALLS = ("$ai_generation", "$ai_embedding")


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """Aggregates of one item.

    Attributes:
        name: name of the trace, else of its first named event, else "".
        started_at: the earliest valid timestamp of its events (UTC), which decides its day; None for none.
        cost_usd: cost of generations and embeddings only.
        latency_s: see `item_facts`.
        tokens: input and output tokens of generations and embeddings.
        error_count: number of failed events.
        event_count: number of events of the application, each uuid once.
    """

    name: str
    started_at: datetime | None
    cost_usd: float
    latency_s: float
    tokens: int
    error_count: int
    event_count: int


def item_facts(events: Sequence[Mapping[str, object]]) -> ItemFacts:
    """Aggregate the events of one item. Never raises; a number that is invalid or negative counts as 0.

    Latency is that of the `$ai_trace` event if it has one. Otherwise it is the time from the start of the first root
    to the end of the last one. A root is an event whose parent is not among the events; an event ends at its timestamp
    and starts its latency earlier. So a single generation has its own latency.
    """
    read, _ = read_events(events)
    cost, tokens = 0.0, 0.0
    for event in read:
        if event.name in _MODEL_CALLS:
            cost += event.cost_usd or 0.0
            tokens += event.tokens
    ends = [event.end for event in read if event.end is not None]
    return ItemFacts(
        name=_name(read),
        started_at=_moment(min(ends)) if ends else None,
        cost_usd=cost if cost < float("inf") else 0.0,
        latency_s=_latency(read),
        tokens=int(tokens) if tokens < 2**63 else 0,
        error_count=sum(event.is_error for event in read),
        event_count=len(read),
    )


def _name(events: Sequence[Event]) -> str:
    for event in sorted(events, key=lambda event: event.name != "$ai_trace"):
        if event.label or event.trace_name:
            return (event.label or event.trace_name)[:_NAME_CHARS]
    return ""


def _latency(events: Sequence[Event]) -> float:
    for event in events:
        if event.name == "$ai_trace" and event.latency_s is not None:
            return event.latency_s
    work = [event for event in events if event.name != "$ai_trace" and event.end is not None]
    ids = {alias for event in work for alias in event.aliases}
    roots = [event for event in work if not event.parent_id or event.parent_id not in ids] or work
    if not roots:
        return 0.0
    return max(event.end or 0.0 for event in roots) - min(event.start for event in roots)


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
