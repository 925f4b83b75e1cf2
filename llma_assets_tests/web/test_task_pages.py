"""Tasks on pages: what is shown, and what people decide."""

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
    client.get("/")
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
