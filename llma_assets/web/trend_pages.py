"""How clusters went over weeks, what was expected of them, and where each came from."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.alerts import expected_trends
from llma_assets.insights import releases_of
from llma_assets.reports import latest_day, lineage_flow, trends_report, verified_closings
from llma_assets.team_day import midnight
from llma_assets.web.band_drawings import band_pictures
from llma_assets.web.drawings import flow_picture, markers, stacked_days
from llma_assets.web.pages import TEAM, default_theme
from llma_assets.web.problems import NotFound
from llma_assets.web.site import Site
from llma_assets.web.spans import check_days, wrong_days
from llma_assets.web.templates_of import page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()

TREND_WEEKS = 4
HELPED: Mapping[str, str] = {
    "confirmed": "the fix is confirmed",
    "rarer": "rarer since, but still there",
    "not_fallen": "its rate did not fall",
    "open": "too early to say whether it helped",
}
FLOW_DAYS = 14
"""Runs that the picture of the lineages shows."""
SHOWN_BANDS = 12
"""Clusters that are drawn beside what was expected of them."""

FromQuery = Annotated[date | None, Query(alias="from", description="First day, UTC; in place of the weeks.")]
ToQuery = Annotated[date | None, Query(alias="to", description="Last day, UTC.")]


@router.get(f"{TEAM}/trends")
def trends_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    weeks: Annotated[int, Query(ge=1, le=26)] = TREND_WEEKS,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    show: Literal["items", "shares"] = "items",
    first_day: FromQuery = None,
    last_day: ToQuery = None,
) -> Response:
    """How each cluster went over some weeks, or from a day to another."""
    database = site.reading()
    problem = wrong_days(first_day, last_day or (latest_day(database, team_id) if first_day else None))
    first = None if problem else first_day
    until = (None if problem else last_day) or day
    report = trends_report(database, team_id, weeks=weeks, until=until, first_day=first)
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
        releases=markers(chosen.trends, _releases(site, team_id)) if chosen else (),
        closings=markers(chosen.trends, _closings(site, team_id, shown)) if chosen else (),
        stacked=stacked,
        flow=flow_picture(flow, colours) if flow and len(flow.days) > 1 else None,
        weeks=weeks,
        first_day=first_day,
        last_day=last_day,
        problem=problem,
    )


@router.get(f"{TEAM}/trends/expected")
def expected_page(
    request: Request, site: SiteDep, team_id: TeamDep, theme: str, first_day: FromQuery = None, last_day: ToQuery = None
) -> Response:
    """Each cluster beside what was expected of it; `static/parts.js` puts it into the page of trends."""
    until = last_day or latest_day(site.reading(), team_id)
    if until is None:
        raise NotFound(f"team {team_id} has no clusters yet")
    first = first_day or until - timedelta(days=7 * TREND_WEEKS - 1)
    check_days(first, until)
    found = expected_trends(site.reading(), team_id, theme, first, until)
    return page(
        request,
        "trends_expected.html",
        tab="trends",
        team_id=team_id,
        theme_id=theme,
        found=found,
        pictures=band_pictures(found.series[:SHOWN_BANDS], first, until),
    )


def _releases(site: Site, team_id: int) -> list[tuple[datetime, str]]:
    """The releases of the application, as people and events name them."""
    found = releases_of(site.database, team_id, now=site.clock(), named_by=site.release_property(team_id))
    return [(each.released_at, each.name) for each in found]


def _closings(site: Site, team_id: int, theme_id: str) -> list[tuple[datetime, str]]:
    """The first whole days after tasks of the theme's clusters were closed, and whether that helped."""
    found = verified_closings(site.reading(), team_id, theme_id, now=site.clock(), options=site.task_options(team_id))
    return [(midnight(each.change), f"“{each.title}”, {HELPED[each.answer]}") for each in found]
