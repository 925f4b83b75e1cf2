"""Changes of themes over HTTP: make, change, switch, delete, apply a file.

A change says which state of the theme it stands on (`If-Match`), so that nobody overwrites what they have not seen.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.reports import (
    AppliedChanges,
    ThemeChanges,
    ThemeReport,
    changes_report,
)
from llma_assets.serialization import json_object
from llma_assets.themes import (
    SHIPPED,
    Changes,
    Document,
    InvalidThemesError,
    TeamThemes,
    ThemeError,
    apply,
    delete,
    past_changes,
    read_document,
    set_enabled,
    settings_of,
    themes_of,
)
from llma_assets.web.answers import answer, tags_of
from llma_assets.web.problems import Conflict, InvalidInput, PreconditionNeeded, WebProblem
from llma_assets.web.site import Site
from llma_assets.web.theme_api import THEME, THEMES, ThemeSettings, invalid, theme_answer
from llma_assets.web.theme_work import known_theme, revision_of
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["themes"])

DryRun = Annotated[bool, Query(description="Say what would change, and store nothing.")]


class ThemesFile(BaseModel):
    """A file of themes, as `llma themes apply` takes it."""

    yaml: str = Field(max_length=256 << 10)
    prune: bool = Field(False, description="Delete own themes that it does not name; reset shipped ones.")


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
    return theme_answer(request, site, team_id, name, status=201)


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
    return theme_answer(request, site, team_id, theme_id, status=201 if is_new else 200)


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
        invalid(error)
    return answer(request, json_object(AppliedChanges(dry_run, changes_report(found))))


def _stored(site: Site, team: TeamThemes, settings: Mapping[str, Any], author: str) -> None:
    """Store a theme, unless somebody changed the team's themes since `team` was read."""
    seen = Changes(team.team_id, (), based_on=team.changes)
    try:
        apply(site.database, team.team_id, Document((settings,)), author, based_on=seen, now=site.clock())
    except InvalidThemesError as error:
        invalid(error)
    except ThemeError as error:
        raise _conflict(site, team, str(settings.get("theme_id", "")), settings, str(error)) from None


def _would(request: Request, site: Site, team_id: int, document: Document) -> Response:
    try:
        found = apply(site.database, team_id, document, "nobody", dry_run=True)
    except InvalidThemesError as error:
        invalid(error)
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
