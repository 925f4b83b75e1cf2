"""What became of a team's themes over time: who changed what, and when. Nothing is ever removed from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.themes.differences import FieldChange, differences
from llma_assets.themes.queries import ALL_CHANGES
from llma_assets.themes.serialization import with_defaults
from llma_assets.themes.store import DELETED, TeamThemes, stored_settings, team_themes


@dataclass(frozen=True, slots=True)
class PastChange:
    """One stored change of a theme, or under the theme_id "" of the team's base filters.

    Attributes:
        action: `created`, `changed`, `enabled`, `disabled`, `deleted`, `reset`.
        fields: what differed from before; nothing for a deleted theme.
        version: of the theme after the change, the last one of a deleted theme.
    """

    theme_id: str
    changed_at: datetime
    author: str
    action: str
    fields: tuple[FieldChange, ...]
    version: str


def themes_at(database: Database, team_id: int, at: datetime) -> TeamThemes:
    """A team's themes as they were at some time; of what ships, as it ships now."""
    rows = database.rows(ALL_CHANGES, team_id=team_id, theme_id="")
    newest = {row["theme_id"]: row for row in rows if row["changed_at"] <= at}
    return team_themes(team_id, newest.values())


def past_changes(database: Database, team_id: int, theme_id: str = "") -> list[PastChange]:
    """All changes of a team's themes, or of one of them, oldest first; also what is no longer valid."""
    settings: dict[str, Mapping[str, Any]] = {}
    found = []
    for row in database.rows(ALL_CHANGES, team_id=team_id, theme_id=theme_id):
        name = row["theme_id"]
        is_gone = row["action"] == DELETED
        after = with_defaults(name, stored_settings(row))
        before = settings.get(name) or with_defaults(name, {})
        settings[name] = with_defaults(name, {}) if is_gone else after
        fields = () if is_gone else differences(before, after)
        found.append(PastChange(name, row["changed_at"], row["author"], row["action"], fields, row["version"]))
    return found
