"""What tests of trackers share: two teams with tasks, trackers that are served here, and a clock to be set."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.tasks import Task
from llma_assets.testing import GitHubServer, LinearServer, similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets.trackers import Synced, TeamLinks, Tracker, TrackerRule, links_of, sync
from llma_assets.trackers.store import TeamTrackers
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.tasks.passing import a_pass, tasks

START = MONDAY + timedelta(days=1)
TOKEN, KEY = "ghp_not_a_real_token", "lin_api_not_a_real_key"
HOSTILE = "@all see #12 and <img src=https://evil.example/x> [x](https://evil.example) at www.evil.example, ENG-7"
GITHUB = Tracker("bugs", "github", "acme/app", "LLMA_TRACKERS_TOKEN", "LLMA_TRACKERS_ADDRESS", labels=("llma",))
LINEAR = Tracker("bugs", "linear", "ENG", "LLMA_TRACKERS_TOKEN", "LLMA_TRACKERS_ADDRESS", labels=("bug",))
ALL = TrackerRule("all", "bugs", min_users=1)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = START
    offsets: list[timedelta] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@dataclass
class Desk:
    """Passes over the trackers of a team, as a test calls them."""

    database: Database
    clock: Clock
    tracker: Tracker
    rules: tuple[TrackerRule, ...] = (ALL,)

    @property
    def team(self) -> TeamTrackers:
        """The settings."""
        return TeamTrackers(1, {self.tracker.tracker: self.tracker}, {each.rule: each for each in self.rules})

    def sync(self, **given: Any) -> Synced:
        """One pass."""
        return sync(self.database, self.team, clock=self.clock, **given)

    @property
    def links(self) -> TeamLinks:
        """What is stored."""
        return links_of(self.database, 1)

    @property
    def task(self) -> Task:
        """The first task of team 1."""
        return tasks(self.database, self.clock.now)[0]

    def problem(self) -> str:
        """What the only link says is wrong."""
        (link,) = self.links.links.values()
        return self.links.state(link).problem


def two_teams(database: Database) -> None:
    """A task of three users, with hostile words, and one of another team."""
    write_segments(database, similar_segments("pay", 0, text=f"An error came: {HOSTILE}"))
    write_segments(database, similar_segments("other", 0, team_id=2, text="An error of the other team"))
    a_pass(database, START)
    a_pass(database, START, team_id=2)


def planted_fix(database: Database, team_id: int, bad_after: int) -> Task:
    """Ten days of sixteen sessions, six of which have a problem, the task of which is returned; then eleven more.

    The passes after Monday are the test's.
    """
    for number in range(-10, 11):
        start = MONDAY + timedelta(days=number)
        bad = 6 if number < 0 else bad_after
        fine = similar_segments(f"fine{number}-", 3, count=16 - bad, start=start, team_id=team_id, text="All went well")
        write_segments(
            database, [*similar_segments(f"bad{number}-", 0, count=bad, start=start, team_id=team_id), *fine]
        )
        if number == -1:
            a_pass(database, MONDAY, team_id=team_id)
    return next(each for each in tasks(database, MONDAY, team_id) if "error" in each.title.lower())


@pytest.fixture
def planted(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_teams)
    return database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Trackers on this machine may be asked."""
    monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1")
    return monkeypatch


@pytest.fixture
def github(here: pytest.MonkeyPatch, clock: Clock) -> Iterator[GitHubServer]:
    """A repository, reached by the variables of `GITHUB`."""
    with GitHubServer(TOKEN, clock=clock) as server:
        here.setenv("LLMA_TRACKERS_TOKEN", TOKEN)
        here.setenv("LLMA_TRACKERS_ADDRESS", server.base)
        yield server


@pytest.fixture
def linear(here: pytest.MonkeyPatch, clock: Clock) -> Iterator[LinearServer]:
    """A team of Linear, reached by the variables of `LINEAR`."""
    with LinearServer(KEY, clock=clock) as server:
        here.setenv("LLMA_TRACKERS_TOKEN", KEY)
        here.setenv("LLMA_TRACKERS_ADDRESS", server.base)
        yield server


@pytest.fixture
def desk(planted: Database, clock: Clock, github: GitHubServer) -> Desk:
    return Desk(planted, clock, GITHUB)


@pytest.fixture
def linear_desk(planted: Database, clock: Clock, linear: LinearServer) -> Desk:
    return Desk(planted, clock, LINEAR)
