"""The outcome of a run of teams, as the command line reports it. Nothing runs, and nothing is read, here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from llma_assets.reports.published import PublishedRun
from llma_assets.serialization import Day, Seconds, TeamId, ThemeId
from llma_assets.tasks import Task


@dataclass(frozen=True, slots=True)
class ThemeOutcome:
    """The outcome of a theme; the general ones run together, so they share runs and seconds.

    Attributes:
        status: `done`, `waiting`, `failed`, or `skipped` if its schedule is `manual`.
        reason, detail: why it is not done, as a code and as a sentence.
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
class DeferredWork:
    """Deferred or failed work of a stage that asks models, on a day of the window."""

    day: Day
    stage: str
    theme_id: ThemeId
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What followed from a team's results.

    Attributes:
        stage: `alerts` or `trackers`.
        reason: why nothing was done, "" where it was.
        error: what went wrong; the results stand.
        details: what was done: counts, problems of trackers, why nobody was told.
        dagster_run: id of the run that Dagster recorded.
    """

    stage: str
    reason: str
    error: str
    details: Mapping[str, Any]
    dagster_run: str


@dataclass(frozen=True, slots=True)
class TeamOutcome:
    """The outcome of a team.

    Attributes:
        status, reason, detail: as a whole; see `ThemeOutcome`.
        first_day: of the window that was run.
        dagster_runs: ids of all its runs.
        themes: the outcome of each theme.
        left: deferred and failed work.
        stages: wall time by stage, summed over run groups.
        runs: published runs of the day.
        actions: what followed: alert rules that judged the day, trackers that were synchronised.
    """

    team_id: TeamId
    status: str
    reason: str
    detail: str
    first_day: date
    dagster_runs: tuple[str, ...]
    themes: tuple[ThemeOutcome, ...]
    left: tuple[DeferredWork, ...]
    stages: dict[str, Seconds]
    runs: tuple[PublishedRun, ...]
    actions: tuple[ActionOutcome, ...]


@dataclass(frozen=True)
class RunReport:
    """The outcome of a run of a day."""

    day: Day
    duration_s: Seconds
    teams: tuple[TeamOutcome, ...]


@dataclass(frozen=True)
class DemoReport(RunReport):
    """The outcome of the demo: its run, and the tasks from its session replays."""

    tasks: tuple[Task, ...]
