"""One trace: what each theme says of it, its events as a tree, the text that models read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.rendering import MOST_SHOWN, TreeEvent
from llma_assets.reports import trace_events, trace_report
from llma_assets.visible import visible
from llma_assets.web.problems import NotFound
from llma_assets.web.templates_of import page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()

LINE_NUMBER = re.compile(r"^L\d+: ?")
"""Begins each line of a text that models read; the page has its own numbers."""

MOST_EVENTS = 2_000
"""The tree of a trace with more is made only when somebody asks for it: it takes about a second."""

ALL_OPEN = 60
"""Up to so many events the whole tree is open."""


@router.get("/teams/{team_id}/trace")
def trace_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    item: Annotated[str, Query(alias="id")],
    events: Literal["some", "all"] = "some",
    start: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
) -> Response:
    """The text of a trace or generation, with what each theme says of it, and its events."""
    database, options = site.reading(), site.render_options(team_id)
    report = trace_report(database, team_id, item, options)
    if report is None:
        raise NotFound(f"team {team_id} has no trace or generation with the id {item[:80]}")
    lines = [
        (number, LINE_NUMBER.sub("", visible(line))) for number, line in enumerate(report.text.split("\n"), start=1)
    ]
    most = MOST_EVENTS if events == "some" and start is None else None
    found = trace_events(database, team_id, report.trace_id or item, options, most=most, start=start)
    return page(
        request,
        "trace.html",
        tab="items",
        team_id=team_id,
        day=report.day,
        report=report,
        lines=lines,
        tree=found.tree if found else None,
        rows=list(nested(found.tree.events)) if found else [],
        start=start,
        page_size=MOST_SHOWN,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """An event in a nested list.

    Attributes:
        event: the event.
        opens: whether events stand below it.
        is_open: whether these are shown at first.
        closes: how many lists end after it.
    """

    event: TreeEvent
    opens: bool
    is_open: bool
    closes: int


def nested(events: Sequence[TreeEvent]) -> Iterator[Row]:
    """The events, depth first, with where lists begin and end: templates need no recursion, whatever the depth."""
    for place, event in enumerate(events):
        after = events[place + 1].depth if place + 1 < len(events) else 0
        opens = after > event.depth
        is_open = len(events) <= ALL_OPEN or event.depth == 0 or event.errors_below > 0
        yield Row(event, opens, is_open, max(event.depth - after, 0))
