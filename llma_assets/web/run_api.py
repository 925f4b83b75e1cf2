"""What runs have done, over HTTP: the runs of a day, how far one is, their lineage, and themes beside one another."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.clickhouse import Database
from llma_assets.reports import (
    Among,
    Gates,
    LineagesReport,
    NotClusteredError,
    Overlap,
    Progress,
    RunQuality,
    RunsReport,
    gates_of,
    lineages_report,
    overlap_report,
    progress_report,
    run_quality,
    runs_report,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.themes import themes_of
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.problems import NotFound
from llma_assets.web.site import Site
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter(tags=["runs"])

TEAM = "/teams/{team_id}"
DayQuery = Annotated[date, Query(alias="date", description="Day, UTC.")]


@router.get(TEAM + "/runs", response_model=RunsReport)
def runs(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    first_day: Annotated[date | None, Query(alias="from", description="First day, UTC.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Last day, UTC.")] = None,
    theme: str | None = None,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> Response:
    """The published clustering runs, newest first."""
    found = runs_report(site.database, team_id, first_day=first_day, until=until, theme_id=theme)
    shown, headers = part_of(request, found.runs, limit, offset)
    return answer(request, json_object(RunsReport(team_id, shown)), headers=headers)


@router.get(TEAM + "/progress", response_model=Progress)
def progress(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """How far the work on a day is, theme by theme."""
    return answer(request, json_object(progress_of(site, TeamDay(team_id, day))))


@router.get(TEAM + "/results/{theme_id}/quality", response_model=RunQuality)
def quality(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery) -> Response:
    """Coverage, outliers, stability and the test of names of a theme's day, and when it was published."""
    database, team_day = site.database.remembering(), TeamDay(team_id, day)
    found = run_quality(database, team_day, theme_id, progress_of(site, team_day).themes)
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no run on {day}")
    return answer(request, json_object(found))


@router.get(TEAM + "/results/{theme_id}/gates", response_model=Gates)
def gates(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery) -> Response:
    """What the checks say of a theme's day now, and why its clusters are not published."""
    return answer(request, json_object(gates_of(site.database, TeamDay(team_id, day), theme_id)))


@router.get(TEAM + "/lineages", response_model=LineagesReport)
def lineages(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme: str | None = None,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> Response:
    """The clusters over all days: when each was there first and last, and what people decided about it."""
    found = lineages_report(site.database, team_id, theme_id=theme)
    shown, headers = part_of(request, found.lineages, limit, offset)
    return answer(request, json_object(LineagesReport(team_id, shown)), headers=headers)


@router.get(TEAM + "/cross-theme", response_model=Overlap)
def cross_theme(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: DayQuery,
    first: Annotated[str, Query(description="A theme.")],
    second: Annotated[str, Query(description="The other theme.")],
    among: Annotated[Literal["looked_at", "in_both"], Query(description="Which traces are compared.")] = "looked_at",
) -> Response:
    """Which clusters of two themes share traces more than chance would."""
    compared: Among = among
    try:
        found = overlap_report(site.database, TeamDay(team_id, day), first, second, among=compared)
    except NotClusteredError as error:
        raise NotFound(str(error)) from None
    return answer(request, json_object(found))


def progress_of(site: Site, team_day: TeamDay, database: Database | None = None) -> Progress:
    """How far the work on a team's day is.

    Args:
        database: of a page that has read some of it already.
    """
    database = database or site.database
    return progress_report(
        database,
        team_day,
        themes_of(database, team_day.team_id).themes,
        lookback_days=site.team_settings().lookback_days,
        now=site.clock(),
    )
