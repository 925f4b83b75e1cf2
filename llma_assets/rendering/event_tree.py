"""The events of a trace as a tree of small facts, for people who look at it; texts belong in `trace`.

Of each event a few short properties are read, never its payload, so that a trace of thousands of long messages is read
as fast as another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from llma_assets.clickhouse import Database
from llma_assets.privacy import redactor_of
from llma_assets.rendering.cleaning import Redacts, one_line
from llma_assets.rendering.events import read_events
from llma_assets.rendering.generation import lines_of_error
from llma_assets.rendering.hierarchy import Node, build, walk
from llma_assets.rendering.options import RenderOptions
from llma_assets.trace_events import TRIGGER_EVENTS

MOST_SHOWN: Final = 500
"""Events of a tree that are shown; the failed ones and those above them come first."""

MOST_DEPTH: Final = 24
"""Deeper events stand beside one another: browsers and readers get lost before."""

MOST_READ: Final = 20_000
NAME_CHARS: Final = 120
ERROR_CHARS: Final = 300
_READ_CHARS: Final = 4_000

SMALL_PROPERTIES: Final = (
    "$ai_trace_id", "$ai_generation_id", "$ai_span_id", "$ai_parent_id", "$ai_span_name", "$ai_trace_name",
    "$ai_evaluation_name", "$ai_metric_name", "$ai_latency", "$ai_total_cost_usd", "$ai_input_cost_usd",
    "$ai_output_cost_usd", "$ai_input_tokens", "$ai_output_tokens", "$ai_model", "$ai_is_error", "$ai_error",
    "$ai_http_status",
)  # fmt: skip

# Key of events: (team_id, toDate(timestamp), event, uuid). Each event once, the latest of those sent twice.
SMALL_EVENTS_OF_TRACE = """
SELECT
    toString(uuid) AS event_uuid,
    event,
    timestamp,
    arrayMap(
        pair -> (pair.1, substringUTF8(pair.2, 1, {most_chars:UInt32})),
        arrayFilter(pair -> has({names:Array(String)}, pair.1), JSONExtractKeysAndValuesRaw(properties))
    ) AS small
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp <= {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
    AND JSONExtractString(properties, '$ai_trace_id') = {trace_id:String}
ORDER BY timestamp, uuid
LIMIT {most:UInt32}
"""


@dataclass(frozen=True, slots=True)
class TreeEvent:
    """One event of the tree.

    Attributes:
        uuid, kind: `GEN`, `EMBED`, `SPAN`, `EVAL`, `METRIC`, `FEEDBACK`, `TRACE` or `EVENT`.
        depth: number of events above it, at most `MOST_DEPTH`.
        name, model: on one line, redacted as the team's texts are; "" for none.
        starts_after_s: from the start of the trace, None where a time is invalid.
        latency_s: None if it is not known.
        cost_usd: of model calls in it and below it, None where none is known.
        tokens: of them, input and output.
        failed, error: whether it failed, and what it said, redacted; "" where it did not.
        errors_below: failed events below it.
        below: events below it.
        left_out: of these, how many are not shown because of those directly below it.
    """

    uuid: str
    kind: str
    depth: int
    name: str
    model: str
    starts_after_s: float | None
    latency_s: float | None
    cost_usd: float | None
    tokens: int
    failed: bool
    error: str
    errors_below: int
    below: int
    left_out: int


@dataclass(frozen=True, slots=True)
class EventTree:
    """The tree of a trace, depth first.

    Attributes:
        events: those that are shown, each before those below it.
        count: all events, of those that were read.
        failed: how many of all failed.
        left_out: how many are not shown.
        duration_s: from the first start to the last end.
        is_cut: the trace has more events than are read.
    """

    events: tuple[TreeEvent, ...]
    count: int
    failed: int
    left_out: int
    duration_s: float
    is_cut: bool


def event_tree(
    database: Database,
    team_id: int,
    trace_id: str,
    first_at: datetime,
    last_at: datetime,
    options: RenderOptions,
    *,
    start: int | None = None,
) -> EventTree:
    """Read the events of a trace and lay them out.

    Args:
        first_at, last_at: between which its events lie; they are found by them.
        options: how the team's texts are made: names and errors hide the same private values.
        start: as of `tree_of`.
    """
    rows = database.rows(
        SMALL_EVENTS_OF_TRACE,
        team_id=team_id,
        trace_id=trace_id,
        trigger_events=list(TRIGGER_EVENTS),
        names=list(SMALL_PROPERTIES),
        most_chars=_READ_CHARS,
        most=MOST_READ + 1,
        **{"from": first_at, "until": last_at},
    )
    is_cut = len(rows) > MOST_READ
    found = [
        {
            "uuid": row["event_uuid"],
            "event": row["event"],
            "timestamp": row["timestamp"],
            "properties": {name: _value(raw) for name, raw in row["small"]},
        }
        for row in rows[:MOST_READ]
    ]
    return tree_of(found, options, is_cut=is_cut, start=start)


def tree_of(
    events: Sequence[Mapping[str, Any]], options: RenderOptions, *, is_cut: bool = False, start: int | None = None
) -> EventTree:
    """The tree of some events; every event is in it once, whatever their ids are.

    Args:
        is_cut: the trace has more events than these.
        start: shows the events from this place on, depth first, below those that they belong to; None those that
            failed first.
    """
    read, _ = read_events(events)
    trace = next((event for event in read if event.name == "$ai_trace"), None)
    roots = build([event for event in read if event is not trace], trace)
    if trace is not None:
        roots = [Node(trace, -1, children=roots)]
    sums = _sums(roots)
    chosen = _chosen(roots, sums) if start is None else _in_order(roots, sums, start)
    starts = [event.start for event in read if event.end is not None]
    first = min(starts, default=0.0)
    redactor = redactor_of(
        redact=options.redact, extra_patterns=options.extra_patterns, transformations=options.transformations
    )
    shown = [
        _shown(visit.node, visit.ancestors, sums, chosen, first, redactor)
        for visit in walk(roots)
        if visit.entering and id(visit.node) in chosen
    ]
    return EventTree(
        events=tuple(shown),
        count=len(read),
        failed=sum(event.is_error for event in read),
        left_out=len(read) - len(shown),
        duration_s=max((event.end or 0.0 for event in read), default=0.0) - first if starts else 0.0,
        is_cut=is_cut,
    )


@dataclass(slots=True)
class _Sums:
    """What is counted of an event and of all below it."""

    cost: float | None = None
    tokens: float = 0.0
    errors: int = 0
    events: int = 1
    parent: int = 0


def _sums(roots: Sequence[Node]) -> dict[int, _Sums]:
    sums: dict[int, _Sums] = {}
    path: list[Node] = []
    for visit in walk(roots):
        node, event = visit.node, visit.node.event
        if visit.entering:
            asks = event.kind in ("GEN", "EMBED")
            sums[id(node)] = _Sums(
                event.cost_usd if asks else None,
                event.tokens if asks else 0.0,
                int(event.is_error),
                parent=id(path[-1]) if path else 0,
            )
            path.append(node)
            continue
        path.pop()
        if path:
            own, above = sums[id(node)], sums[id(path[-1])]
            if own.cost is not None:
                above.cost = (above.cost or 0.0) + own.cost
            above.tokens += own.tokens
            above.errors += own.errors
            above.events += own.events
    return sums


def _chosen(roots: Sequence[Node], sums: Mapping[int, _Sums]) -> set[int]:
    """Which events are shown: failed ones with all above them, then from the beginning, until there are enough."""
    order = [visit.node for visit in walk(roots) if visit.entering]
    if len(order) <= MOST_SHOWN:
        return {id(node) for node in order}
    chosen: set[int] = set()

    def take(node: Node, most: int) -> None:
        """The event and those above it, which are few and known: all of them or none."""
        missing: list[int] = []
        place = id(node)
        while place and place not in chosen and len(chosen) + len(missing) <= most:
            missing.append(place)
            place = sums[place].parent
        if len(chosen) + len(missing) <= most:
            chosen.update(missing)

    for node in (node for node in order if node.event.is_error):
        take(node, MOST_SHOWN // 2)
    for node in order:
        take(node, MOST_SHOWN)
        if len(chosen) >= MOST_SHOWN:
            break
    return chosen


def _in_order(roots: Sequence[Node], sums: Mapping[int, _Sums], start: int) -> set[int]:
    """The events from a place on; of those above the first of them as many as the tree is deep."""
    order = [id(visit.node) for visit in walk(roots) if visit.entering]
    shown = order[start : start + MOST_SHOWN]
    above: list[int] = []
    while shown and (parent := sums[above[-1] if above else shown[0]].parent):
        above.append(parent)
    return {*shown, *above[-MOST_DEPTH:]}


def _shown(
    node: Node, ancestors: int, sums: Mapping[int, _Sums], chosen: set[int], first: float, redactor: Redacts | None
) -> TreeEvent:
    event, own = node.event, sums[id(node)]
    properties = event.properties()
    model = properties.get("$ai_model")
    left_out = sum(sums[id(child)].events for child in node.children if id(child) not in chosen)
    return TreeEvent(
        uuid=event.uuid,
        kind=event.kind,
        depth=min(ancestors, MOST_DEPTH),
        name=one_line(event.label or event.trace_name if event.kind == "TRACE" else event.label, NAME_CHARS, redactor),
        model=one_line(model, NAME_CHARS, redactor) if isinstance(model, str) else "",
        starts_after_s=None if event.end is None else event.start - first,
        latency_s=event.latency_s,
        cost_usd=own.cost,
        tokens=int(own.tokens),
        failed=event.is_error,
        error=one_line(" ".join(lines_of_error(properties)), ERROR_CHARS, redactor) if event.is_error else "",
        errors_below=own.errors - int(event.is_error),
        below=own.events - 1,
        left_out=left_out,
    )


def _value(raw: str) -> Any:
    """A property that was read as JSON; of one that was too long its beginning as text."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
