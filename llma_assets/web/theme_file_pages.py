"""Themes as they were, and all of them as a file: back to before a change, YAML in and out."""

import hashlib
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.themes import (
    SHIPPED,
    Changes,
    Document,
    InvalidThemesError,
    ThemeError,
    apply,
    delete,
    export,
    read_document,
    settings_of,
    themes_at,
    themes_of,
    write_document,
)
from llma_assets.web.access import Visitor
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.theme_work import known_theme, revision_of
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

THEMES = "/teams/{team_id}/themes"
MOMENT = timedelta(microseconds=1)


@router.post(THEMES + "/{theme_id}/undo")
def undo(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str, fields: FormDep) -> Response:
    """Make a theme what it was before one of its changes; one that the change made is deleted. The history stays."""
    team = themes_of(site.database, team_id)
    known_theme(team, theme_id)
    here = f"/teams/{team_id}/themes/{theme_id}"
    try:
        before = themes_at(site.database, team_id, datetime.fromisoformat(fields.get("before", "")) - MOMENT)
    except (ValueError, TypeError, OverflowError):
        return RedirectResponse(address(here, problem="it is not said to before which change"), 303)
    if fields.get("seen") != revision_of(team, theme_id):
        return RedirectResponse(address(here, problem="somebody changed the theme since; look at it again"), 303)
    was = next((each for each in before.themes if each.theme_id == theme_id), None)
    try:
        if was is None and theme_id not in SHIPPED:
            delete(site.database, team_id, theme_id, visitor.name, now=site.clock())
            return RedirectResponse(f"/teams/{team_id}/themes", 303)
        settings = settings_of(before.settings_alone(before.get(theme_id)))
        document = Document(({"theme_id": theme_id, **settings},))
        seen = Changes(team_id, (), based_on=team.changes)
        apply(site.database, team_id, document, visitor.name, based_on=seen, now=site.clock())
    except ThemeError as error:
        return RedirectResponse(address(here, problem=str(error)[:300]), 303)
    return RedirectResponse(address(here), 303)


@router.get(f"{THEMES}-file")
def themes_file(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep) -> Response:
    """What differs from the themes that ship, as the file that `llma themes apply` takes."""
    return _file(request, site, visitor, team_id)


@router.post(f"{THEMES}-file")
def send_themes_file(
    request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep
) -> Response:
    """Check a file of themes, or store what was shown."""
    text = fields.get("file", "").replace("\r\n", "\n")
    try:
        document = read_document(text)
        changes = apply(site.database, team_id, document, visitor.name, dry_run=True)
        if fields.get("action") == "save" and fields.get("seen") == _mark(text, changes):
            apply(site.database, team_id, document, visitor.name, based_on=changes, now=site.clock())
            return RedirectResponse(f"/teams/{team_id}/themes", 303)
    except InvalidThemesError as error:
        return _file(request, site, visitor, team_id, text=text, problems=[str(each) for each in error.problems[:20]])
    except ThemeError as error:
        return _file(request, site, visitor, team_id, text=text, problems=[str(error)])
    return _file(request, site, visitor, team_id, text=text, changes=changes)


def _mark(text: str, changes: Changes) -> str:
    """Of what was shown to whoever saves."""
    shown = f"{text}|{changes.changes}|{sorted(changes.based_on.items())}"
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()


def _file(
    request: Request,
    site: Site,
    visitor: Visitor,
    team_id: int,
    *,
    text: str | None = None,
    changes: Changes | None = None,
    problems: list[str] | None = None,
) -> Response:
    stored = write_document(export(themes_of(site.database, team_id))) if text is None else text
    return page(
        request,
        "theme_file.html",
        status=422 if problems else 200,
        tab="themes",
        team_id=team_id,
        may_change=visitor.may_change,
        file=stored,
        changes=changes,
        mark=_mark(stored, changes) if changes else "",
        problems=problems or [],
    )
