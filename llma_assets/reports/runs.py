"""What came of a run of teams, for the command line that runs them. Nothing is run or read here."""

from dataclasses import dataclass
from datetime import date

from llma_assets.reports.clusters import PublishedRun
from llma_assets.serialization import Day, Seconds, TeamId, ThemeId


@dataclass(frozen=True, slots=True)
class ThemeOutcome:
    """What came of a theme; the general ones are run together, so that they share runs and seconds.

    Attributes:
        status: `done`, `waiting`, `failed`, or `skipped` where it is run by its name only.
        reason, detail: why it is not done, in a word and in words.
        seconds: wall time of its stages and checks.
        dagster_runs: ids of the runs that Dagster recorded.
    """

    theme_id: ThemeId
    status: str
    reason: str
    detail: str
    seconds: Seconds
    dagster_runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftWork:
    """What a stage that asks models left for a later run, or failed at, on a day of the window."""

    day: Day
    stage: str
    theme_id: ThemeId
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class TeamOutcome:
    """What came of a team.

    Attributes:
        status, reason, detail: as a whole; see `ThemeOutcome`.
        first_day: of the window that was run.
        dagster_runs: ids of all its runs.
        themes: what came of each theme.
        left: what is not done.
        stages: wall time by stage, of all that ran side by side together.
        runs: what is published for the day.
    """

    team_id: TeamId
    status: str
    reason: str
    detail: str
    first_day: date
    dagster_runs: tuple[str, ...]
    themes: tuple[ThemeOutcome, ...]
    left: tuple[LeftWork, ...]
    stages: dict[str, Seconds]
    runs: tuple[PublishedRun, ...]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What came of a run of a day."""

    day: Day
    duration_s: Seconds
    teams: tuple[TeamOutcome, ...]
