"""Tasks on pages: what is shown, and what people decide."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.tasks import Task, task_history
from llma_assets.testing import similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets.web import Site
from llma_assets_tests.tasks.passing import a_pass, tasks

NOW = MONDAY + timedelta(days=1)
HOSTILE = "The coupons <img src=https://evil.example/x>"


def one_task(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    a_pass(database, NOW)


@pytest.fixture
def task(site: Site, planted: Database) -> Task:
    one_task(planted)
    site.clock = iter(NOW + timedelta(seconds=each) for each in range(1, 1_000)).__next__
    return tasks(planted, NOW)[0]


def send(client: TestClient, task: Task, **fields: str) -> str:
    """The page after a form was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    form = {"form_key": client.cookies["llma_form"], **fields}
    return client.post(f"/teams/1/tasks/{task.task_id}", data=form).text


def test_tasks_are_listed_and_shown_with_their_segments(client: TestClient, task: Task) -> None:
    assert task.title in client.get("/teams/1/tasks").text
    page = client.get(f"/teams/1/tasks/{task.task_id[:8]}").text
    assert "Newest segments" in page
    assert "created" in page
    assert client.get(f"/teams/2/tasks/{task.task_id}").status_code == 404


def test_people_close_reopen_ignore_and_rename(client: TestClient, task: Task, planted: Database) -> None:
    send(client, task, action="close", note="fixed in 1.2")
    assert "No open tasks" in client.get("/teams/1/tasks").text
    send(client, task, action="reopen")
    send(client, task, action="ignore")
    assert task.title in client.get("/teams/1/tasks?state=all").text
    assert "Coupons fail" in send(client, task, action="rename", title="Coupons fail")
    told = [(row["change"], row["changed_by"]) for row in task_history(planted, 1, task) if row["changed_by"] == "me"]
    assert told == [("closed", "me"), ("reopened", "me"), ("ignored", "me"), ("renamed", "me")]


def test_the_list_is_filtered_by_state_priority_and_text_and_a_change_keeps_the_filters(
    client: TestClient, task: Task, planted: Database
) -> None:
    write_segments(planted, similar_segments("b", 1, text="The map stays empty"))
    write_segments(planted, similar_segments("c", 0, team_id=2, text="The coupons of others"))
    a_pass(planted, NOW)
    a_pass(planted, NOW, team_id=2)
    send(client, task, action="rename", title=HOSTILE)
    (other,) = [each for each in tasks(planted, NOW) if each.task_id != task.task_id]
    (foreign,) = tasks(planted, NOW, 2)

    def listed(**filters: str) -> set[str]:
        page = client.get("/teams/1/tasks", params=filters).text
        assert "<img" not in page
        return set(re.findall(r'href="/teams/\d/tasks/([0-9a-f-]{36})"', page))

    assert listed() == listed(state="open", priority="", q="") == {task.task_id, other.task_id}
    assert listed(q="  COUPONS <img ") == {task.task_id}
    assert listed(q=foreign.title) == set()
    assert "No task fits these filters" in client.get("/teams/1/tasks", params={"q": "<img src=x>"}).text
    raised = {"action": "raise", "task_1": f"{other.task_id}:*", "state": "all", "priority": "first", "q": other.title}
    client.get("/sign-in")  # any page gives the key of forms
    page = client.post("/teams/1/tasks", data={"form_key": client.cookies["llma_form"], **raised}).text
    assert all(f'name="{each}" value="{raised[each]}"' in page for each in ("state", "q"))
    assert "1 task is put first" in page
    assert f"/tasks/{task.task_id}" not in page
    assert (listed(priority="first"), listed(priority="figures")) == ({other.task_id}, {task.task_id})
    assert listed(priority="last") == set()
    send(client, task, action="ignore")
    assert (listed(), listed(state="ignored"), listed(state="resolved")) == ({other.task_id}, {task.task_id}, set())
    assert listed(state="all", q="the") == listed(state="all") == {task.task_id, other.task_id}
    for wrong in ({"state": "lost"}, {"priority": "0.5"}, {"q": "x" * 201}):
        assert client.get("/teams/1/tasks", params=wrong).status_code == 422


def test_what_is_not_possible_is_said_on_the_page(client: TestClient, task: Task) -> None:
    assert "only a resolved or ignored one can be reopened" in send(client, task, action="reopen")
    assert "there is no change" in send(client, task, action="explode")
    assert "at most 200" in send(client, task, action="rename", title="x" * 300)


def test_whether_a_task_became_rarer_is_said_since_a_day_and_since_it_was_closed(
    client: TestClient, task: Task, planted: Database
) -> None:
    """Ten days of eight sessions, of which four, then one, have the problem."""
    for number in range(-8, 8):
        start = MONDAY + timedelta(days=number)
        bad = 4 if number < 0 else 1
        write_segments(planted, similar_segments(f"bad{number}-", 0, count=bad, start=start), arrived=NOW)
        fine = similar_segments(f"fine{number}-", 3, count=8 - bad, start=start, text="All went well")
        write_segments(planted, fine, arrived=NOW)
    later = NOW + timedelta(days=9)
    a_pass(planted, later)
    (found,) = [each for each in tasks(planted, later) if each.task_id == task.task_id]
    assert found.occurrence_count > 30
    address = f"/teams/1/tasks/{task.task_id}"
    assert "Name the day of a release" in client.get(address).text
    assert "It became rarer" in client.get(f"{address}?since={MONDAY.date()}").text
    send(client, task, action="close")
    page = client.get(address).text
    assert "the task was closed by me" in page
    assert "It became rarer, and is still there" in page


def test_the_api_decides_the_same(client: TestClient, task: Task, planted: Database) -> None:
    address = f"/api/v1/teams/1/tasks/{task.task_id}/decisions"
    assert client.post(address, json={"action": "close", "note": "fixed in 1.2"}).json()["status"] == "resolved"
    assert client.post(address, json={"action": "rename", "title": "Coupons fail"}).json()["title"] == "Coupons fail"
    assert [(row["change"], row["changed_by"]) for row in task_history(planted, 1, task)][-2:] == [
        ("closed", "me"),
        ("renamed", "me"),
    ]
    assert client.post(address, json={"action": "close"}).status_code == 422
    assert client.post(address, json={"action": "merge", "others": [task.task_id]}).status_code == 422
    assert client.post(address, json={"action": "unmerge", "part": "none"}).status_code == 404
    assert client.post(address.replace("teams/1", "teams/2"), json={"action": "close"}).status_code == 404
    assert client.get("/api/v1/teams/1/tasks", params={"limit": 1}).headers["x-total-count"] == "1"
