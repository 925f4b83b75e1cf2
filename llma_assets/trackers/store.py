"""A team's trackers and rules: as they are now, changing them by a document, and their history."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Literal
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.themes import FieldChange, Problem, did_you_mean, differences
from llma_assets.trackers.document import Document, rule_from, tracker_from
from llma_assets.trackers.errors import InvalidTrackersError, TrackerError
from llma_assets.trackers.queries import ALL_CHANGES, NEWEST, NEWEST_OF_TEAMS
from llma_assets.trackers.setting import Tracker, TrackerRule, settings_of, version_of

Item = Literal["tracker", "rule"]
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class TeamTrackers:
    """The trackers and rules of a team.

    Attributes:
        team_id: whose.
        trackers, rules: by name; also those that are switched off.
        problems: what is stored but cannot be used any longer; such a one is left out.
        newest: time of the last change, None without any.
    """

    team_id: int
    trackers: Mapping[str, Tracker]
    rules: Mapping[str, TrackerRule]
    problems: tuple[Problem, ...] = ()
    newest: datetime | None = None

    @property
    def enabled(self) -> list[Tracker]:
        """The trackers that are asked."""
        return [each for each in self.trackers.values() if each.enabled]

    def tracker(self, name: str) -> Tracker:
        """The tracker of a name; of "" the only one that is on.

        Raises:
            TrackerError: there is none, or it is not clear which; the message says which there are.
        """
        if not name and len(self.enabled) == 1:
            return self.enabled[0]
        if name in self.trackers:
            return self.trackers[name]
        if not self.trackers:
            way = f"`llma trackers apply FILE --team {self.team_id}` adds one"
            raise TrackerError(f"team {self.team_id} has no tracker; {way}")
        if not name:
            raise TrackerError(f"name a tracker; team {self.team_id} has {', '.join(sorted(self.trackers))}")
        hint = did_you_mean(name, self.trackers) or f"; there are {', '.join(sorted(self.trackers))}"
        raise TrackerError(f"team {self.team_id} has no tracker {name[:80]!r}{hint}")


@dataclass(frozen=True, slots=True)
class SettingChange:
    """What changes, or changed, of a tracker or a rule.

    Attributes:
        action: `created`, `changed` or `deleted`.
        fields: those that differ.
        changed_at, author: None and "" of what is not stored yet.
    """

    item: Item
    name: str
    action: str
    fields: tuple[FieldChange, ...]
    changed_at: datetime | None = None
    author: str = ""


def trackers_of(database: Database, team_id: int) -> TeamTrackers:
    """The trackers and rules of a team, by one query."""
    return _team(team_id, database.rows(NEWEST, team_id=team_id))


def teams_with_trackers(database: Database) -> dict[int, TeamTrackers]:
    """Teams with a tracker that is switched on, by one query."""
    rows = database.rows(NEWEST_OF_TEAMS)
    found = {team_id: _team(team_id, of_team) for team_id, of_team in groupby(rows, key=lambda row: row["team_id"])}
    return {team_id: each for team_id, each in found.items() if each.enabled}


def apply(
    database: Database,
    team_id: int,
    document: Document,
    author: str,
    *,
    dry_run: bool = False,
    prune: bool = False,
    now: datetime | None = None,
) -> list[SettingChange]:
    """Make the trackers and rules that a document names what it says; applied a second time it stores nothing.

    Args:
        prune: delete trackers and rules that the document does not name. Links stay.

    Raises:
        InvalidTrackersError: a rule names a tracker that there is not; nothing is stored.
        TrackerError: there is no author.
    """
    before = trackers_of(database, team_id)
    rules = {**({} if prune else before.rules), **{each.rule: each for each in document.rules}}
    trackers = {**({} if prune else before.trackers), **{each.tracker: each for each in document.trackers}}
    if wrong := [
        Problem(
            f"rule {rule.rule}.tracker", f"there is no tracker {rule.tracker!r}{did_you_mean(rule.tracker, trackers)}"
        )
        for rule in rules.values()
        if rule.tracker not in trackers
    ]:
        raise InvalidTrackersError(wrong)
    changes = [*_changes("tracker", before.trackers, trackers), *_changes("rule", before.rules, rules)]
    if dry_run or not changes:
        return changes
    name = author.strip()[:200]
    if not name:
        raise TrackerError("it is not known who changes the trackers; say a name by --by or LLMA_USER")
    # Later than all before, also where clocks differ: the newest row of a name counts.
    at = now or datetime.now(UTC)
    if before.newest:
        at = max(at, before.newest + timedelta(microseconds=1))
    after: Mapping[str, Mapping[str, Any]] = {"rule": rules, "tracker": trackers}
    database.insert_rows(
        "tracker_settings",
        [
            {
                "team_id": team_id,
                "item": each.item,
                "name": each.name,
                "changed_at": at,
                "change_id": uuid4(),
                "action": each.action,
                "author": name,
                "settings": "{}"
                if each.action == DELETED
                else json.dumps(settings_of(after[each.item][each.name]), ensure_ascii=False),
                "version": "" if each.action == DELETED else version_of(after[each.item][each.name]),
            }
            for each in changes
        ],
    )
    return [replace(each, changed_at=at, author=name) for each in changes]


def past_changes(database: Database, team_id: int, name: str = "") -> list[SettingChange]:
    """All changes of a team's trackers and rules, or of those of one name, oldest first."""
    settings: dict[tuple[str, str], Mapping[str, Any]] = {}
    found = []
    for row in database.rows(ALL_CHANGES, team_id=team_id):
        key = (row["item"], row["name"])
        before, after = settings.get(key, {}), _stored(row)
        settings[key] = after
        if name in ("", row["name"]):
            fields = () if row["action"] == DELETED else differences(before, after)
            found.append(SettingChange(*key, row["action"], tuple(fields), row["changed_at"], row["author"]))
    return found


def _team(team_id: int, rows: Iterable[Mapping[str, Any]]) -> TeamTrackers:
    rules: dict[str, TrackerRule] = {}
    trackers: dict[str, Tracker] = {}
    problems: list[Problem] = []
    times = []
    for row in rows:
        times += [row["changed_at"]] if "changed_at" in row else []
        if row["action"] == DELETED:
            continue
        settings, where = _stored(row), f"{row['item']} {row['name']}"
        if row["item"] == "rule":
            rule, wrong = rule_from(settings, where)
            if rule and not wrong:
                rules[rule.rule] = rule
        else:
            tracker, wrong = tracker_from(settings, where)
            if tracker and not wrong:
                trackers[tracker.tracker] = tracker
        problems += wrong
    return TeamTrackers(team_id, trackers, rules, tuple(problems), max(times, default=None))


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        settings = json.loads(row["settings"] or "{}")
    except json.JSONDecodeError:
        return {"settings": row["settings"]}
    return settings if isinstance(settings, dict) else {"settings": settings}


def _changes(item: Item, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SettingChange]:
    found = []
    for name in dict.fromkeys((*before, *after)):
        old = settings_of(before[name]) if name in before else {}
        new = settings_of(after[name]) if name in after else {}
        if fields := differences(old, new):
            action = DELETED if not new else "changed" if old else "created"
            # Of what is new, only what it says.
            said = [each for each in fields if old or each.after not in (None, "", [])]
            found.append(SettingChange(item, name, action, tuple(said) if new else ()))
    return found
