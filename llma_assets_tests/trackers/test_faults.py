"""What can go wrong with a tracker: each is a clear word where a person looks; nothing is lost, nothing made twice."""

from datetime import timedelta

import pytest

from llma_assets.tasks import close_task
from llma_assets.testing import Answer, GitHubServer, LinearServer
from llma_assets.testing.github_server import BAD_TOKEN, NO_SCOPE, SECONDARY_LIMIT
from llma_assets.testing.linear_server import BAD_KEY, NO_RIGHTS
from llma_assets.trackers import open_issue, trackers_report
from llma_assets_tests.trackers.conftest import KEY, TOKEN, Desk


def said(desk: Desk) -> str:
    """What the list of links says of each, and of the tracker."""
    from llma_assets.trackers import apply
    from llma_assets.trackers.document import Document

    apply(desk.database, 1, Document((desk.tracker,), desk.rules), "ada")
    report = trackers_report(desk.database, 1, now=desk.clock.now)
    return " ".join([each.problem for each in report.links] + [each.notice for each in report.trackers])


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (BAD_TOKEN, "does not know the token in LLMA_TRACKERS_TOKEN"),
        (NO_SCOPE, "needs the permission to write issues"),
        (Answer(404, {"message": "Not Found"}), "there is no repository acme/app"),
        (Answer(502, "<html>"), "HTTP 502"),
        (Answer(200, "<html>no JSON</html>"), ""),
        (Answer(302, {}, {"Location": "https://elsewhere.example/"}), "a redirect to another host is not followed"),
    ],
)
def test_a_fault_of_github_is_said_and_the_issue_is_made_later(
    desk: Desk, github: GitHubServer, fault: Answer, word: str
) -> None:
    github.always = fault
    found = desk.sync()
    assert word in found.problems.get("bugs", "")
    assert word in said(desk)
    assert TOKEN not in said(desk)
    assert github.issues == {}
    asked = len(github.requests)
    desk.sync()
    assert len(github.requests) == asked
    github.always = None
    desk.clock.later(hours=1)
    assert desk.sync().count("opened") == 1
    assert said(desk).strip() == ""


def test_a_token_that_may_only_read_says_so_and_a_missing_variable_too(
    desk: Desk, github: GitHubServer, here: pytest.MonkeyPatch
) -> None:
    github.can_write = False
    assert "permission to write issues" in desk.sync().problems["bugs"]
    here.delenv("LLMA_TRACKERS_TOKEN")
    assert "LLMA_TRACKERS_TOKEN is not set" in desk.sync(by_hand=True).problems["bugs"]
    here.setenv("LLMA_TRACKERS_TOKEN", TOKEN)
    here.delenv("LLMA_ALERTS_PRIVATE_HOSTS")
    assert "LLMA_ALERTS_PRIVATE_HOSTS" in desk.sync(by_hand=True).problems["bugs"]


def test_a_limit_is_waited_for_by_the_trackers_clock_and_fails_nothing(desk: Desk, github: GitHubServer) -> None:
    """GitHub's clock is an hour ahead; it says when by its own."""
    ours = desk.clock
    github.clock = lambda: ours.now + timedelta(hours=1)
    github.always = github.used_up(600)
    assert "used up" in desk.sync().problems["bugs"]
    github.always = None
    desk.clock.later(minutes=9)
    assert "asked again after" in desk.sync(by_hand=True).problems["bugs"]
    desk.clock.later(minutes=2)
    assert desk.sync().count("opened") == 1
    assert "its clock is 60 minutes before ours" in said(desk)
    github.always = SECONDARY_LIMIT
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    assert "asks to wait" in desk.sync().problems["bugs"]
    github.always = None
    desk.clock.later(minutes=2)
    assert desk.sync().count("closed") == 1


def test_a_renamed_repository_is_followed_and_its_new_name_is_said(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    github.renamed_to = "acme/shop"
    desk.clock.later(hours=1)
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    assert desk.sync().problems == {}
    assert "acme/app is called acme/shop now" in said(desk)
    assert github.issues[1]["state"] == "closed"
    (link,) = desk.links.links.values()
    assert desk.links.state(link).shown == "acme/shop#1"
    assert len(github.comments[1]) == 1


def test_a_deleted_issue_is_said_and_only_a_person_makes_another(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    github.delete(1)
    desk.clock.later(hours=1)
    desk.sync()
    assert "the issue was deleted" in said(desk)
    desk.clock.later(hours=1)
    desk.sync()
    assert len(github.asked("POST", "/issues")) == 1
    opened = open_issue(desk.database, desk.team, "task", desk.task.task_id, "ann", clock=desk.clock)
    assert (opened.problem, opened.state.shown, opened.link.round) == ("", "acme/app#2", 1)
    again = open_issue(desk.database, desk.team, "task", desk.task.task_id, "ann", clock=desk.clock)
    assert (again.was_there, len(github.asked("POST", "/issues"))) == (True, 2)


def test_switched_off_issues_and_a_locked_conversation_are_said(desk: Desk, github: GitHubServer) -> None:
    github.has_issues = False
    assert "the issues of acme/app are switched off" in desk.sync().problems["bugs"]
    github.has_issues = True
    desk.clock.later(hours=1)
    desk.sync()
    github.issues[1]["locked"] = True
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()
    assert github.issues[1]["state"] == "closed"
    (link,) = trackers_report(desk.database, 1, now=desk.clock.now).links
    assert link.comments == ("closed (not taken: the conversation of the issue is locked)",)


@pytest.mark.parametrize(
    ("fault", "word"), [(BAD_KEY, "does not know the token"), (NO_RIGHTS, "it has to write issues")]
)
def test_a_fault_of_linear_is_said(linear_desk: Desk, linear: LinearServer, fault: Answer, word: str) -> None:
    desk = linear_desk
    linear.always = fault
    assert word in desk.sync().problems["bugs"]
    assert KEY not in said(desk)
    linear.always = None
    linear.key = "OPS"
    assert "there is no team ENG" in desk.sync(by_hand=True).problems["bugs"]
    linear.key = "ENG"
    linear.can_write = False
    assert "it has to write issues" in desk.sync(by_hand=True).problems["bugs"]


def test_limits_deletion_and_labels_of_linear(linear_desk: Desk, linear: LinearServer) -> None:
    desk = linear_desk
    linear.labels.clear()
    linear.always = linear.used_up(600)
    assert "used up" in desk.sync().problems["bugs"]
    linear.always = None
    desk.clock.later(minutes=11)
    desk.sync()
    (identity,) = linear.issues
    assert "Linear has no label bug" in said(desk)
    linear.person(identity, trashed=True)
    desk.clock.later(hours=1)
    desk.sync()
    assert "the issue was deleted" in said(desk)
    linear.person(identity, trashed=None)
    desk.clock.later(hours=7)
    desk.sync()
    assert "deleted" not in said(desk)
