"""The report of a trace's events: the tree, with cost, time and errors. Texts and answers belong in `trace`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.rendering import DAY_OF_TRACE, REACH, EventTree, RenderOptions, event_tree, stored_text
from llma_assets.serialization import TeamId
from llma_assets.trace_events import TRIGGER_EVENTS

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TraceEvents:
    """The events of a trace.

    Attributes:
        trace_id: whose they are; of a generation that of its trace.
        tree: depth first.
    """

    team_id: TeamId
    trace_id: Annotated[str, Field(serialization_alias="id")]
    tree: EventTree


def trace_events(
    database: Database,
    team_id: int,
    item_id: str,
    options: RenderOptions,
    *,
    most: int | None = None,
    start: int | None = None,
) -> TraceEvents | None:
    """The events of a trace, or of the trace of a generation with a stored text; None where there are none.

    Args:
        options: how the team's texts are made.
        most: nothing is read of a trace with more events than that, as far as a stored text says so.
        start: shows the events from this place on; None those that failed first.
    """
    row = stored_text(database, team_id, item_id)
    if row is not None and row["level"] != "trace" and row["trace_id"]:
        item_id, row = row["trace_id"], stored_text(database, team_id, row["trace_id"])
    if row is None or row["level"] != "trace":
        (span,) = database.rows(DAY_OF_TRACE, team_id=team_id, trace_id=item_id, trigger_events=list(TRIGGER_EVENTS))
        if not span["events"]:
            return None
        first_at, last_at, events = span["first_at"], span["last_at"], span["events"]
    else:
        first_at, last_at, events = row["first_at"], row["last_at"], row["event_count"]
        if events > 1 and last_at <= first_at:  # a text of before its last moment was stored
            first_at, last_at = first_at - REACH, first_at + REACH
    if most is not None and events > most:
        return None
    tree = event_tree(database, team_id, item_id, first_at - _MOMENT, last_at + _MOMENT, options, start=start)
    return TraceEvents(team_id, item_id, tree) if tree.count else None
