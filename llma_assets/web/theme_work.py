"""What editor and API do with a theme that need not be stored: count what it matches, try it, tell its state."""

import hashlib
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_days
from llma_assets.models import chat_model
from llma_assets.rendering import REACH
from llma_assets.reports import TrialReport, asking_of, paid_trial
from llma_assets.team_day import TeamDay
from llma_assets.teams import resolve
from llma_assets.themes import Preview, TeamThemes, Theme, ThemeError, preview_theme, settings_of, themes_of
from llma_assets.web.problems import NotFound
from llma_assets.web.site import Site

PREVIEW_DAYS = 7
TRIAL_ITEMS = 20


def last_day(site: Site, team_id: int) -> TeamDay:
    """The latest day with clusters, else today."""
    days = clustered_days(site.database, team_id)
    return TeamDay(team_id, days[-1] if days else site.today)


def window(site: Site, team_id: int, day: date | None = None, days: int = PREVIEW_DAYS) -> list[TeamDay]:
    """The days that a preview or a trial looks at, by default the last week with results."""
    return (TeamDay(team_id, day) if day else last_day(site, team_id)).window(days)


def preview_of(site: Site, theme: Theme, looked_at: list[TeamDay]) -> Preview:
    """Count what a theme would find and cost; nothing is stored and no model is asked."""
    team_id = looked_at[0].team_id
    options = site.team_settings().options_of(team_id)
    return preview_theme(
        site.database,
        team_id,
        theme,
        looked_at[0].day,
        looked_at[-1].day,
        asking=asking_of(site.database, team_id, theme, settings=site.settings, options=options),
        per_hour=options.max_traces_per_hour if theme.level == "trace" else options.max_generations_per_hour,
        reach=REACH,
    )


def trial_of(site: Site, theme: Theme, looked_at: list[TeamDay], size: int = TRIAL_ITEMS) -> TrialReport:
    """Ask a theme's question about some items; no result is stored, its cost counts.

    Raises:
        TeamLeftOut: nothing is done for the team.
        ModelConfigurationError: the model cannot be asked.
    """
    return paid_trial(
        site.database,
        looked_at,
        theme,
        chat_model(site.settings, theme.model),
        team=resolve(site.team_settings(), looked_at[0].team_id),
        chat_model=site.settings.chat_model,
        size=size,
        now=site.clock(),
    )


def own_settings(database: Database, team_id: int, theme_id: str) -> dict[str, Any]:
    """The settings of a theme as a file of themes has them.

    Raises:
        NotFound: the team has no such theme.
    """
    team = themes_of(database, team_id)
    return settings_of(team.settings_alone(known_theme(team, theme_id)))


def known_theme(team: TeamThemes, theme_id: str) -> Theme:
    """A theme of the team.

    Raises:
        NotFound: there is none of that id.
    """
    try:
        return team.get(theme_id)
    except ThemeError as error:
        raise NotFound(str(error), near=[("All themes", f"/teams/{team.team_id}/themes")]) from None


def revision_of(team: TeamThemes, theme_id: str) -> str:
    """Changes whenever somebody changes the theme or the team's base filters; "" where there is no such theme."""
    if all(theme.theme_id != theme_id for theme in team.themes):
        return ""
    text = f"{team.changes.get(theme_id, 'as it ships')}|{team.changes.get('', '')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
