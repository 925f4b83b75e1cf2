"""What is stored of named settings: its statements and rows, and what differs between two states."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llma_assets.named_settings.kind import Kind
from llma_assets.serialization import Moment
from llma_assets.themes import FieldChange, Problem, differences

DELETED = "deleted"
Parts = Mapping[str, Mapping[str, Any]]
"""Settings by the field of a file that lists them, then by name."""

# The key of each table of settings: (team_id, item, name, changed_at, change_id).
NEWEST = """
SELECT team_id, item, name, changed_at, action, settings
FROM __settings__ FINAL
WHERE team_id = {team_id:Int64}
ORDER BY item, name, changed_at DESC, change_id DESC
LIMIT 1 BY item, name
"""

# Of all teams, for schedules: only teams that changed something have rows.
NEWEST_OF_TEAMS = """
SELECT team_id, item, name, changed_at, action, settings
FROM __settings__ FINAL
ORDER BY team_id, item, name, changed_at DESC, change_id DESC
LIMIT 1 BY team_id, item, name
"""

ALL_CHANGES = """
SELECT item, name, changed_at, action, author, settings
FROM __settings__ FINAL
WHERE team_id = {team_id:Int64}
ORDER BY changed_at, item, name, change_id
"""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """What changes, or changed, of a setting.

    Attributes:
        item: which kind it is.
        action: `created`, `changed` or `deleted`.
        changed_at, author: None and "" of what is not stored yet.
        fields: those that differ.
    """

    item: str
    name: str
    action: str
    changed_at: Moment | None
    author: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """The settings of a team.

    Attributes:
        parts: what can be used, with what ships.
        problems: what is stored but cannot be used any longer; such a setting is left out.
        newest: time of the last change, None without any.
    """

    team_id: int
    parts: Parts
    problems: tuple[Problem, ...]
    newest: datetime | None

    @property
    def revision(self) -> str:
        """What changes with every change."""
        return self.newest.isoformat() if self.newest else ""


def settings_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values that a row stores."""
    try:
        settings = json.loads(row["settings"] or "{}")
    except json.JSONDecodeError:
        return {"settings": row["settings"]}
    return settings if isinstance(settings, dict) else {"settings": settings}


def changes_of(kind: Kind[Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SettingChange]:
    """What differs between the settings of a kind by name, none of it stored yet."""
    for name in dict.fromkeys((*before, *after)):
        old = kind.settings_of(before[name]) if name in before else {}
        new = kind.settings_of(after[name]) if name in after else {}
        if fields := differences(old, new):
            action = DELETED if not new else "changed" if old else "created"
            # Of what is new, only what it says.
            said = tuple(each for each in fields if old or each.after not in (None, "", []))
            yield SettingChange(kind.name, name, action, None, "", said if new else ())


def with_one(parts: Parts, kind: Kind[Any], name: str, item: Any) -> Parts:
    """The same settings with one of a name, or without it for None."""
    changed = {key: each for key, each in parts[kind.part].items() if key != name}
    return {**parts, kind.part: changed if item is None else {**changed, name: item}}
