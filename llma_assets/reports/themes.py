"""Reports of a team's themes with their settings and last runs. The settings belong in `llma_assets.themes`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from llma_assets.serialization import Day, Moment, TeamId
from llma_assets.themes import (
    Changes,
    FieldChange,
    PastChange,
    Problem,
    TeamThemes,
    Theme,
    settings_of,
    settings_of_filters,
)


def _flat(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The objects of some keys in the place of these keys."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        flat |= value if key in keys else {key: value}
    return flat


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last clustering of a theme."""

    day: Day
    committed_at: Moment
    items: int
    clusters: int


@dataclass(frozen=True, slots=True)
class ThemeSettings:
    """A theme: its settings by their names in a file, beside the other keys.

    Attributes:
        version: of what is asked and of which items.
        last_run: None if there is none.
    """

    theme_id: str
    version: str
    settings: dict[str, Any]
    last_run: LastRun | None

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _flat(serialized(self), "settings")


@dataclass(frozen=True, slots=True)
class ThemesReport:
    """All themes of a team, also those that are off; `problems` are stored settings that are invalid."""

    team_id: TeamId
    base_filters: list[dict[str, Any]]
    themes: tuple[ThemeSettings, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ThemeReport:
    """One theme of a team, whose keys stand beside the others."""

    team_id: TeamId
    theme: ThemeSettings
    problems: tuple[Problem, ...]

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _flat(serialized(self), "theme")


def themes_report(team: TeamThemes, last_runs: Mapping[str, Mapping[str, Any]]) -> ThemesReport:
    """All themes of a team.

    Args:
        last_runs: by theme_id, as `llma_assets.clusters.last_runs` reads them.
    """
    return ThemesReport(
        team_id=team.team_id,
        base_filters=settings_of_filters(team.base_filters),
        themes=tuple(_settings(theme, last_runs.get(theme.theme_id)) for theme in team.themes),
        problems=tuple(team.problems),
    )


def theme_report(team: TeamThemes, theme_id: str, last_run: Mapping[str, Any] | None) -> ThemeReport:
    """One theme of a team; see `themes_report`."""
    return ThemeReport(team.team_id, _settings(team.get(theme_id), last_run), tuple(team.problems_of(theme_id)))


def _settings(theme: Theme, run: Mapping[str, Any] | None) -> ThemeSettings:
    last_run = run and LastRun(run["last_day"], run["last_committed_at"], run["clustered_items"], run["cluster_count"])
    return ThemeSettings(theme.theme_id, theme.version, settings_of(theme), last_run or None)


@dataclass(frozen=True, slots=True)
class ThemeChange:
    """What happens to one theme, or under the theme_id "" to what holds for all themes of the team."""

    theme_id: str
    action: str
    version_before: str | None
    version_after: str | None
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ThemeChanges:
    """What a document changes of a team's themes; see `llma_assets.themes.Changes`."""

    team_id: TeamId
    stored: bool
    changes: tuple[ThemeChange, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppliedChanges:
    """Changes by a file, whose keys stand beside `dry_run`."""

    dry_run: bool
    changes: ThemeChanges

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _flat(serialized(self), "changes")


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One change in the history of a team's themes."""

    theme_id: str
    changed_at: Moment
    by: str
    action: str
    version: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ThemeHistory:
    """Who changed what of a team's themes, oldest first."""

    team_id: TeamId
    changes: tuple[StoredChange, ...]


def changes_report(found: Changes) -> ThemeChanges:
    """What a document changes, or has changed."""
    return ThemeChanges(
        team_id=found.team_id,
        stored=found.stored,
        changes=tuple(
            ThemeChange(
                each.theme_id, each.action, each.version_before or None, each.version_after or None, each.fields
            )
            for each in found.changes
        ),
        notes=tuple(found.notes),
    )


def history_report(team_id: int, found: Iterable[PastChange]) -> ThemeHistory:
    """The history of a team's themes, or of one of them."""
    return ThemeHistory(
        team_id,
        tuple(
            StoredChange(each.theme_id, each.changed_at, each.author, each.action, each.version, each.fields)
            for each in found
        ),
    )


@dataclass(frozen=True, slots=True)
class ThemeExamples:
    """The text of example files, by name."""

    examples: dict[str, str]


@dataclass(frozen=True, slots=True)
class ExportedThemes:
    """Themes as a file holds them; `base_filters` is no key where the file leaves them out."""

    team_id: TeamId
    base_filters: list[Any] | None
    themes: tuple[dict[str, Any], ...]

    @model_serializer(mode="wrap")
    def _without_filters(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = serialized(self)
        if self.base_filters is None:
            del document["base_filters"]
        return document
