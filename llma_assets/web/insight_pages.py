"""The week in five sentences, and what sets clusters apart: a page, and documents of the API."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.clusters import EditError, UnknownLineageError
from llma_assets.reports import (
    AttributesReport,
    Digest,
    NothingToTell,
    Verification,
    attributes_report,
    digest_of,
    verify_lineage,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay, midnight
from llma_assets.web.answers import answer
from llma_assets.web.api import TEAM as API_TEAM
from llma_assets.web.api import DayQuery
from llma_assets.web.problems import NotFound
from llma_assets.web.templates_of import address, page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter(default_response_class=Response)
documents = APIRouter()

TEAM = "/teams/{team_id}"
Period = Literal["day", "week"]
DAYS: Mapping[Period, Literal[1, 7]] = {"day": 1, "week": 7}


@router.get(f"{TEAM}/week")
def week_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    period: Period = "week",
) -> Response:
    """What is new, what grew, what faded, how good the clusters are, and what they cost, in a week or on a day."""
    try:
        digest = digest_of(site.database.remembering(), team_id, until=day, theme_id=theme, days=DAYS[period])
    except NothingToTell as error:
        raise NotFound(f"{error}", near=[("Results", address(f"/teams/{team_id}/results"))]) from error
    return page(
        request,
        "week.html",
        tab="results",
        team_id=team_id,
        day=digest.until,
        theme_id=digest.theme_id,
        digest=digest,
        period=period,
    )


@documents.get(API_TEAM + "/digest", tags=["clusters"], response_model=Digest)
def digest_document(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    date: date | None = None,
    theme: str | None = None,
    period: Period = "week",
) -> Response:
    """A day, or the week that ends with it, in five sentences, each with its numbers."""
    database = site.database.remembering()
    try:
        found = digest_of(database, team_id, until=date, theme_id=theme, days=DAYS[period])
        return answer(request, json_object(found))
    except NothingToTell as error:
        raise NotFound(str(error)) from error


@documents.get(API_TEAM + "/attributes", tags=["clusters"], response_model=AttributesReport)
def attributes_document(
    request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery, theme: str | None = None
) -> Response:
    """What sets each cluster of a day apart, of the runs for which it has been found."""
    team = site.team_settings().options_of(team_id)
    return answer(
        request, json_object(attributes_report(site.database, TeamDay(team_id, day), team, theme_id=theme, find=False))
    )


@documents.get(API_TEAM + "/clusters/{lineage_id}/verification", tags=["clusters"], response_model=Verification)
def verification_document(request: Request, site: SiteDep, team_id: TeamDep, lineage_id: str, since: date) -> Response:
    """Whether a cluster became rarer since the beginning of a day."""
    try:
        found = verify_lineage(site.database, team_id, lineage_id, midnight(since), f"the beginning of {since}")
    except (EditError, UnknownLineageError) as error:
        raise NotFound(str(error)) from error
    return answer(request, json_object(found))
