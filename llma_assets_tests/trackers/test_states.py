"""Issues of tasks: made once, states both ways, a person's edits stay; against both trackers' protocols."""

from datetime import timedelta

import pytest

from llma_assets.markdown import NO_WIDTH
from llma_assets.tasks import close_task, ignore_task, rename_task, reopen_task, task_history
from llma_assets.testing import GitHubServer, LinearServer, similar_segments, write_segments
from llma_assets_tests.tasks.passing import a_pass, tasks
from llma_assets_tests.trackers.conftest import Desk


def test_a_rule_makes_one_issue_of_a_task_and_none_of_another_team(desk: Desk, github: GitHubServer) -> None:
    assert desk.sync().count("opened") == 1
    for _ in range(2):
        desk.clock.later(minutes=10)
        assert desk.sync().done == ()
    (issue,) = github.issues.values()
    (link,) = desk.links.links.values()
    assert (issue["labels"], link.wanted_by) == ([{"name": "llma"}], "rule all")
    assert f"<!-- llma{link.link_id.hex} -->" in issue["body"]
    assert "other team" not in str(issue)
    assert len(github.asked("POST", "/issues")) == 1


def test_hostile_words_mention_nobody_and_link_nowhere(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    (issue,) = github.issues.values()
    body = issue["body"].partition("<!--")[0]
    for active in ("@all", "#12", "https://", "www.evil", "evil.example", "ENG-7"):
        assert active not in issue["title"] + body, active
    # A title is no Markdown, a body is.
    assert not {"<img", "](", "**"} & {body[at : at + size] for size in (2, 4) for at in range(len(body))}
    assert "@all" in issue["title"].replace(NO_WIDTH, "")


def test_what_is_closed_here_is_closed_there(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    desk.clock.later(hours=1)
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now, note="fixed in 4.2, see #12")
    assert desk.sync().count("closed") == 1
    assert (github.issues[1]["state"], github.issues[1]["state_reason"]) == ("closed", "completed")
    (comment,) = github.comments[1]
    assert "Resolved in LLMA Assets by ann" in comment["body"]
    assert "#12" not in comment["body"]
    desk.clock.later(hours=1)
    assert desk.sync().done == ()
    reopen_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    ignore_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now + timedelta(seconds=1))
    desk.clock.later(hours=1)
    desk.sync()
    assert github.issues[1]["state"] == "closed"


@pytest.mark.parametrize(
    ("reason", "status"), [("completed", "resolved"), ("not_planned", "ignored"), ("duplicate", "ignored")]
)
def test_what_is_closed_there_is_resolved_or_ignored_here(
    desk: Desk, github: GitHubServer, reason: str, status: str
) -> None:
    desk.sync()
    desk.clock.later(hours=1)
    github.person(1, state="closed", state_reason=reason)
    assert desk.sync().count("brought") == 1
    assert desk.task.status == status
    changed = task_history(desk.database, 1, desk.task)[-1]
    assert (changed["changed_by"], "acme/app#1" in changed["detail"]) == ("tracker bugs", True)
    desk.clock.later(hours=1)
    github.person(1, state="open")
    desk.sync()
    assert desk.task.status == "ongoing"
    assert tasks(desk.database, desk.clock.now, team_id=2)[0].status == "new"
    assert github.comments[1] == []


def test_a_regression_reopens_the_issue_once_a_day(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    for hour in (1, 3):
        desk.clock.later(hours=1)
        github.person(1, state="closed", state_reason="completed")
        desk.sync()
        assert desk.task.status == "resolved"
        desk.clock.later(hours=1)
        again = similar_segments(f"again{hour}-", 0, start=desk.clock.now)
        write_segments(desk.database, again, arrived=desk.clock.now)
        desk.clock.later(minutes=15)
        a_pass(desk.database, desk.clock.now)
        assert desk.task.status == "regressed"
        desk.sync()
    assert github.issues[1]["state"] == "closed"
    (link,) = desk.links.links.values()
    assert "at most once a day" in desk.links.state(link).said
    desk.clock.later(hours=25)
    desk.sync()
    assert github.issues[1]["state"] == "open"
    assert [each["body"].startswith("Seen again on 2026-11-03") for each in github.comments[1]] == [True, True]
    assert len(github.issues) == 1


def test_a_persons_title_labels_and_assignee_stay(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    mine = {"title": "Mine", "labels": [{"name": "p1"}], "assignees": [{"login": "ann"}], "body": "Mine, too"}
    github.person(1, **mine)
    desk.clock.later(hours=1)
    rename_task(desk.database, 1, desk.task, "Coupons fail", by="ann", now=desk.clock.now)
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()
    assert {name: github.issues[1][name] for name in mine} == mine
    assert github.issues[1]["state"] == "closed"
    assert "Called “Coupons fail”" in github.comments[1][0]["body"]
    assert all(set(each.body) == {"state", "state_reason"} for each in github.asked("PATCH"))


def test_what_was_closed_on_both_sides_agrees_and_nobody_is_told(desk: Desk, github: GitHubServer) -> None:
    desk.sync()
    desk.clock.later(hours=1)
    github.person(1, state="closed", state_reason="completed")
    ignore_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()
    assert (desk.task.status, github.issues[1]["state_reason"]) == ("ignored", "completed")
    assert github.comments[1] == []


@pytest.mark.parametrize("here_is_later", [True, False])
def test_of_a_conflict_the_later_side_wins(desk: Desk, github: GitHubServer, here_is_later: bool) -> None:
    """The task is opened again while the issue, closed otherwise since, says no; GitHub's clock is two hours ahead."""
    ours = desk.clock
    github.clock = lambda: ours.now + timedelta(hours=2)
    desk.sync()
    github.person(1, state="closed", state_reason="completed")
    desk.sync()
    for is_here in (not here_is_later, here_is_later):
        desk.clock.later(hours=1)
        if is_here:
            reopen_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
        else:
            github.person(1, state="open")
            github.person(1, state="closed", state_reason="not_planned")
    desk.clock.later(hours=1)
    desk.sync()
    said = " ".join(each["body"] for each in github.comments[1])
    assert "Both sides changed" in said
    (link,) = desk.links.links.values()
    assert "because the later change counts" in desk.links.state(link).said
    if here_is_later:
        assert (desk.task.status, github.issues[1]["state"]) == ("ongoing", "open")
    else:
        assert (desk.task.status, github.issues[1]["state"]) == ("ignored", "closed")


def test_linear_has_the_same_states(linear_desk: Desk, linear: LinearServer) -> None:
    desk = linear_desk
    desk.sync()
    ((identity, issue),) = linear.issues.items()
    (link,) = desk.links.links.values()
    assert (identity, issue["labelIds"]) == (str(link.link_id), [linear.labels["bug"]])
    desk.clock.later(hours=1)
    close_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()
    assert issue["state"]["name"] == "Done"
    linear.person(identity, "started")
    desk.clock.later(hours=1)
    desk.sync()
    assert desk.task.status == "ongoing"
    ignore_task(desk.database, 1, desk.task, by="ann", now=desk.clock.now)
    desk.sync()
    assert issue["state"]["name"] == "Canceled"
    linear.person(identity, "backlog")
    linear.person(identity, "duplicate")
    desk.clock.later(hours=1)
    assert desk.sync().done == ()
    assert [each["body"][:8] for each in linear.comments.values()] == ["Resolved", "Ignored "]
    assert linear.issues[identity]["title"] == issue["title"]
