"""Named settings of a team: as a file says them, as they are now, changing them by a file, and their history."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.named_settings.kind import Kind
from llma_assets.named_settings.stored import (
    ALL_CHANGES,
    DELETED,
    NEWEST,
    NEWEST_OF_TEAMS,
    Parts,
    SettingChange,
    Stored,
    changes_of,
    settings_in,
    with_one,
)
from llma_assets.themes import (
    InvalidThemesError,
    Problem,
    did_you_mean,
    differences,
    read_yaml,
    write_yaml,
)


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
        return self._stored(team_id, database.rows(self._sql(NEWEST), team_id=team_id))

    def of_teams(self, database: Database) -> Iterator[Stored]:
        """The settings of every team that changed one, by one query."""
        rows = database.rows(self._sql(NEWEST_OF_TEAMS))
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
        seen: str | None = None,
        now: datetime | None = None,
    ) -> list[SettingChange]:
        """Make the settings that a document names what it says; applied a second time it stores nothing.

        Args:
            document: has a field for each part.
            prune: delete what the document does not name, and reset what ships.
            seen: the revision that the author has seen; None for whichever there is.

        Raises:
            self.invalid: settings do not go together; nothing is stored.
            self.error: there is no author, or somebody changed the settings since.
        """
        with nullcontext() if dry_run else self._alone(database):
            before = self.of_team(database, team_id)
            after: dict[str, dict[str, Any]] = {
                kind.part: {
                    **(kind.ships if prune else before.parts[kind.part]),
                    **{getattr(each, kind.name): each for each in _of(document, kind)},
                }
                for kind in self.kinds
            }
            return self._store(database, before, after, author, seen=seen, dry_run=dry_run, now=now)

    def switch(
        self, database: Database, team_id: int, item: str, name: str, author: str, *, on: bool, now: datetime
    ) -> None:
        """Switch a setting on or off.

        Raises:
            self.error: there is none of this name, or no author.
        """
        kind = self._kind(item)
        with self._alone(database):
            before = self.of_team(database, team_id)
            there_are = before.parts[kind.part]
            if name not in there_are:
                raise self.error(f"team {team_id} has no {item} {name[:80]!r}{did_you_mean(name, there_are)}")
            switched = replace(there_are[name], enabled=on)
            self._store(database, before, with_one(before.parts, kind, name, switched), author, now=now)

    def undo(
        self, database: Database, team_id: int, change: tuple[str, str, str], author: str, *, seen: str, now: datetime
    ) -> None:
        """Make a setting what it was before one of its changes; one that the change made is deleted or reset.

        Args:
            change: kind, name and time of the change, as its history says them.

        Raises:
            self.invalid: what it was does not go together with the others any longer.
            self.error: there is no such change, no author, or somebody changed the settings since.
        """
        item, name, at = change
        kind = self._kind(item)
        with self._alone(database):
            before = self.of_team(database, team_id)
            was = self._before(database, team_id, kind, name, at)
            self._store(database, before, with_one(before.parts, kind, name, was), author, seen=seen, now=now)

    def _alone(self, database: Database) -> AbstractContextManager[bool]:
        """One change at a time, of whichever team: what is there is read, compared, then written."""
        return database.exclusive(self.table)

    def _before(self, database: Database, team_id: int, kind: Kind[Any], name: str, at: str) -> Any:
        """What a setting was before its change at a time; None where there was none."""
        rows = [
            row
            for row in database.rows(self._sql(ALL_CHANGES), team_id=team_id)
            if (row["item"], row["name"]) == (kind.name, name)
        ]
        times = [row["changed_at"].isoformat() for row in rows]
        if at not in times:
            raise self.error(f"team {team_id} has no change of the {kind.name} {name[:80]!r} at {at[:40]!r}")
        if not (earlier := rows[: times.index(at)]):
            return kind.ships.get(name)
        if earlier[-1]["action"] == DELETED:
            return None
        was, wrong = kind.read(settings_in(earlier[-1]), f"{kind.name} {name}")
        if wrong:
            raise self.invalid(wrong)
        return was

    def _store(
        self,
        database: Database,
        before: Stored,
        after: Parts,
        author: str,
        *,
        seen: str | None = None,
        dry_run: bool = False,
        now: datetime | None = None,
    ) -> list[SettingChange]:
        if wrong := list(self.wrong_together(after)):
            raise self.invalid(wrong)
        changes = [
            change for kind in self.kinds for change in changes_of(kind, before.parts[kind.part], after[kind.part])
        ]
        if changes and seen not in (None, before.revision):
            raise self.error(f"somebody changed the {self.noun} of team {before.team_id} since; look at them again")
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
                    "team_id": before.team_id,
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
        for row in database.rows(self._sql(ALL_CHANGES), team_id=team_id):
            key = (row["item"], row["name"])
            before = settings.get(key) or kinds[row["item"]].shipped_settings(row["name"])
            settings[key] = after = settings_in(row)
            if name in ("", row["name"]):
                fields = () if row["action"] == DELETED else differences(before, after)
                found.append(SettingChange(*key, row["action"], row["changed_at"], row["author"], fields))
        return found

    def _row(self, change: SettingChange, after: Parts) -> dict[str, str]:
        if change.action == DELETED:
            return {"settings": "{}", "version": ""}
        kind = self._kind(change.item)
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
            one, wrong = kind.read(settings_in(row), f"{row['item']} {row['name']}")
            if one and not wrong:
                parts[kind.part][getattr(one, kind.name)] = one
            problems += wrong
        return Stored(team_id, parts, tuple(problems), newest)

    def _kind(self, item: str) -> Kind[Any]:
        for kind in self.kinds:
            if kind.name == item:
                return kind
        raise self.error(f"{item[:80]!r} is not one of {', '.join(kind.name for kind in self.kinds)}")

    def _sql(self, statement: str) -> str:
        return statement.replace("__settings__", self.table)


def _of(document: object, kind: Kind[Any]) -> Sequence[Any]:
    found: Sequence[Any] = getattr(document, kind.part)
    return found
