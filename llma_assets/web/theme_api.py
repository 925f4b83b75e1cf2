"""Themes over HTTP: read them, count what one matches, try it. Changes belong in `theme_change_api`."""

from datetime import date, datetime
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from llma_assets.clusters import last_runs
from llma_assets.models import ModelConfigurationError
from llma_assets.reports import (
    FunnelReport,
    PreviewReport,
    ThemeHistory,
    ThemeReport,
    ThemesReport,
    ThemeStates,
    TrialReport,
    funnel_report,
    history_report,
    preview_report,
    theme_report,
    theme_states,
    themes_report,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamLeftOut
from llma_assets.themes import (
    Document,
    InvalidThemesError,
    Theme,
    export,
    past_changes,
    themes_at,
    themes_of,
    themes_with,
    write_document,
)
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.problems import Conflict, InvalidInput
from llma_assets.web.site import Site
from llma_assets.web.theme_work import PREVIEW_DAYS, TRIAL_ITEMS, known_theme, preview_of, revision_of, trial_of, window
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep, VisitorDep

router = APIRouter(tags=["themes"])

THEMES = "/teams/{team_id}/themes"
THEME = THEMES + "/{theme_id}"
ThemeSettings = dict[str, Any]
Day = Annotated[date | None, Query(alias="date", description="Last day, UTC; by default the latest with clusters.")]


class Draft(BaseModel):
    """Settings of a theme that need not be stored.

    Attributes:
        settings: as in a file of themes; None for those that are stored.
    """

    settings: ThemeSettings | None = None


@router.get(THEMES, response_model=ThemesReport)
def themes(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The team's themes with their settings, also those that are off."""
    report = themes_report(themes_of(site.database, team_id), last_runs(site.database, team_id))
    return answer(request, json_object(report))


@router.get(f"{THEMES}-states", response_model=ThemeStates)
def states(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """What each theme did in the week up to the last run, what that cost, and whether anything is wrong with it."""
    runs = last_runs(site.database, team_id)
    last_day = max((run["last_day"] for run in runs.values()), default=site.today)
    found = theme_states(site.database, team_id, themes_of(site.database, team_id).themes, runs, last_day)
    return answer(request, json_object(found))


@router.get(THEME, response_model=ThemeReport)
def theme(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme_id: str,
    at: Annotated[datetime | None, Query(description="As it was at this moment, ISO 8601 with its zone.")] = None,
) -> Response:
    """One theme. Its ETag is what `If-Match` of a change wants."""
    if at is None:
        return theme_answer(request, site, team_id, theme_id)
    if at.tzinfo is None:
        raise InvalidInput("at: give the time with its zone, such as 2026-11-07T12:00:00Z", field="at")
    team = themes_at(site.database, team_id, at)
    known_theme(team, theme_id)
    return answer(request, json_object(theme_report(team, theme_id, None)))


@router.get(THEME + "/history", response_model=ThemeHistory)
def theme_history(
    request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, limit: LimitQuery = 1_000, offset: OffsetQuery = 0
) -> Response:
    """Who changed what of a theme, and when; also of one that was deleted."""
    found = past_changes(site.database, team_id, theme_id)
    if not found:
        known_theme(themes_of(site.database, team_id), theme_id)
    shown, headers = part_of(request, found, limit, offset)
    return answer(request, json_object(history_report(team_id, shown)), headers=headers)


@router.get(THEME + "/funnel", response_model=FunnelReport)
def theme_funnel(
    request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: Annotated[date, Query(alias="date")]
) -> Response:
    """How many of a theme's items came how far."""
    found = funnel_report(
        site.database,
        TeamDay(team_id, day),
        [known_theme(themes_of(site.database, team_id), theme_id)],
        lookback_days=site.team_settings().lookback_days,
    )
    return answer(request, json_object(found))


@router.post(THEME + "/preview", response_model=PreviewReport)
def preview(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,  # noqa: ARG001  # it changes nothing
    team_id: TeamDep,
    theme_id: str,
    draft: Draft,
    day: Day = None,
    days: Annotated[int, Query(ge=1, le=31)] = PREVIEW_DAYS,
) -> Response:
    """What a theme, stored or not, would find and cost; no model is asked."""
    theme = _drafted(site, team_id, theme_id, draft)
    return answer(request, json_object(preview_report(preview_of(site, theme, window(site, team_id, day, days)))))


@router.post(THEME + "/trial", response_model=TrialReport)
def trial(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,  # noqa: ARG001  # it may cost money
    team_id: TeamDep,
    theme_id: str,
    draft: Draft,
    day: Day = None,
    days: Annotated[int, Query(ge=1, le=31)] = PREVIEW_DAYS,
    sample: Annotated[int, Query(ge=1, le=200)] = TRIAL_ITEMS,
) -> Response:
    """Ask a theme's question, stored or not, about some items. Answers are not stored; what they cost counts."""
    theme = _drafted(site, team_id, theme_id, draft)
    try:
        found = trial_of(site, theme, window(site, team_id, day, days), sample)
    except (TeamLeftOut, ModelConfigurationError) as error:
        raise Conflict(str(error)) from None
    return answer(request, json_object(found))


@router.get(
    "/teams/{team_id}/themes.yaml",
    response_class=Response,
    responses={200: {"content": {"application/yaml": {}}}},
)
def themes_file(site: SiteDep, team_id: TeamDep) -> Response:
    """The themes as `llma themes export` writes them."""
    text = write_document(export(themes_of(site.database, team_id)))
    headers = {"Content-Disposition": f'attachment; filename="team-{team_id}-themes.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


def theme_answer(request: Request, site: Site, team_id: int, theme_id: str, *, status: int = 200) -> Response:
    """A theme with the ETag that `If-Match` of a change wants."""
    team = themes_of(site.database, team_id)
    known_theme(team, theme_id)
    document = json_object(theme_report(team, theme_id, last_runs(site.database, team_id).get(theme_id)))
    headers = {"Location": f"/api/v1/teams/{team_id}/themes/{theme_id}"} if status == 201 else {}
    return answer(request, document, revision=revision_of(team, theme_id), headers=headers, status=status)


def _drafted(site: Site, team_id: int, theme_id: str, draft: Draft) -> Theme:
    if draft.settings is None:
        return known_theme(themes_of(site.database, team_id), theme_id)
    try:
        return themes_with(site.database, team_id, Document(({**draft.settings, "theme_id": theme_id},)))[theme_id]
    except InvalidThemesError as error:
        invalid(error)


def invalid(error: InvalidThemesError) -> NoReturn:
    """Raise what is wrong with settings, by their fields."""
    problems = [
        {"field": each.where.removeprefix("themes[0]").lstrip("."), "message": each.message} for each in error.problems
    ]
    raise InvalidInput(str(error.problems[0]), field=problems[0]["field"], problems=problems[:100]) from None
