"""The editor of themes: check what a theme would match and cost, see what changes, save. No YAML, no JavaScript."""

import hashlib
from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.models import ModelConfigurationError
from llma_assets.reports import TrialReport
from llma_assets.teams import TeamLeftOut
from llma_assets.themes import (
    SHIPPED,
    Changes,
    Document,
    InvalidThemesError,
    Operator,
    Preview,
    Problem,
    Schedule,
    Theme,
    ThemeError,
    apply,
    examples,
    seen_keys,
    set_enabled,
    themes_of,
    themes_with,
)
from llma_assets.web.problems import Forbidden, NotFound
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.theme_counts import counts_from, counts_of
from llma_assets.web.theme_form import fields_of, rows_of, settings_from
from llma_assets.web.theme_templates import template_settings, templates_of
from llma_assets.web.theme_work import PREVIEW_DAYS, TRIAL_ITEMS, last_day, own_settings, preview_of, trial_of, window
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

THEMES = "/teams/{team_id}/themes"
LONGEST_KEY, MOST_KEYS = 200, 200
"""Of the property names that the form suggests."""

NEW: Mapping[str, Any] = {"level": "trace", "mode": "detailed", "schedule": "daily", "judged": True, "enabled": True}


@router.get(f"{THEMES}-new")
def new_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, template: str = "") -> Response:
    """An empty form, or one that begins with a template."""
    if not visitor.may_change:
        raise Forbidden("you may read, not change")
    if not template:
        return _form(request, site, team_id, "", fields_of(NEW))
    settings = template_settings(site.database, team_id, template)
    name = template if template in examples() else ""
    return _form(request, site, team_id, "", {**fields_of(settings), "template": template, "theme_id": name})


@router.post(f"{THEMES}-counts")
def count_matches(request: Request, site: SiteDep, team_id: TeamDep, fields: FormDep) -> Response:
    """What the filters of a form match, whatever else in it is not finished; `static/theme_editor.js` asks for it."""
    counts = counts_of(site, team_id, fields, window(site, team_id))
    return page(request, "theme_counts.html", team_id=team_id, counts=counts)


@router.post(f"{THEMES}-new")
def send_new_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Check a new theme, or store it."""
    return _sent(request, site, visitor.name, team_id, "", fields)


@router.get(THEMES + "/{theme_id}/edit")
def edit_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str) -> Response:
    """The form of a theme as it is."""
    if not visitor.may_change:
        raise Forbidden("you may read, not change")
    return _form(request, site, team_id, theme_id, fields_of(own_settings(site.database, team_id, theme_id)))


@router.post(THEMES + "/{theme_id}/edit")
def send_theme(
    request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str, fields: FormDep
) -> Response:
    """Check a changed theme, or store it."""
    own_settings(site.database, team_id, theme_id)
    return _sent(request, site, visitor.name, team_id, theme_id, fields)


@router.post(THEMES + "/{theme_id}/switch")
def switch_theme(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str, fields: FormDep) -> Response:
    """Switch a theme on or off."""
    try:
        set_enabled(site.database, team_id, theme_id, fields.get("to") == "on", visitor.name)
    except ThemeError as error:
        raise NotFound(str(error), near=[("All themes", f"/teams/{team_id}/themes")]) from None
    return RedirectResponse(address(f"/teams/{team_id}/themes/{theme_id}"), 303)


def _sent(request: Request, site: Site, author: str, team_id: int, theme_id: str, fields: dict[str, str]) -> Response:
    """What becomes of a sent form: the form again with what was found, or the stored theme's page."""
    database = site.database
    name = theme_id or fields.get("theme_id", "").strip()
    base: Mapping[str, Any] = {}
    if theme_id:
        base = own_settings(database, team_id, theme_id)
    elif template := fields.get("template", ""):
        base = template_settings(database, team_id, template)
    document = Document(({"theme_id": name, **settings_from(fields, base)},))
    try:
        if not theme_id and any(each.theme_id == name for each in themes_of(database, team_id).themes):
            raise InvalidThemesError([Problem("themes[0].theme_id", f"there is a theme {name!r} already")])
        changes = apply(database, team_id, document, author, dry_run=True)
        theme = themes_with(database, team_id, document)[name]
    except InvalidThemesError as error:
        return _form(request, site, team_id, theme_id, fields, problems=error.problems)
    seen = fields.get("seen", "")
    if fields.get("action") == "save" and seen == _mark(changes):
        try:
            apply(database, team_id, document, author, based_on=changes)
        except ThemeError:  # by somebody else, a moment ago
            return _sent(request, site, author, team_id, theme_id, {**fields, "action": "check"})
        return RedirectResponse(address(f"/teams/{team_id}/themes/{name}"), 303)
    trial, saved, refusal = None, None, ""
    if fields.get("action") == "try":
        try:
            trial = trial_of(site, theme, window(site, team_id))
            saved = _saved_beside(site, team_id, theme)
        except (TeamLeftOut, ModelConfigurationError) as error:
            refusal = str(error)
    return _form(
        request,
        site,
        team_id,
        theme_id,
        fields,
        changes=changes,
        preview=preview_of(site, theme, window(site, team_id)),
        trial=trial,
        saved=saved,
        refusal=refusal,
    )


def _saved_beside(site: Site, team_id: int, theme: Theme) -> TrialReport | None:
    """The same trial of the theme as it is stored; None where that asks nothing else. Known answers cost nothing."""
    stored = {each.theme_id: each for each in themes_of(site.database, team_id).themes}.get(theme.theme_id)
    if stored is None or stored.version == theme.version:
        return None
    return trial_of(site, stored, window(site, team_id))


def _mark(changes: Changes) -> str:
    """Of what was shown to whoever saves; with another one the form is shown again."""
    shown = f"{changes.changes}|{sorted(changes.based_on.items())}"
    return hashlib.sha256(shown.encode()).hexdigest()


def _form(
    request: Request,
    site: Site,
    team_id: int,
    theme_id: str,
    fields: Mapping[str, str],
    *,
    problems: tuple[Problem, ...] = (),
    changes: Changes | None = None,
    preview: Preview | None = None,
    trial: TrialReport | None = None,
    saved: TrialReport | None = None,
    refusal: str = "",
) -> Response:
    last = last_day(site, team_id)
    found = {each.where.removeprefix("themes[0]").lstrip("."): each.message for each in problems}
    return page(
        request,
        "theme_form.html",
        status=422 if problems else 200,
        tab="themes",
        team_id=team_id,
        editing=theme_id,
        ships=theme_id in SHIPPED,
        fields=fields,
        rows=rows_of(fields),
        problems=found,
        counts=counts_from(fields, preview, found),
        templates=[] if theme_id else [*templates_of(site.database, team_id)],
        changes=changes,
        mark=_mark(changes) if changes else "",
        preview=preview,
        trial=trial,
        saved_answers={each.item_id: each for each in saved.items} if saved else None,
        refusal=refusal,
        trial_items=TRIAL_ITEMS,
        keys=[
            key
            for key in seen_keys(site.database, team_id, last.back(PREVIEW_DAYS - 1).day, last.day)
            if len(key) <= LONGEST_KEY
        ][:MOST_KEYS],
        operators=get_args(Operator),
        schedules=get_args(Schedule),
    )
