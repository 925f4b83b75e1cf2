"""A team's rules and channels: as they are now, changing them by a document, and their history."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Literal
from uuid import uuid4

from llma_assets.alerts.document import Document, channel_from, rule_from, settings_of
from llma_assets.alerts.errors import AlertError, InvalidRulesError
from llma_assets.alerts.rule import Channel, Rule
from llma_assets.alerts.shipped import SHIPPED
from llma_assets.clickhouse import Database
from llma_assets.themes import FieldChange, Problem, did_you_mean, differences

Item = Literal["rule", "channel"]
DELETED = "deleted"

# Key of alert_settings: (team_id, item, name, changed_at, change_id).
NEWEST = """
SELECT item, name, changed_at, change_id, action, author, settings, version
FROM alert_settings FINAL
WHERE team_id = {team_id:Int64}
ORDER BY item, name, changed_at DESC, change_id DESC
LIMIT 1 BY item, name
"""

# Of all teams, for the schedule: only teams that changed something have rows.
NEWEST_OF_TEAMS = """
SELECT team_id, item, name, action, settings
FROM alert_settings FINAL
ORDER BY team_id, item, name, changed_at DESC, change_id DESC
LIMIT 1 BY team_id, item, name
"""

# Key of alert_settings: (team_id, item, name, changed_at, change_id).
ALL_CHANGES = """
SELECT item, name, changed_at, action, author, settings, version
FROM alert_settings FINAL
WHERE team_id = {team_id:Int64}
ORDER BY changed_at, item, name, change_id
"""


@dataclass(frozen=True, slots=True)
class TeamAlerts:
    """The rules and channels of a team.

    Attributes:
        team_id: whose.
        rules: those that ship, then the team's own, by name; also those that are switched off.
        channels: by name.
        problems: what is stored but cannot be used any longer; such a rule or channel is left out.
        newest: time of the last change, None without any.
    """

    team_id: int
    rules: Mapping[str, Rule]
    channels: Mapping[str, Channel]
    problems: tuple[Problem, ...] = ()
    newest: datetime | None = None

    @property
    def enabled(self) -> list[Rule]:
        """The rules that are judged."""
        return [rule for rule in self.rules.values() if rule.enabled]

    def rule(self, name: str) -> Rule:
        """The rule of a name.

        Raises:
            AlertError: there is none; the message suggests one.
        """
        if name in self.rules:
            return self.rules[name]
        hint = did_you_mean(name, self.rules) or "."
        raise AlertError(
            f"team {self.team_id} has no alert rule {name[:80]!r}{hint} "
            f"`llma alerts list --team {self.team_id}` shows them"
        )


@dataclass(frozen=True, slots=True)
class SettingChange:
    """What changes, or changed, of a rule or a channel.

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


def alerts_of(database: Database, team_id: int) -> TeamAlerts:
    """The rules and channels of a team, by one query."""
    return _team(team_id, database.rows(NEWEST, team_id=team_id))


def teams_with_rules(database: Database) -> dict[int, TeamAlerts]:
    """Teams with a rule that is switched on, by one query."""
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
    """Make the rules and channels that a document names what it says; applied a second time it stores nothing.

    Args:
        prune: delete own rules and channels that the document does not name, and reset shipped ones.

    Raises:
        InvalidRulesError: a rule names a channel that there is not; nothing is stored.
        AlertError: there is no author.
    """
    before = alerts_of(database, team_id)
    rules = {**({} if prune else before.rules), **{each.rule: each for each in document.rules}}
    rules = {**SHIPPED, **rules} if prune else rules
    channels = {**({} if prune else before.channels), **{each.channel: each for each in document.channels}}
    if wrong := _unknown_channels(rules.values(), channels):
        raise InvalidRulesError(wrong)
    changes = [*_changes("channel", before.channels, channels), *_changes("rule", before.rules, rules)]
    if dry_run or not changes:
        return changes
    name = author.strip()[:200]
    if not name:
        raise AlertError("it is not known who changes the alerts; say a name by --by or LLMA_USER")
    # Later than all before, also where clocks differ: the newest row of a name counts.
    at = now or datetime.now(UTC)
    if before.newest:
        at = max(at, before.newest + timedelta(microseconds=1))
    after: Mapping[str, Mapping[str, Any]] = {"rule": rules, "channel": channels}
    database.insert_rows(
        "alert_settings",
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
                "version": "" if each.action == DELETED else after[each.item][each.name].version,
            }
            for each in changes
        ],
    )
    return [replace(each, changed_at=at, author=name) for each in changes]


def past_changes(database: Database, team_id: int, name: str = "") -> list[SettingChange]:
    """All changes of a team's rules and channels, or of those of one name, oldest first."""
    settings: dict[tuple[str, str], Mapping[str, Any]] = {}
    found = []
    for row in database.rows(ALL_CHANGES, team_id=team_id):
        key = (row["item"], row["name"])
        ships = SHIPPED.get(row["name"]) if row["item"] == "rule" else None
        before = settings.get(key) or (settings_of(ships) if ships else {})
        after = _stored(row)
        settings[key] = after
        if name in ("", row["name"]):
            fields = () if row["action"] == DELETED else differences(before, after)
            found.append(SettingChange(*key, row["action"], fields, row["changed_at"], row["author"]))
    return found


def _team(team_id: int, rows: Iterable[Mapping[str, Any]]) -> TeamAlerts:
    rules: dict[str, Rule] = dict(SHIPPED)
    channels: dict[str, Channel] = {}
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
            channel, wrong = channel_from(settings, where)
            if channel and not wrong:
                channels[channel.channel] = channel
        problems += wrong
    return TeamAlerts(team_id, rules, channels, tuple(problems), max(times, default=None))


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        settings = json.loads(row["settings"] or "{}")
    except json.JSONDecodeError:
        return {"settings": row["settings"]}
    return settings if isinstance(settings, dict) else {"settings": settings}


def _unknown_channels(rules: Iterable[Rule], channels: Mapping[str, Channel]) -> list[Problem]:
    return [
        Problem(f"rule {rule.rule}.channels", f"there is no channel {name!r}{did_you_mean(name, channels)}")
        for rule in rules
        for name in rule.channels
        if name not in channels
    ]


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
