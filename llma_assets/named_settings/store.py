"""Named settings of a team: as a file says them, as they are now, changing them by a file, and their history."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.named_settings.kind import Kind
from llma_assets.serialization import Moment
from llma_assets.themes import (
    FieldChange,
    InvalidThemesError,
    Problem,
    did_you_mean,
    differences,
    read_yaml,
    write_yaml,
)

DELETED = "deleted"
Parts = Mapping[str, Mapping[str, Any]]
"""Settings by the field of a file that lists them, then by name."""

# The key of each table of settings: (team_id, item, name, changed_at, change_id).
_NEWEST = """
SELECT team_id, item, name, changed_at, action, settings
FROM __settings__ FINAL
WHERE team_id = {team_id:Int64}
ORDER BY item, name, changed_at DESC, change_id DESC
LIMIT 1 BY item, name
"""

# Of all teams, for schedules: only teams that changed something have rows.
_NEWEST_OF_TEAMS = """
SELECT team_id, item, name, changed_at, action, settings
FROM __settings__ FINAL
ORDER BY team_id, item, name, changed_at DESC, change_id DESC
LIMIT 1 BY team_id, item, name
"""

_ALL_CHANGES = """
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


@dataclass(frozen=True, slots=True)
class NamedSettings:
    """The kinds of settings that one file names and one table stores.

    Attributes:
        table: where they are stored.
        kinds: in the order in which a file lists them.
        most: of each kind in a file.
        noun: what they are together, in messages.
        error: raised with a message.
        invalid: raised with all that is wrong.
        wrong_together: what is wrong although every setting alone is right.
    """

    table: str
    kinds: tuple[Kind[Any], ...]
    most: int
    noun: str
    error: Callable[[str], Exception]
    invalid: Callable[[Sequence[Problem]], Exception]
    wrong_together: Callable[[Parts], Iterable[Problem]]

    def read(self, text: str | bytes) -> dict[str, tuple[Any, ...]]:
        """What a YAML file lists, by part; how they go together is checked when it is applied.

        Raises:
            self.invalid: with everything that is wrong.
        """
        try:
            content = read_yaml(text)
        except InvalidThemesError as error:
            raise self.invalid(error.problems) from None
        parts = [kind.part for kind in self.kinds]
        if not isinstance(content, dict):
            begins = " or ".join(f"`{part}:`" for part in parts)
            raise self.invalid([Problem("", f"the file must be a mapping that begins with {begins}")])
        there_are = f"; there are {', '.join(parts)}"
        problems = [
            Problem(str(name)[:80], f"there is no such field{did_you_mean(name, parts) or there_are}")
            for name in content
            if name not in parts
        ]
        found: dict[str, list[Any]] = {part: [] for part in parts}
        for kind in self.kinds:
            entries = content.get(kind.part) or []
            if not isinstance(entries, list) or len(entries) > self.most:
                problems.append(Problem(kind.part, f"must be a list of at most {self.most}"))
                continue
            for number, entry in enumerate(entries):
                one, wrong = kind.read(entry, f"{kind.part}[{number}]")
                problems += wrong
                found[kind.part].append(one)
            names = [str(entry.get(kind.name)) for entry in entries if isinstance(entry, dict)]
            twice = sorted({name for name in names if names.count(name) > 1})
            problems += [Problem(kind.part, f"{name[:80]!r} is given twice") for name in twice]
        if problems:
            raise self.invalid(problems)
        return {part: tuple(each) for part, each in found.items()}

    def values(self, document: object) -> dict[str, tuple[dict[str, Any], ...]]:
        """The plain values of an object that has a field for each part, by part."""
        return {kind.part: tuple(kind.settings_of(each) for each in _of(document, kind)) for kind in self.kinds}

    def write(self, document: object) -> str:
        """The same as YAML, which `read` gives back."""
        return write_yaml({part: list(each) for part, each in self.values(document).items()})

    def of_team(self, database: Database, team_id: int) -> Stored:
        """The settings of a team, by one query."""
        return self._stored(team_id, database.rows(self._sql(_NEWEST), team_id=team_id))

    def of_teams(self, database: Database) -> Iterator[Stored]:
        """The settings of every team that changed one, by one query."""
        rows = database.rows(self._sql(_NEWEST_OF_TEAMS))
        for team_id, of_team in groupby(rows, key=lambda row: row["team_id"]):
            yield self._stored(team_id, of_team)

    def apply(
        self,
        database: Database,
        team_id: int,
        document: object,
        author: str,
        *,
        dry_run: bool = False,
        prune: bool = False,
        now: datetime | None = None,
    ) -> list[SettingChange]:
        """Make the settings that a document names what it says; applied a second time it stores nothing.

        Args:
            document: has a field for each part.
            prune: delete what the document does not name, and reset what ships.

        Raises:
            self.invalid: settings do not go together; nothing is stored.
            self.error: there is no author.
        """
        before = self.of_team(database, team_id)
        after: dict[str, dict[str, Any]] = {
            kind.part: {
                **(kind.ships if prune else before.parts[kind.part]),
                **{getattr(each, kind.name): each for each in _of(document, kind)},
            }
            for kind in self.kinds
        }
        if wrong := list(self.wrong_together(after)):
            raise self.invalid(wrong)
        changes = [
            change for kind in self.kinds for change in _changes(kind, before.parts[kind.part], after[kind.part])
        ]
        if dry_run or not changes:
            return changes
        name = author.strip()[:200]
        if not name:
            raise self.error(f"it is not known who changes the {self.noun}; say a name by --by or LLMA_USER")
        # Later than all before, also where clocks differ: the newest row of a name counts.
        at = now or datetime.now(UTC)
        if before.newest:
            at = max(at, before.newest + timedelta(microseconds=1))
        database.insert_rows(
            self.table,
            [
                {
                    "team_id": team_id,
                    "item": each.item,
                    "name": each.name,
                    "changed_at": at,
                    "change_id": uuid4(),
                    "action": each.action,
                    "author": name,
                    **self._row(each, after),
                }
                for each in changes
            ],
        )
        return [replace(each, changed_at=at, author=name) for each in changes]

    def past_changes(self, database: Database, team_id: int, name: str = "") -> list[SettingChange]:
        """All changes of a team's settings, or of those of one name, oldest first."""
        settings: dict[tuple[str, str], Mapping[str, Any]] = {}
        found = []
        kinds = {kind.name: kind for kind in self.kinds}
        for row in database.rows(self._sql(_ALL_CHANGES), team_id=team_id):
            key = (row["item"], row["name"])
            before = settings.get(key) or kinds[row["item"]].shipped_settings(row["name"])
            settings[key] = after = _settings(row)
            if name in ("", row["name"]):
                fields = () if row["action"] == DELETED else differences(before, after)
                found.append(SettingChange(*key, row["action"], row["changed_at"], row["author"], fields))
        return found

    def _row(self, change: SettingChange, after: Parts) -> dict[str, str]:
        if change.action == DELETED:
            return {"settings": "{}", "version": ""}
        kind = next(each for each in self.kinds if each.name == change.item)
        item = after[kind.part][change.name]
        return {"settings": json.dumps(kind.settings_of(item), ensure_ascii=False), "version": item.version}

    def _stored(self, team_id: int, rows: Iterable[Mapping[str, Any]]) -> Stored:
        parts = {kind.part: dict(kind.ships) for kind in self.kinds}
        kinds = {kind.name: kind for kind in self.kinds}
        problems: list[Problem] = []
        newest = None
        for row in rows:
            newest = max(newest or row["changed_at"], row["changed_at"])
            if row["action"] == DELETED:
                continue
            kind = kinds[row["item"]]
            one, wrong = kind.read(_settings(row), f"{row['item']} {row['name']}")
            if one and not wrong:
                parts[kind.part][getattr(one, kind.name)] = one
            problems += wrong
        return Stored(team_id, parts, tuple(problems), newest)

    def _sql(self, statement: str) -> str:
        return statement.replace("__settings__", self.table)


def _of(document: object, kind: Kind[Any]) -> Sequence[Any]:
    found: Sequence[Any] = getattr(document, kind.part)
    return found


def _settings(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        settings = json.loads(row["settings"] or "{}")
    except json.JSONDecodeError:
        return {"settings": row["settings"]}
    return settings if isinstance(settings, dict) else {"settings": settings}


def _changes(kind: Kind[Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SettingChange]:
    for name in dict.fromkeys((*before, *after)):
        old = kind.settings_of(before[name]) if name in before else {}
        new = kind.settings_of(after[name]) if name in after else {}
        if fields := differences(old, new):
            action = DELETED if not new else "changed" if old else "created"
            # Of what is new, only what it says.
            said = tuple(each for each in fields if old or each.after not in (None, "", []))
            yield SettingChange(kind.name, name, action, None, "", said if new else ())
