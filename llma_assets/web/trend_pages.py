"""How clusters went over weeks, and where each came from."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.insights import Release, releases_of
from llma_assets.reports import lineage_flow, trends_report
from llma_assets.web.drawings import flow_picture, release_markers, stacked_days
from llma_assets.web.pages import TEAM, default_theme
from llma_assets.web.site import Site
from llma_assets.web.templates_of import page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()

TREND_WEEKS = 4
FLOW_DAYS = 14
"""Runs that the picture of the lineages shows."""


@router.get(f"{TEAM}/trends")
def trends_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    weeks: Annotated[int, Query(ge=1, le=26)] = TREND_WEEKS,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    show: Literal["items", "shares"] = "items",
) -> Response:
    """How each cluster went over some weeks."""
    database = site.reading()
    report = trends_report(database, team_id, weeks=weeks, until=day)
    shown = theme or default_theme(database, team_id) or ""
    chosen = next((each for each in report.themes if each.theme_id == shown), None)
    flow = lineage_flow(database, team_id, shown, until=report.until, days=FLOW_DAYS) if report.until else None
    slices = stacked_days(chosen.trends, as_shares=show == "shares") if chosen else []
    numbers = [each.number for each in slices if each.number is not None]
    stacked = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    colours = {chosen.trends[number].lineage_id: place for number, place in stacked.items()} if chosen else {}
    return page(
        request,
        "trends.html",
        tab="trends",
        team_id=team_id,
        day=day,
        theme_id=shown,
        report=report,
        chosen=chosen,
        show=show,
        slices=slices,
        releases=release_markers(chosen.trends, _releases(site, team_id)) if chosen else (),
        stacked=stacked,
        flow=flow_picture(flow, colours) if flow and len(flow.days) > 1 else None,
        weeks=weeks,
    )


def _releases(site: Site, team_id: int) -> list[Release]:
    """The releases of the application, as people and events name them."""
    return releases_of(site.database, team_id, now=site.clock(), named_by=site.release_property(team_id))
