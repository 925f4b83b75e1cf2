"""Forms of named settings: the file of a team's, checked and saved; one switched on or off; a change taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from llma_assets.named_settings import NamedSettings, SettingChange
from llma_assets.web.access import Visitor
from llma_assets.web.site import Site

SHOWN_CHANGES = 20


@dataclass(frozen=True, slots=True)
class SettingFile:
    """What a page shows of named settings.

    Attributes:
        file: the text of the form.
        changes: what saving it makes; None where it was not checked.
        history: the last changes, the newest first.
        seen: the revision of what is shown.
    """

    file: str
    changes: list[SettingChange] | None
    history: list[SettingChange]
    seen: str


def setting_file(
    site: Site,
    team_id: int,
    settings: NamedSettings,
    text: str | None,
    changes: list[SettingChange] | None,
    seen: str | None,
) -> SettingFile:
    """What a page shows of the settings of a team.

    Args:
        text: of the form that was sent; None for what is stored.
        seen: the revision that whoever sent it has seen: that of a text stays the one it was made from.
    """
    stored = settings.of_team(site.database, team_id)
    return SettingFile(
        settings.write(SimpleNamespace(**{part: tuple(each.values()) for part, each in stored.parts.items()}))
        if text is None
        else text,
        changes,
        settings.past_changes(site.database, team_id)[::-1][:SHOWN_CHANGES],
        stored.revision if text is None or seen is None else seen,
    )


def change_by_form(
    site: Site,
    visitor: Visitor,
    team_id: int,
    settings: NamedSettings,
    read: Callable[[str], object],
    fields: Mapping[str, str],
) -> list[SettingChange] | None:
    """Do what a form says: `on` or `off`, `undo`, or `save` the file; returns None where that is done.

    Everything else checks the file; returned are the changes that saving it makes.

    Raises:
        settings.error: it cannot be done.
    """
    action, now, database, seen = fields.get("action", ""), site.clock(), site.database, fields.get("seen")
    item, name = fields.get("item", "rule"), fields.get("name", "")
    if action in ("on", "off"):
        settings.switch(database, team_id, item, name, visitor.name, on=action == "on", now=now)
        return None
    if action == "undo":
        change = (item, name, fields.get("before", ""))
        settings.undo(database, team_id, change, visitor.name, seen=seen or "", now=now)
        return None
    document: Any = read(fields.get("file", ""))
    is_stored = action == "save"
    changes = settings.apply(
        database, team_id, document, visitor.name, dry_run=not is_stored, prune=True, seen=seen, now=now
    )
    return None if is_stored else changes
