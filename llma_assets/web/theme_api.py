"""Themes over HTTP: read, make, change, switch, delete, count what one matches, try it, YAML in and out.

A change says which state of the theme it stands on (`If-Match`), so that nobody overwrites what they have not seen.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.clusters import last_runs
from llma_assets.models import ModelConfigurationError
from llma_assets.reports import (
    AppliedChanges,
    FunnelReport,
    PreviewReport,
    ThemeChanges,
    ThemeHistory,
    ThemeReport,
    ThemesReport,
    TrialReport,
    changes_report,
    funnel_report,
    history_report,
    preview_report,
    theme_report,
    themes_report,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamLeftOut
from llma_assets.themes import (
    SHIPPED,
    Changes,
    Document,
    InvalidThemesError,
    TeamThemes,
    Theme,
    ThemeError,
    apply,
    delete,
    export,
    past_changes,
    read_document,
    set_enabled,
    settings_of,
    themes_at,
    themes_of,
    themes_with,
    write_document,
)
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of, tags_of
from llma_assets.web.problems import Conflict, InvalidInput, PreconditionNeeded, WebProblem
from llma_assets.web.site import Site
from llma_assets.web.theme_work import PREVIEW_DAYS, TRIAL_ITEMS, known_theme, preview_of, revision_of, trial_of, window
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep, VisitorDep

router = APIRouter(tags=["themes"])

THEMES = "/teams/{team_id}/themes"
THEME = THEMES + "/{theme_id}"
ThemeSettings = dict[str, Any]
DryRun = Annotated[bool, Query(description="Say what would change, and store nothing.")]
Day = Annotated[date | None, Query(alias="date", description="Last day, UTC; by default the latest with clusters.")]


class ThemesFile(BaseModel):
    """A file of themes, as `llma themes apply` takes it."""

    yaml: str = Field(max_length=256 << 10)
    prune: bool = Field(False, description="Delete own themes that it does not name; reset shipped ones.")


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


@router.post(THEMES, status_code=201, response_model=ThemeReport)
def create_theme(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,
    team_id: TeamDep,
    settings: ThemeSettings,
    dry_run: DryRun = False,
) -> Response:
    """Make a theme from its settings with a `theme_id`, as in a file of themes."""
    name, team = str(settings.get("theme_id", "")), themes_of(site.database, team_id)
    if revision_of(team, name):
        raise _conflict(site, team, name, settings, f"there is a theme {name!r} already")
    if dry_run:
        return _would(request, site, team_id, Document((settings,)))
    _stored(site, team, settings, visitor.name)
    return _theme(request, site, team_id, name, status=201)


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
        return _theme(request, site, team_id, theme_id)
    if at.tzinfo is None:
        raise InvalidInput("at: give the time with its zone, such as 2026-11-07T12:00:00Z", field="at")
    team = themes_at(site.database, team_id, at)
    known_theme(team, theme_id)
    return answer(request, json_object(theme_report(team, theme_id, None)))


@router.put(THEME, response_model=ThemeReport)
def put_theme(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,
    team_id: TeamDep,
    theme_id: str,
    settings: ThemeSettings,
    dry_run: DryRun = False,
) -> Response:
    """Make a theme what its settings say; what they leave out gets the value of the built-in theme, or the default."""
    team = themes_of(site.database, team_id)
    if settings.setdefault("theme_id", theme_id) != theme_id:
        raise InvalidInput("theme_id: must be the one of the address", field="theme_id")
    if dry_run:
        return _would(request, site, team_id, Document((settings,)))
    is_new = not revision_of(team, theme_id)
    if not is_new:
        _require_unchanged(request, site, team, theme_id, settings)
    _stored(site, team, settings, visitor.name)
    return _theme(request, site, team_id, theme_id, status=201 if is_new else 200)


@router.delete(THEME, response_model=ThemeChanges)
def delete_theme(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, theme_id: str) -> Response:
    """Delete a theme of the team's own; its history and what it found stay."""
    team = themes_of(site.database, team_id)
    known_theme(team, theme_id)
    if theme_id not in SHIPPED:
        _require_unchanged(request, site, team, theme_id, None)
    try:
        found = delete(site.database, team_id, theme_id, visitor.name, now=site.clock())
    except ThemeError as error:
        raise Conflict(str(error)) from None
    return answer(request, json_object(changes_report(found)))


@router.post(THEME + "/enable", response_model=ThemeChanges)
def enable(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, theme_id: str) -> Response:
    """Switch a theme on."""
    return _switched(request, site, visitor.name, team_id, theme_id, enabled=True)


@router.post(THEME + "/disable", response_model=ThemeChanges)
def disable(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, theme_id: str) -> Response:
    """Switch a theme off; its results stay."""
    return _switched(request, site, visitor.name, team_id, theme_id, enabled=False)


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


@router.get("/teams/{team_id}/themes.yaml")
def themes_file(site: SiteDep, team_id: TeamDep) -> Response:
    """The themes as `llma themes export` writes them."""
    text = write_document(export(themes_of(site.database, team_id)))
    headers = {"Content-Disposition": f'attachment; filename="team-{team_id}-themes.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


@router.post(f"{THEMES}.yaml", response_model=AppliedChanges)
def apply_themes_file(
    request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, file: ThemesFile, dry_run: DryRun = False
) -> Response:
    """Store the themes of a file, as `llma themes apply` does."""
    try:
        document = read_document(file.yaml)
        found = apply(
            site.database, team_id, document, visitor.name, dry_run=dry_run, prune=file.prune, now=site.clock()
        )
    except InvalidThemesError as error:
        _invalid(error)
    return answer(request, json_object(AppliedChanges(dry_run, changes_report(found))))


def _theme(request: Request, site: Site, team_id: int, theme_id: str, *, status: int = 200) -> Response:
    team = themes_of(site.database, team_id)
    known_theme(team, theme_id)
    document = json_object(theme_report(team, theme_id, last_runs(site.database, team_id).get(theme_id)))
    headers = {"Location": f"/api/v1/teams/{team_id}/themes/{theme_id}"} if status == 201 else {}
    return answer(request, document, revision=revision_of(team, theme_id), headers=headers, status=status)


def _stored(site: Site, team: TeamThemes, settings: Mapping[str, Any], author: str) -> None:
    """Store a theme, unless somebody changed the team's themes since `team` was read."""
    seen = Changes(team.team_id, (), based_on=team.changes)
    try:
        apply(site.database, team.team_id, Document((settings,)), author, based_on=seen, now=site.clock())
    except InvalidThemesError as error:
        _invalid(error)
    except ThemeError as error:
        raise _conflict(site, team, str(settings.get("theme_id", "")), settings, str(error)) from None


def _would(request: Request, site: Site, team_id: int, document: Document) -> Response:
    try:
        found = apply(site.database, team_id, document, "nobody", dry_run=True)
    except InvalidThemesError as error:
        _invalid(error)
    return answer(request, json_object(AppliedChanges(True, changes_report(found))))


def _switched(request: Request, site: Site, author: str, team_id: int, theme_id: str, *, enabled: bool) -> Response:
    team = themes_of(site.database, team_id)
    known_theme(team, theme_id)
    if request.headers.get("if-match"):
        _require_unchanged(request, site, team, theme_id, {"enabled": enabled})
    try:
        found = set_enabled(site.database, team_id, theme_id, enabled, author, now=site.clock())
    except ThemeError as error:
        raise Conflict(str(error)) from None
    return answer(request, json_object(changes_report(found)))


def _drafted(site: Site, team_id: int, theme_id: str, draft: Draft) -> Theme:
    if draft.settings is None:
        return known_theme(themes_of(site.database, team_id), theme_id)
    try:
        return themes_with(site.database, team_id, Document(({**draft.settings, "theme_id": theme_id},)))[theme_id]
    except InvalidThemesError as error:
        _invalid(error)


def _require_unchanged(
    request: Request, site: Site, team: TeamThemes, theme_id: str, settings: Mapping[str, Any] | None
) -> None:
    """Compare `If-Match` with the theme's state; `*` is any."""
    tags = tags_of(request, "if-match")
    if not tags:
        raise PreconditionNeeded(
            "send If-Match with the ETag of the theme that you have seen, so that nobody's change is overwritten"
        )
    if "*" not in tags and revision_of(team, theme_id) not in {tag.strip('"').partition(".")[0] for tag in tags}:
        raise _conflict(site, team, theme_id, settings, f"the theme {theme_id!r} was changed since you read it")


def _conflict(
    site: Site, team: TeamThemes, theme_id: str, settings: Mapping[str, Any] | None, detail: str
) -> WebProblem:
    """The problem with both versions: the theme as it is stored now, and what was sent."""
    now = themes_of(site.database, team.team_id)
    if not revision_of(now, theme_id):
        return Conflict(detail, stored=None, sent=settings)
    stored = {"theme_id": theme_id, **settings_of(now.settings_alone(now.get(theme_id)))}
    last = next(reversed(past_changes(site.database, team.team_id, theme_id)), None)
    by = {"changed_by": last.author, "changed_at": last.changed_at.isoformat()} if last else {}
    return Conflict(detail, stored=stored, sent=settings, etag=f'"{revision_of(now, theme_id)}"', **by)


def _invalid(error: InvalidThemesError) -> NoReturn:
    problems = [
        {"field": each.where.removeprefix("themes[0]").lstrip("."), "message": each.message} for each in error.problems
    ]
    raise InvalidInput(str(error.problems[0]), field=problems[0]["field"], problems=problems[:100]) from None
