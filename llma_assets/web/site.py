"""What all requests of one server share: settings, access, and the database, which may come later or go away."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from llma_assets.clickhouse import Database, DatabaseError, Kept, connect
from llma_assets.rendering import RenderOptions
from llma_assets.reports import names_of_teams
from llma_assets.settings import Settings
from llma_assets.tasks import TaskOptions
from llma_assets.teams import TeamSettings, TeamSettingsError
from llma_assets.web.access import Access
from llma_assets.web.timetable import Timetable, Timetables


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Site:
    """What the pages and the API stand on.

    Attributes:
        settings: of this installation.
        access: who may see and change what.
        dagster_url: Dagster's pages, "" where they are not known.
        clock: the present moment, UTC.
        opened: the database, None until a request needs it.
        default_team: whose the spans are that are sent without a team, None for nobody's.
        creates: whether a missing database is made.
        timetables: when runs come by themselves, as far as whoever starts the server says how to read it.
    """

    settings: Settings
    access: Access
    dagster_url: str = ""
    clock: Callable[[], datetime] = _now
    opened: Database | None = None
    default_team: int | None = None
    creates: bool = False
    timetables: Timetables = field(default_factory=Timetables)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: Kept = field(default_factory=Kept)

    @property
    def database(self) -> Database:
        """The database; opened by the first request that needs it, and again after it was away.

        Raises:
            DatabaseError: there is none yet, or it cannot be reached.
        """
        with self._lock:
            if self.opened is None:
                self.opened = connect(self.settings, create=self.creates).tagged(client="llma web")
            return self.opened

    def reading(self) -> Database:
        """The database for one page: what it reads twice is read once, and figures of runs may be a minute old."""
        return self.database.remembering(self._kept)

    @property
    def today(self) -> date:
        """The present day, UTC."""
        return self.clock().date()

    def timetable(self) -> Timetable | None:
        """What is switched on, None where that is not known yet."""
        return self.timetables.latest(self.clock())

    def team_settings(self) -> TeamSettings:
        """The settings of teams as they are now; fields that are invalid have their defaults."""
        return TeamSettings.load(self.settings.data_dir)[0]

    def render_options(self, team_id: int) -> RenderOptions:
        """How the team's texts are made."""
        return RenderOptions.of_team(self.team_settings().options_of(team_id), self.settings.chat_model)

    def team_names(self) -> dict[int, str]:
        """What teams are called: as `teams.toml` says, else as the tenant of a source."""
        return names_of_teams(self.reading(), self.team_settings())

    def team_name(self, team_id: int) -> str:
        """What a team is called, "" where nothing is known, or the database is away."""
        try:
            return self.team_names().get(team_id, "")
        except (DatabaseError, TeamSettingsError):
            return ""

    def task_options(self, team_id: int) -> TaskOptions:
        """The options of the team's tasks."""
        return TaskOptions.of_team(self.team_settings().options_of(team_id))

    def release_property(self, team_id: int) -> str:
        """The property of events that names the release of the team's application, "" for none."""
        return self.team_settings().options_of(team_id).release_property

    def daily_budget_usd(self, team_id: int) -> float | None:
        """What models may cost a day for the team, None for no limit."""
        return self.team_settings().options_of(team_id).daily_budget_usd

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self.opened is not None:
                self.opened.close()
                self.opened = None
