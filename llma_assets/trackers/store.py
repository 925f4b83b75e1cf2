"""A team's trackers and rules as they are now; changing them by a document, and their history, is `named_settings`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.named_settings import Stored, deleted_themes
from llma_assets.themes import Problem, did_you_mean
from llma_assets.trackers.document import SETTINGS
from llma_assets.trackers.errors import TrackerError
from llma_assets.trackers.setting import Tracker, TrackerRule

apply = SETTINGS.apply
past_changes = SETTINGS.past_changes


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


def trackers_of(database: Database, team_id: int) -> TeamTrackers:
    """The trackers and rules of a team, by one query."""
    return _team(SETTINGS.of_team(database, team_id))


def problems_of(database: Database, team: TeamTrackers) -> tuple[Problem, ...]:
    """What is wrong with stored trackers and rules, and rules about themes that there are not."""
    return (*team.problems, *deleted_themes(database, team.team_id, team.rules.values()))


def teams_with_trackers(database: Database) -> dict[int, TeamTrackers]:
    """Teams with a tracker that is switched on, by one query."""
    found = map(_team, SETTINGS.of_teams(database))
    return {each.team_id: each for each in found if each.enabled}


def _team(stored: Stored) -> TeamTrackers:
    return TeamTrackers(stored.team_id, stored.parts["trackers"], stored.parts["rules"], stored.problems, stored.newest)
