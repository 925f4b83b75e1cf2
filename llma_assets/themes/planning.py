"""What changes when a document is applied: found and checked here, without a database; stored in `changes.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llma_assets.themes.built_in import SHIPPED, base_of
from llma_assets.themes.differences import FieldChange, canonical, differences
from llma_assets.themes.document import Document
from llma_assets.themes.errors import InvalidThemesError, Problem, did_you_mean
from llma_assets.themes.filter import Filter
from llma_assets.themes.filter_checks import FilterError, check_filters
from llma_assets.themes.serialization import settings_of, settings_of_filters, with_defaults
from llma_assets.themes.store import DELETED, TEAM_SETTINGS, TeamThemes, dependency_problems, stored_settings
from llma_assets.themes.theme import Theme
from llma_assets.themes.validation import base_filters_from, problems_of_id, theme_from


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one theme, or under the theme_id "" to what holds for all themes of the team.

    Attributes:
        theme_id: of the theme.
        action: `created`, `changed`, `enabled`, `disabled`, `deleted`, or `reset` to what ships.
        fields: what differs; of a created theme what is not the default.
        version_before, version_after: of what is asked and of which items, "" where there is no theme.
    """

    theme_id: str
    action: str
    fields: tuple[FieldChange, ...]
    version_before: str = ""
    version_after: str = ""


@dataclass(frozen=True, slots=True)
class Before:
    """What is stored: newest rows by theme_id, and the themes that follow from them."""

    rows: Mapping[str, Mapping[str, Any]]
    team: TeamThemes

    def settings(self, theme_id: str) -> dict[str, Any] | None:
        """All settings of a theme as they are now, valid or not; None where there is no such theme."""
        row = self.rows.get(theme_id)
        is_stored = row is not None and row["action"] != DELETED
        if theme_id == TEAM_SETTINGS or is_stored or theme_id in SHIPPED:
            return with_defaults(theme_id, stored_settings(row) if row and is_stored else {})
        return None

    def version(self, theme_id: str) -> str:
        """Of what the theme asks now, "" where there is no such theme."""
        return next((theme.version for theme in self.team.themes if theme.theme_id == theme_id), "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be: base filters of the team, and all themes without them. Only `touched` is compared and stored."""

    base_filters: tuple[Filter, ...]
    themes: Mapping[str, Theme]
    touched: tuple[str, ...]

    def effective(self, theme: Theme) -> Theme:
        return replace(theme, base_filters=self.base_filters + theme.base_filters)


def wanted_by(before: Before, document: Document, *, prune: bool) -> Wanted:
    """What a document makes of a team's themes; InvalidThemesError names everything that is wrong with it."""
    team = before.team
    problems: list[Problem] = []
    base_filters = team.base_filters
    touched: list[str] = []
    if document.base_filters is not None or prune:
        base_filters, problems = base_filters_from(
            {} if document.base_filters is None else {"base_filters": document.base_filters}
        )
        touched.append(TEAM_SETTINGS)
    themes = {theme.theme_id: team.settings_alone(theme) for theme in team.themes}
    if prune:
        touched += themes
        themes = dict(SHIPPED)
    places: dict[str, str] = {}
    for number, settings in enumerate(document.themes):
        where = f"themes[{number}]"
        theme, found = _entry(settings, where)
        if theme is not None and theme.theme_id in places:
            found.append(Problem(f"{where}.theme_id", f"{theme.theme_id!r} is {places[theme.theme_id]}, too; keep one"))
        problems += found
        if theme is None:
            continue
        problems += _level_problems(before, theme, where)
        places.setdefault(theme.theme_id, where)
        themes[theme.theme_id] = theme
    wanted = Wanted(base_filters, themes, tuple(dict.fromkeys((*touched, *places))))
    problems += _together(before, wanted, places)
    if problems:
        raise InvalidThemesError(problems)
    return wanted


def _entry(settings: object, where: str) -> tuple[Theme | None, list[Problem]]:
    if not isinstance(settings, Mapping):
        return None, [Problem(where, "must be a mapping of fields that begins with `theme_id:`")]
    if "theme_id" not in settings:
        hint = did_you_mean(settings.get("name", ""), SHIPPED)
        return None, [Problem(f"{where}.theme_id", f"is missing; it names the theme{hint}")]
    theme_id = settings["theme_id"]
    if problems := problems_of_id(theme_id, f"{where}.theme_id"):
        return None, problems
    rest = {name: value for name, value in settings.items() if name != "theme_id"}
    return theme_from(theme_id, rest, where)


def _level_problems(before: Before, theme: Theme, where: str) -> list[Problem]:
    """Clusters of traces and of generations cannot stand under one theme, so a name stays with its level."""
    row = before.rows.get(theme.theme_id)
    known = stored_settings(row).get("level") if row and theme.theme_id not in SHIPPED else None
    if known in (None, theme.level):
        return []
    message = f"{theme.theme_id!r} has been about {known}s so far; take another theme_id for one about {theme.level}s"
    return [Problem(f"{where}.level", message)]


def _together(before: Before, wanted: Wanted, places: Mapping[str, str]) -> list[Problem]:
    """What is wrong only because of other themes or of the team's filters, and was not so before."""
    known = dependency_problems(before.team.themes)
    problems = [
        Problem(f"{places.get(theme_id, theme_id)}.after", problem.message)
        for theme_id, problem in dependency_problems(wanted.themes.values()).items()
        if theme_id in places or theme_id not in known
    ]
    for theme_id, theme in wanted.themes.items():
        if theme_id not in places and wanted.base_filters == before.team.base_filters:
            continue
        try:
            check_filters(wanted.effective(theme).filters)
        except FilterError as error:
            if not error.field:  # each filter was checked where it stands
                problems.append(
                    Problem(places.get(theme_id, theme_id), f"with the team's base filters: {error.problem}")
                )
    return problems


def changes_between(before: Before, wanted: Wanted) -> list[Change]:
    """What has to be stored: nothing of a theme that is so already."""
    found = []
    for theme_id in wanted.touched:
        old, new = before.settings(theme_id), _settings(wanted, theme_id)
        theme = wanted.themes.get(theme_id)
        if old is None and theme is not None and new is not None:
            action, changed = "created", differences(settings_of(replace(base_of(""), level=theme.level)), new)
        elif old is not None and new is None:
            action, changed = DELETED, ()
        elif old is not None and new is not None and canonical(old) != canonical(new):
            changed = differences(old, new)
            action = _action(changed, theme)
        else:
            continue
        version_after = wanted.effective(theme).version if theme else ""
        found.append(Change(theme_id, action, changed, before.version(theme_id), version_after))
    return found


def _settings(wanted: Wanted, theme_id: str) -> dict[str, Any] | None:
    if theme_id == TEAM_SETTINGS:
        return {"base_filters": settings_of_filters(wanted.base_filters)}
    theme = wanted.themes.get(theme_id)
    return settings_of(theme) if theme else None


def _action(changed: Sequence[FieldChange], theme: Theme | None) -> str:
    if theme is not None and [each.field for each in changed] == ["enabled"]:
        return "enabled" if theme.enabled else "disabled"
    if theme is not None and theme == SHIPPED.get(theme.theme_id):
        return "reset"
    return "changed"


def notes_on(before: Before, wanted: Wanted) -> list[str]:
    """What whoever applies it should know: what begins anew, what now costs money, what will find nothing."""
    notes = []
    old = {theme.theme_id: theme for theme in before.team.themes}
    for theme_id, theme in wanted.themes.items():
        version = wanted.effective(theme).version
        was = old.get(theme_id)
        look = f"`llma themes preview --team {before.team.team_id} --theme {theme_id}` shows what that costs"
        if was is None or not theme.enabled:
            continue
        if version != was.version:
            notes.append(f"{theme_id} asks something else now ({was.version} → {version}): clusters begin anew; {look}")
        elif not was.enabled and theme_id in wanted.touched:
            notes.append(f"{theme_id} is switched on; {look}")
        first = wanted.themes.get(theme.after or "")
        if first is not None and not first.enabled:
            notes.append(f"{theme_id} runs after {first.theme_id}, which is off; it will find nothing new")
    return notes


def stored_form(before: Before, wanted: Wanted, change: Change) -> dict[str, Any] | None:
    """What a row holds: of shipped themes what differs, so that they follow the program; of a deleted one the last."""
    if change.action == DELETED:
        return before.settings(change.theme_id)
    theme = wanted.themes.get(change.theme_id)
    if theme is not None and theme.theme_id in SHIPPED:
        return settings_of(theme, SHIPPED[theme.theme_id])
    return _settings(wanted, change.theme_id)
