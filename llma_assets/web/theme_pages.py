"""The editor of themes: check what a theme would match and cost, see what changes, save. No YAML, no JavaScript."""

import hashlib
from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_days
from llma_assets.models import ModelConfigurationError, chat_model
from llma_assets.rendering import REACH
from llma_assets.reports import TrialReport, asking_of, paid_trial
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamLeftOut, resolve
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
    preview_theme,
    seen_keys,
    set_enabled,
    settings_of,
    themes_of,
    themes_with,
)
from llma_assets.web.problems import Forbidden, NotFound
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.theme_form import fields_of, rows_of, settings_from
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

THEMES = "/teams/{team_id}/themes"
NEW: Mapping[str, Any] = {"level": "trace", "mode": "detailed", "schedule": "daily", "judged": True, "enabled": True}
PREVIEW_DAYS = 7
TRIAL_ITEMS = 20


@router.get(f"{THEMES}-new")
def new_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep) -> Response:
    """An empty form."""
    if not visitor.may_change:
        raise Forbidden("you may read, not change")
    return _form(request, site, team_id, "", fields_of(NEW))


@router.post(f"{THEMES}-new")
def send_new_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Check a new theme, or store it."""
    return _sent(request, site, visitor.name, team_id, "", fields)


@router.get(THEMES + "/{theme_id}/edit")
def edit_theme(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str) -> Response:
    """The form of a theme as it is."""
    if not visitor.may_change:
        raise Forbidden("you may read, not change")
    return _form(request, site, team_id, theme_id, fields_of(_settings(site.database, team_id, theme_id)))


@router.post(THEMES + "/{theme_id}/edit")
def send_theme(
    request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, theme_id: str, fields: FormDep
) -> Response:
    """Check a changed theme, or store it."""
    _settings(site.database, team_id, theme_id)
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
    base = _settings(database, team_id, theme_id) if theme_id else {}
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
        apply(database, team_id, document, author, based_on=changes)
        return RedirectResponse(address(f"/teams/{team_id}/themes/{name}"), 303)
    trial, refusal = None, ""
    if fields.get("action") == "try":
        try:
            trial = _trial(site, team_id, theme)
        except (TeamLeftOut, ModelConfigurationError) as error:
            refusal = str(error)
    return _form(
        request,
        site,
        team_id,
        theme_id,
        fields,
        changes=changes,
        preview=_preview(site, team_id, theme),
        trial=trial,
        refusal=refusal,
    )


def _trial(site: Site, team_id: int, theme: Theme) -> TrialReport:
    return paid_trial(
        site.database,
        _last_day(site, team_id).window(PREVIEW_DAYS),
        theme,
        chat_model(site.settings, theme.model),
        team=resolve(site.team_settings(), team_id),
        chat_model=site.settings.chat_model,
        size=TRIAL_ITEMS,
        now=site.clock(),
    )


def _last_day(site: Site, team_id: int) -> TeamDay:
    """The latest day with clusters, else today."""
    days = clustered_days(site.database, team_id)
    return TeamDay(team_id, days[-1] if days else site.today)


def _mark(changes: Changes) -> str:
    """Of what was shown to whoever saves; with another one the form is shown again."""
    shown = f"{changes.changes}|{sorted(changes.based_on.items())}"
    return hashlib.sha256(shown.encode()).hexdigest()


def _preview(site: Site, team_id: int, theme: Theme) -> Preview:
    last = _last_day(site, team_id)
    options = site.team_settings().options_of(team_id)
    return preview_theme(
        site.database,
        team_id,
        theme,
        last.back(PREVIEW_DAYS - 1).day,
        last.day,
        asking=asking_of(site.database, team_id, theme, settings=site.settings, options=options),
        per_hour=options.max_traces_per_hour if theme.level == "trace" else options.max_generations_per_hour,
        reach=REACH,
    )


def _settings(database: Database, team_id: int, theme_id: str) -> dict[str, Any]:
    team = themes_of(database, team_id)
    try:
        return settings_of(team.settings_alone(team.get(theme_id)))
    except ThemeError as error:
        raise NotFound(str(error), near=[("All themes", f"/teams/{team_id}/themes")]) from None


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
    refusal: str = "",
) -> Response:
    last = _last_day(site, team_id)
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
        problems={each.where.removeprefix("themes[0]").lstrip("."): each.message for each in problems},
        changes=changes,
        mark=_mark(changes) if changes else "",
        preview=preview,
        trial=trial,
        refusal=refusal,
        trial_items=TRIAL_ITEMS,
        keys=list(seen_keys(site.database, team_id, last.back(PREVIEW_DAYS - 1).day, last.day))[:200],
        operators=get_args(Operator),
        schedules=get_args(Schedule),
    )
