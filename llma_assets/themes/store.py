"""A team's themes as they are now: what ships, with what the team changed, and its own.

How changes are made and stored belongs in `changes.py`; what a theme's settings may be in `validation.py`.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.themes.built_in import SHIPPED
from llma_assets.themes.errors import Problem, ThemeError, did_you_mean
from llma_assets.themes.filter import Filter
from llma_assets.themes.queries import NEWEST_CHANGES, NEWEST_CHANGES_OF_TEAMS
from llma_assets.themes.theme import Theme
from llma_assets.themes.validation import base_filters_from, problems_of_id, theme_from

DELETED = "deleted"
TEAM_SETTINGS = ""
"""In place of a theme_id: what holds for all themes of a team."""

THE_TEAM = "team"
"""Begins the place of a problem with that; no theme may be called so."""

THE_FIX = "`llma themes apply` fixes it"


@dataclass(frozen=True, slots=True)
class TeamThemes:
    """The themes of a team.

    Attributes:
        team_id: whose.
        base_filters: what every item of every theme must match.
        themes: the general ones, the optional ones, the team's own by their ids, all with the team's base filters
            before their own; those that are switched off, too.
        problems: what is stored but cannot be used any longer. A theme with a problem is switched off.
        changes: id of the newest change of each theme, that of the team's own settings under "".
    """

    team_id: int
    base_filters: tuple[Filter, ...]
    themes: tuple[Theme, ...]
    problems: tuple[Problem, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)

    def get(self, theme_id: str) -> Theme:
        """The theme of that id.

        Raises:
            ThemeError: there is none; the message suggests one.
        """
        for theme in self.themes:
            if theme.theme_id == theme_id:
                return theme
        hint = did_you_mean(theme_id, (theme.theme_id for theme in self.themes))
        raise ThemeError(
            f"team {self.team_id} has no theme {theme_id!r}{hint or '.'} "
            f"`llma themes list --team {self.team_id}` shows them"
        )

    def active(self, only: Collection[str] = ()) -> tuple[Theme, ...]:
        """The themes that are switched on, each after the one that it depends on, otherwise the general ones first.

        Args:
            only: theme ids; all that are switched on if there are none.

        Raises:
            ThemeError: one of `only` is unknown or switched off, or the team's base filters are not valid.
        """
        if problems := self.problems_of(THE_TEAM):
            raise ThemeError(
                f"team {self.team_id} runs no themes until its base filters are valid: {problems[0]}. {THE_FIX}"
            )
        for theme_id in only:
            if not self.get(theme_id).enabled:
                raise ThemeError(_why_off(self, theme_id))
        wanted = set(only) or {theme.theme_id for theme in self.themes if theme.enabled}
        return tuple(theme for theme in in_order(self.themes) if theme.theme_id in wanted)

    def problems_of(self, theme_id: str) -> tuple[Problem, ...]:
        """What is wrong with what is stored of a theme."""
        return tuple(each for each in self.problems if each.where.split(".")[0] == theme_id)

    def settings_alone(self, theme: Theme) -> Theme:
        """The theme without the team's base filters, as it is written in a file."""
        return replace(theme, base_filters=theme.base_filters[len(self.base_filters) :])


def themes_of(database: Database, team_id: int) -> TeamThemes:
    """All themes of a team, also those that are switched off. What ships is there without any stored row."""
    return team_themes(team_id, database.rows(NEWEST_CHANGES, team_id=team_id))


def themes_of_teams(database: Database) -> dict[int, TeamThemes]:
    """The themes of every team that has changed something, by one query; all others have what ships."""
    rows = database.rows(NEWEST_CHANGES_OF_TEAMS)
    return {team_id: team_themes(team_id, found) for team_id, found in groupby(rows, key=itemgetter("team_id"))}


def team_themes(team_id: int, stored: Iterable[Mapping[str, Any]]) -> TeamThemes:
    """The themes of a team from the newest row of each."""
    rows = {row["theme_id"]: row for row in stored}
    changes = {theme_id: str(row["change_id"]) for theme_id, row in rows.items()}
    problems: list[Problem] = []
    base_filters: tuple[Filter, ...] = ()
    if row := rows.pop(TEAM_SETTINGS, None):
        base_filters, problems = base_filters_from(stored_settings(row), where=THE_TEAM)
    # Without the team's filters a theme would take what it must not see, and pay for it.
    is_usable = not problems
    found = dict(SHIPPED)
    for theme_id, row in rows.items():
        if row["action"] == DELETED:
            continue
        wrong = problems_of_id(theme_id, theme_id)
        theme, more = theme_from(theme_id, stored_settings(row), where=theme_id)
        problems += [*wrong, *more]
        found[theme_id] = replace(theme, enabled=theme.enabled and not wrong)
    broken = dependency_problems(found.values())
    problems += broken.values()
    return TeamThemes(
        team_id=team_id,
        base_filters=base_filters,
        themes=tuple(
            replace(
                theme,
                base_filters=base_filters + theme.base_filters,
                enabled=theme.enabled and is_usable and theme.theme_id not in broken,
            )
            for theme in found.values()
        ),
        problems=tuple(problems),
        changes=changes,
    )


def active_themes(database: Database, team_id: int, only: Collection[str] = ()) -> tuple[Theme, ...]:
    """The themes of a team that are switched on, as `TeamThemes.active` chooses them."""
    return themes_of(database, team_id).active(only)


def in_order(themes: Iterable[Theme]) -> list[Theme]:
    """Themes, each after the one that it depends on, otherwise in the order given; there must be no cycle."""
    by_id = {theme.theme_id: theme for theme in themes}
    ordered: dict[str, Theme] = {}
    for theme in by_id.values():
        chain = [theme]
        while (
            (first := by_id.get(chain[-1].after or "")) and first.theme_id not in ordered and len(chain) <= len(by_id)
        ):
            chain.append(first)
        ordered |= {each.theme_id: each for each in reversed(chain) if each.theme_id not in ordered}
    return list(ordered.values())


def dependency_problems(themes: Iterable[Theme]) -> dict[str, Problem]:
    """What is wrong with `after`, by theme_id: an unknown theme, one of another level, a cycle."""
    by_id = {theme.theme_id: theme for theme in themes}
    problems = {}
    for theme in by_id.values():
        if theme.after is None:
            continue
        where = f"{theme.theme_id}.after"
        first = by_id.get(theme.after)
        if first is None:
            message = f"there is no theme {theme.after!r}{did_you_mean(theme.after, by_id)}"
        elif first.level != theme.level:
            message = f"{first.theme_id} is about {first.level}s, this theme about {theme.level}s; they cannot follow"
        elif cycle := _cycle(theme, by_id):
            message = f"goes in a circle: {' after '.join(cycle)}; take one of them out"
        else:
            continue
        problems[theme.theme_id] = Problem(where, message)
    return problems


def _cycle(theme: Theme, by_id: Mapping[str, Theme]) -> list[str]:
    """The ids from a theme around to itself; empty where it is on no circle."""
    path, each = [theme.theme_id], theme
    while (first := by_id.get(each.after or "")) and len(path) <= len(by_id):
        path.append(first.theme_id)
        if first.theme_id == theme.theme_id:
            return path
        each = first
    return []


def stored_settings(row: Mapping[str, Any]) -> dict[str, Any]:
    """The stored settings; what is no object of JSON is a field that no theme has, and so is reported."""
    try:
        settings = json.loads(row["settings"] or "{}")
    except json.JSONDecodeError:
        return {"settings": row["settings"]}
    return settings if isinstance(settings, dict) else {"settings": settings}


def _why_off(team: TeamThemes, theme_id: str) -> str:
    if problems := team.problems_of(theme_id):
        return f"theme {theme_id!r} is off because of what is stored: {problems[0]}. {THE_FIX}"
    return f"theme {theme_id!r} is off; `llma themes enable {theme_id} --team {team.team_id}` switches it on"
