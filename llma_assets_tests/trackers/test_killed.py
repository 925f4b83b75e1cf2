"""Passes that are killed at each write, and answers that never arrive: nothing is made twice, and nothing is lost."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.tasks import close_task, rename_task
from llma_assets.testing import GitHubServer, LinearServer
from llma_assets_tests.trackers.conftest import Desk


class Killed(BaseException):
    """What no handler of the code may catch."""


class Dying(Database):
    """The same database, in a process that is killed before or after its n-th write."""

    def __init__(self, database: Database, write: int, when: str) -> None:
        super().__init__(database._client, database.name, "events")
        self.left, self._when = write, when

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any]], *, once: str = "") -> None:
        self.left -= bool(rows)
        if self.left == 0 and self._when == "before":
            raise Killed
        super().insert_rows(table, rows, once=once)
        if self.left == 0:
            raise Killed


def whole_life(desk: Desk) -> None:
    """An issue is opened; then the task is renamed and closed, of which it is told."""
    desk.sync()
    desk.clock.later(minutes=10)
    if desk.task.status != "resolved":
        rename_task(desk.database, 1, desk.task, "Coupons fail", by="ann", now=desk.clock.now)
        close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()


def finished(desk: Desk) -> None:
    """The passes after one that was killed: soon, and when its lease is over."""
    for _ in range(3):
        desk.clock.later(minutes=6)
        whole_life(desk)


def check(github: GitHubServer) -> None:
    (issue,) = github.issues.values()
    assert issue["state"] == "closed"
    kinds = [each["body"].partition(" ")[0] for each in github.comments[1]]
    assert sorted(kinds) == ["Called", "Resolved"]


# Every write of a life; a run of all tests takes those about the first issue and the first comment.
SOME = ((3, "before"), (4, "before"), (8, "after"))
REST = [(write, when) for write in range(1, 19) for when in ("before", "after") if (write, when) not in SOME]


@pytest.mark.parametrize(
    ("write", "when"), [*SOME, *(pytest.param(*each, marks=pytest.mark.exhaustive) for each in REST)]
)
def test_a_pass_that_is_killed_at_any_write_makes_one_issue_and_each_comment_once(
    desk: Desk, github: GitHubServer, write: int, when: str
) -> None:
    whole = desk.database
    dying = Dying(whole, write, when)
    desk.database = dying
    was_killed = False
    try:
        whole_life(desk)
    except Killed:
        was_killed = True
    assert was_killed == (dying.left <= 0)
    desk.database = whole
    finished(desk)
    check(github)


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
    (issue,) = linear.issues.values()
    assert issue["state"]["type"] == "completed"
    assert len(linear.comments) == 2


def test_of_two_processes_one_speaks_with_a_tracker(desk: Desk, github: GitHubServer) -> None:
    from llma_assets.trackers.leases import Health, claim

    lease = claim(desk.database, 1, "bugs", Health("bugs"), desk.clock.now)
    assert lease
    assert claim(desk.database, 1, "bugs", Health("bugs"), desk.clock.now) is None
    assert desk.sync().busy == ("bugs",)
    assert github.requests == []
    desk.clock.later(minutes=6)
    assert desk.sync().count("opened") == 1


class DiesAtLine:
    """Kills this thread at the n-th line of the room `trackers` that is run."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __enter__(self) -> "DiesAtLine":
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, given: Any) -> Any:  # noqa: ARG002
        return self._ran if "llma_assets/trackers/" in frame.f_code.co_filename else None

    def _ran(self, frame: FrameType, event: str, given: Any) -> Any:  # noqa: ARG002
        self.left -= event == "line"
        if self.left == 0:
            sys.settrace(None)
            raise Killed
        return self._ran


@pytest.mark.exhaustive
@pytest.mark.parametrize("line", [*range(1, 3_000, 13)])
def test_a_pass_that_is_killed_at_any_line_makes_one_issue_and_each_comment_once(
    desk: Desk, github: GitHubServer, line: int
) -> None:
    with suppress(Killed), DiesAtLine(line):
        whole_life(desk)
    finished(desk)
    check(github)
