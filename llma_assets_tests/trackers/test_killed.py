"""Passes that are killed at each write and request, and answers that never arrive: nothing is made twice or lost."""

import signal

import pytest

from llma_assets.settings import Settings
from llma_assets.tasks import close_task, rename_task
from llma_assets.testing import GitHubServer, LinearServer
from llma_assets.trackers import Document, apply
from llma_assets_tests import copies
from llma_assets_tests.trackers.conftest import Desk

A_PASS = """
import os, signal, sys
from datetime import datetime
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets.trackers import sync, trackers_of
from llma_assets.trackers.http import Http

now, last = datetime.fromisoformat(sys.argv[1]), int(sys.argv[2])
moments = 0

def moment():
    global moments
    moments += 1
    if moments == last:
        os.kill(os.getpid(), signal.SIGKILL)

def with_moments(does):
    def done(*given, **named):
        moment()
        answer = does(*given, **named)
        moment()
        return answer
    return done

Database.insert_rows, Http._send = with_moments(Database.insert_rows), with_moments(Http._send)
with connect(Settings.from_env()) as database:
    sync(database, trackers_of(database, 1), clock=lambda: now)
print(moments, end="", file=sys.stderr)
"""
"""A pass of team 1 in a process that is killed at a moment: before or after it writes or asks the tracker.

Between two moments nothing that outlives the process is changed, so a kill at any line is like one at a moment.
"""

MOMENTS = {("github", "opens"): 16, ("github", "tells"): 26, ("linear", "opens"): 14, ("linear", "tells"): 28}
"""How many moments a pass has that opens an issue, and one that tells it of a new name and an end."""
EVERY = [(kind, what, last) for (kind, what), moments in MOMENTS.items() for last in range(1, moments + 1)]
SOME = EVERY[3::9]


@pytest.fixture
def desk_of(request: pytest.FixtureRequest, environment: Settings, kind: str) -> Desk:  # before trackers
    """The desk of a kind of tracker, with its settings stored, as a process of its own reads them."""
    desk: Desk = request.getfixturevalue({"github": "desk", "linear": "linear_desk"}[kind])
    document = Document((desk.tracker,), desk.rules)
    apply(desk.database, 1, document, "ann", now=desk.clock.now)
    return desk


def a_pass(desk: Desk, last: int = 0) -> copies.Finished:
    """A pass in a process of its own, killed at a moment."""
    return copies.run(A_PASS, desk.clock.now.isoformat(), str(last))


def whole_life(desk: Desk) -> None:
    """An issue is opened; then the task is renamed and closed, of which it is told."""
    desk.sync()
    end_task(desk)
    desk.sync()


def end_task(desk: Desk) -> None:
    """Ten minutes later the task has another name, and is closed."""
    desk.clock.later(minutes=10)
    if desk.task.status != "resolved":
        rename_task(desk.database, 1, desk.task, "Coupons fail", by="ann", now=desk.clock.now)
        close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)


def finished(desk: Desk) -> None:
    """The passes after one that was killed: soon, and when its lease is over."""
    for _ in range(2):
        desk.clock.later(minutes=6)
        whole_life(desk)


def check(server: GitHubServer | LinearServer) -> None:
    """There is one issue, closed, with each comment once."""
    (issue,) = server.issues.values()
    if isinstance(server, GitHubServer):
        assert issue["state"] == "closed"
        comments = server.comments[1]
    else:
        assert issue["state"]["type"] == "completed"
        comments = list(server.comments.values())
    kinds = [each["body"].partition(" ")[0] for each in comments]
    assert sorted(kinds) == ["Called", "Resolved"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "what", "last"),
    [pytest.param(*each, marks=() if each in SOME else pytest.mark.exhaustive) for each in EVERY],
)
def test_a_pass_that_is_killed_at_any_moment_makes_one_issue_and_each_comment_once(
    desk_of: Desk, request: pytest.FixtureRequest, kind: str, what: str, last: int
) -> None:
    if what == "tells":
        desk_of.sync()
        end_task(desk_of)
    killed = a_pass(desk_of, last)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    finished(desk_of)
    check(request.getfixturevalue(kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["github", "linear"])
def test_these_are_all_moments_of_the_passes(desk_of: Desk, kind: str) -> None:
    for what in ("opens", "tells"):
        ended = a_pass(desk_of)
        assert (ended.returncode, ended.stderr) == (0, str(MOMENTS[kind, what]))
        end_task(desk_of)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_answer_that_never_arrives_makes_nothing_twice(desk: Desk, github: GitHubServer, method: str) -> None:
    """Each of the first requests of a method is done, and the connection is reset."""
    for _ in range(2):
        before = len(github.requests)
        github.always = github.lost(method)
        whole_life(desk)
        github.always = None
        assert len(github.requests) > before
        desk.clock.later(hours=7)
    finished(desk)
    check(github)


@pytest.mark.parametrize(
    "operation", ["issueCreate", "commentCreate", pytest.param("issueUpdate", marks=pytest.mark.exhaustive)]
)
def test_an_answer_of_linear_that_never_arrives_makes_nothing_twice(
    linear_desk: Desk, linear: LinearServer, operation: str
) -> None:
    desk = linear_desk
    for _ in range(2):
        linear.always = linear.lost(operation)
        whole_life(desk)
        linear.always = None
        desk.clock.later(hours=7)
    finished(desk)
    check(linear)


def test_of_two_processes_one_speaks_with_a_tracker(desk: Desk, github: GitHubServer) -> None:
    from llma_assets.trackers.leases import Health, claim

    lease = claim(desk.database, 1, "bugs", Health("bugs"), desk.clock.now)
    assert lease
    assert claim(desk.database, 1, "bugs", Health("bugs"), desk.clock.now) is None
    assert desk.sync().busy == ("bugs",)
    assert github.requests == []
    desk.clock.later(minutes=6)
    assert desk.sync().count("opened") == 1
