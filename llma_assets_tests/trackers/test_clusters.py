"""Issues of clusters: by rule and by hand, closed and back, merged and renamed; whether a fix worked, as a comment."""

from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import decide_about, standings_of
from llma_assets.reports import verify_task
from llma_assets.tasks import close_task
from llma_assets.testing import GitHubServer
from llma_assets.testing.segments import MONDAY
from llma_assets.trackers import TrackerRule, open_issue
from llma_assets_tests.alerts.planted import plant_days
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.tasks.passing import a_pass, tasks
from llma_assets_tests.trackers.conftest import GITHUB, Clock, Desk, planted_fix

LAST = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 20, tzinfo=UTC)
BIG, SMALL, BACK = "aaaa-big", "bbbb-small", "cccc-back"
RULE = TrackerRule("clusters", "bugs", about="cluster", min_users=20)
CLOSED = datetime(2026, 11, 8, 12, tzinfo=UTC)


def month(database: Database) -> None:
    """A big cluster, a small one, and one that is gone for five days; another team has the same."""
    counts = {BIG: [30] * 30, SMALL: [3] * 30, BACK: [*[10] * 16, *[0] * 8, *[10] * 6]}
    for team_id in (1, 2):
        plant_days(database, counts, team_id=team_id, last=LAST, titles={BIG: "Refund <b>#12</b>"})


@pytest.fixture
def clusters(database: Database, planted_once: PlantedOnce, github: GitHubServer, clock: Clock) -> Desk:
    planted_once(month)
    clock.now = NOON
    return Desk(database, clock, GITHUB, (RULE,))


def test_a_rule_makes_issues_of_clusters_with_enough_users(clusters: Desk, github: GitHubServer) -> None:
    clusters.sync()
    (issue,) = github.issues.values()
    assert issue["title"].startswith("Refund <b>#")
    assert "30 users" in issue["body"]
    assert "#12" not in issue["body"]
    decide_about(clusters.database, 1, "rename", [BIG], author="ann", at=NOON, title="Refunds fail")
    clusters.clock.later(hours=1)
    clusters.sync()
    decide_about(clusters.database, 1, "merge", [BIG], author="ann", at=NOON, into=SMALL)
    clusters.clock.later(hours=1)
    clusters.sync()
    clusters.clock.later(hours=1)
    clusters.sync()
    assert [each["body"].partition(" “")[0] for each in github.comments[1]] == ["Called", "It is part of"]
    assert len(github.issues) == 1


def test_what_is_split_off_a_cluster_is_told_once_and_the_issue_stays_with_the_rest(
    clusters: Desk, github: GitHubServer
) -> None:
    clusters.sync()
    part, other = "dddd-part", "eeee-of-another-team"
    for team_id, name in ((1, part), (2, other)):
        plant_days(
            clusters.database, {BIG: [30], SMALL: [3], BACK: [10], name: [5]}, team_id=team_id, last=LAST,
            parents={LAST: {name: BIG}}, titles={name: "Refund @ann #13"},
        )  # fmt: skip
    for _ in range(2):
        clusters.clock.later(hours=1)
        clusters.sync()
    (body,) = [each["body"] for each in github.comments[1] if "split off" in each["body"]]
    assert "was split off it on 2026-11-22. This issue stays with the larger part." in body
    assert "@ann" not in body
    assert "#13" not in body
    assert len(github.issues) == 1
    assert github.issues[1]["state"] == "open"


def opened(clusters: Desk, lineage: str) -> None:
    """An issue by hand."""
    clusters.rules = ()
    found = open_issue(clusters.database, clusters.team, "cluster", lineage, "ann", clock=clusters.clock)
    assert (found.problem, found.state.shown) == ("", "acme/app#1")


def test_not_planned_hides_a_cluster_and_opening_shows_it_again(clusters: Desk, github: GitHubServer) -> None:
    opened(clusters, SMALL)
    github.person(1, state="closed", state_reason="not_planned")
    clusters.clock.later(hours=1)
    clusters.sync()
    assert standings_of(clusters.database, 1)[SMALL].hidden
    assert standings_of(clusters.database, 2) == {}
    github.person(1, state="open")
    clusters.clock.later(hours=1)
    clusters.sync()
    assert not standings_of(clusters.database, 1)[SMALL].hidden
    clusters.clock.later(minutes=1)
    decide_about(clusters.database, 1, "hide", [SMALL], author="ann", at=clusters.clock.now)
    clusters.clock.later(hours=1)
    clusters.sync()
    assert (github.issues[1]["state"], github.issues[1]["state_reason"]) == ("closed", "not_planned")


@pytest.mark.parametrize(("lineage", "state", "says"), [(BACK, "open", "Seen again"), (BIG, "closed", "did not fall")])
def test_a_cluster_that_is_back_reopens_its_issue_and_one_that_never_went_is_told(
    clusters: Desk, github: GitHubServer, lineage: str, state: str, says: str
) -> None:
    """Closed on the 8th: one is absent then, and back on the 17th; the other goes on as it was."""
    clusters.clock.now = CLOSED - timedelta(hours=1)
    opened(clusters, lineage)
    clusters.clock.now = CLOSED
    github.person(1, state="closed", state_reason="completed")
    clusters.sync()
    clusters.clock.now = NOON
    clusters.sync()
    clusters.clock.later(hours=1)
    clusters.sync()
    assert github.issues[1]["state"] == state
    assert sum(says in each["body"] for each in github.comments[1]) == 1
    assert len(github.comments[1]) <= 2


@pytest.mark.parametrize(("bad_after", "says"), [(0, "The fix is confirmed."), (6, "its rate did not fall")])
def test_a_closed_task_says_whether_the_fix_worked_once(
    database: Database, github: GitHubServer, clock: Clock, bad_after: int, says: str
) -> None:
    task, other = planted_fix(database, 1, bad_after), planted_fix(database, 2, 6 - bad_after)
    clock.now = MONDAY
    desk = Desk(database, clock, GITHUB, ())
    open_issue(database, desk.team, "task", task.task_id, "ann", clock=clock)
    for each, team_id in ((task, 1), (other, 2)):
        close_task(database, team_id, each, by="ann", now=MONDAY)
    for days in (1, 11, 12):
        clock.now = MONDAY + timedelta(days=days)
        if days == 11:
            for team_id in (1, 2):
                a_pass(database, clock.now, team_id=team_id)
        desk.sync()
    (body,) = [each["body"] for each in github.comments[1] if "points, 95 % interval" in each["body"]]
    assert says in body
    answers = [
        verify_task(
            database, team_id, next(found for found in tasks(database, clock.now, team_id) if found.task_id == id)
        )
        for team_id, id in ((1, task.task_id), (2, other.task_id))
    ]
    expected = ["not_fallen", "confirmed"] if bad_after else ["confirmed", "not_fallen"]
    assert [each.answer for each in answers] == expected
