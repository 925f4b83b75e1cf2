"""A team's rules and channels as they are now; changing them by a document, and their history, is `named_settings`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llma_assets.alerts.document import SETTINGS
from llma_assets.alerts.errors import AlertError
from llma_assets.alerts.rule import Channel, Rule
from llma_assets.clickhouse import Database
from llma_assets.named_settings import Stored, deleted_themes
from llma_assets.themes import Problem, did_you_mean

apply = SETTINGS.apply
past_changes = SETTINGS.past_changes


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


def alerts_of(database: Database, team_id: int) -> TeamAlerts:
    """The rules and channels of a team, by one query."""
    return _team(SETTINGS.of_team(database, team_id))


def problems_of(database: Database, team: TeamAlerts) -> tuple[Problem, ...]:
    """What is wrong with stored rules and channels, and rules about themes that there are not."""
    return (*team.problems, *deleted_themes(database, team.team_id, team.rules.values()))


def teams_with_rules(database: Database) -> dict[int, TeamAlerts]:
    """Teams with a rule that is switched on, by one query."""
    found = map(_team, SETTINGS.of_teams(database))
    return {each.team_id: each for each in found if each.enabled}


def _team(stored: Stored) -> TeamAlerts:
    return TeamAlerts(stored.team_id, stored.parts["rules"], stored.parts["channels"], stored.problems, stored.newest)
