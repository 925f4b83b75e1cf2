"""Changing a team's themes by a document, or one by one: stored with who and when, earlier versions stay.

What a document changes is found in `planning.py`. The themes as they are now belong in `store.py`, what they were in
`history.py`, files in `document.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.themes.built_in import SHIPPED
from llma_assets.themes.document import Document
from llma_assets.themes.errors import ThemeError
from llma_assets.themes.planning import Before, Change, Wanted, changes_between, notes_on, stored_form, wanted_by
from llma_assets.themes.queries import NEWEST_CHANGES
from llma_assets.themes.serialization import settings_of
from llma_assets.themes.store import THE_FIX, team_themes
from llma_assets.themes.theme import Theme

MAX_AUTHOR_CHARS = 200


@dataclass(frozen=True, slots=True)
class Changes:
    """What a document changes of a team's themes.

    Attributes:
        team_id: whose.
        changes: nothing where everything is so already.
        notes: what whoever applies it should know.
        stored: whether it was done; False of a dry run, and where there was nothing to do.
        based_on: the newest change of each theme when this was found.
    """

    team_id: int
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    stored: bool = False
    based_on: Mapping[str, str] = field(default_factory=dict)


def apply(
    database: Database,
    team_id: int,
    document: Document,
    author: str,
    *,
    dry_run: bool = False,
    prune: bool = False,
    based_on: Changes | None = None,
    now: datetime | None = None,
) -> Changes:
    """Make the themes that a document names what it says, fields that it leaves out as they ship or the default.

    Applied a second time it changes and stores nothing.

    Args:
        database: where the team's themes are.
        team_id: whose.
        document: what is to be; themes that it does not name stay, unless `prune` is given.
        author: who does it.
        dry_run: store nothing.
        prune: delete own themes that the document does not name; what it does not name of the shipped ones, and of
            the team's base filters, is as it ships.
        based_on: what was shown to whoever agreed; refused if the themes have changed since.
        now: time of the change, that of the clock unless given.

    Raises:
        InvalidThemesError: with everything that is wrong; nothing is stored.
        ThemeError: the themes changed since `based_on`, or there is no author.
    """
    before = _before_of(database, team_id)
    if based_on is not None and dict(based_on.based_on) != dict(before.team.changes):
        raise ThemeError(f"the themes of team {team_id} were changed by somebody else meanwhile; look at them again")
    wanted = wanted_by(before, document, prune=prune)
    found = Changes(
        team_id=team_id,
        changes=tuple(changes_between(before, wanted)),
        notes=tuple(notes_on(before, wanted)),
        based_on=before.team.changes,
    )
    if dry_run or not found.changes:
        return found
    _store(database, before, wanted, found.changes, author, now)
    return replace(found, stored=True)


def set_enabled(
    database: Database, team_id: int, theme_id: str, enabled: bool, author: str, *, now: datetime | None = None
) -> Changes:
    """Switch a theme on or off; its history and what it found stay. Stores nothing where it is so already.

    Raises:
        ThemeError: there is no such theme, what is stored of it is not valid, or there is no author.
    """
    team = _before_of(database, team_id).team
    theme = team.get(theme_id)
    if problems := team.problems_of(theme_id):
        raise ThemeError(f"what is stored of {theme_id!r} is not valid: {problems[0]}. {THE_FIX}")
    settings = settings_of(replace(team.settings_alone(theme), enabled=enabled))
    document = Document(({"theme_id": theme_id, **settings},))
    return apply(database, team_id, document, author, based_on=Changes(team_id, (), based_on=team.changes), now=now)


def delete(database: Database, team_id: int, theme_id: str, author: str, *, now: datetime | None = None) -> Changes:
    """Delete a theme of the team's own; its history and what it found stay.

    Raises:
        ThemeError: there is no such theme, it ships, another depends on it, or there is no author.
    """
    before = _before_of(database, team_id)
    before.team.get(theme_id)
    if theme_id in SHIPPED:
        raise ThemeError(
            f"{theme_id!r} ships with the program and cannot be deleted; "
            f"`llma themes disable {theme_id} --team {team_id}` switches it off"
        )
    if depending := [theme.theme_id for theme in before.team.themes if theme.after == theme_id]:
        raise ThemeError(f"{', '.join(depending)} runs after {theme_id!r}; take its `after` out, or delete it first")
    themes = {theme.theme_id: theme for theme in before.team.themes if theme.theme_id != theme_id}
    wanted = Wanted(before.team.base_filters, themes, (theme_id,))
    changes = tuple(changes_between(before, wanted))
    _store(database, before, wanted, changes, author, now)
    return Changes(team_id, changes, stored=True, based_on=before.team.changes)


def themes_with(database: Database, team_id: int, document: Document) -> dict[str, Theme]:
    """The team's themes as they would be if a document were applied, by id; for looking at one before it is stored.

    Raises:
        InvalidThemesError: the document is not valid.
    """
    wanted = wanted_by(_before_of(database, team_id), document, prune=False)
    return {theme_id: wanted.effective(theme) for theme_id, theme in wanted.themes.items()}


def _before_of(database: Database, team_id: int) -> Before:
    rows = database.rows(NEWEST_CHANGES, team_id=team_id)
    return Before({row["theme_id"]: row for row in rows}, team_themes(team_id, rows))


def _store(
    database: Database,
    before: Before,
    wanted: Wanted,
    changes: Sequence[Change],
    author: str,
    now: datetime | None,
) -> None:
    name = author.strip()[:MAX_AUTHOR_CHARS]
    if not name:
        raise ThemeError("it is not known who changes the themes; say a name")
    # Later than all before, also where clocks differ: the newest row of a theme counts.
    times = [row["changed_at"] + timedelta(microseconds=1) for row in before.rows.values()]
    changed_at = max([now or datetime.now(UTC), *times])
    database.insert_rows(
        "themes",
        [
            {
                "team_id": before.team.team_id,
                "theme_id": each.theme_id,
                "changed_at": changed_at,
                "change_id": uuid4(),
                "action": each.action,
                "author": name,
                "settings": json.dumps(stored_form(before, wanted, each), ensure_ascii=False),
                "version": each.version_after or each.version_before,
            }
            for each in changes
        ],
    )
