"""Decisions about several tasks: of each only as it was seen, and taken back by the history."""

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
from llma_assets_tests.web.conftest import CHANGER, READER, bearer

NOW = MONDAY + timedelta(days=1)
API = "/api/v1/teams/1/tasks/decisions"


@pytest.fixture
def two(site: Site, planted: Database) -> list[Task]:
    """Two problems, and one of another team."""
    write_segments(planted, [*similar_segments("a", 0), *similar_segments("b", 1, text="The map stays empty")])
    write_segments(planted, similar_segments("c", 0, team_id=2))
    a_pass(planted, NOW)
    a_pass(planted, NOW, team_id=2)
    site.clock = iter(NOW + timedelta(seconds=each) for each in range(1, 1_000)).__next__
    found = tasks(planted, NOW)
    assert len(found) == 2
    return found


def marked(page: str) -> dict[str, str]:
    """The boxes of a page, as a browser sends those that are marked."""
    return dict(re.findall(r'name="(task_\d+)" value="([^"]+)"', page))


def send(client: TestClient, action: str, boxes: dict[str, str], **fields: str) -> str:
    """The page after the form was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    form = {"form_key": client.cookies["llma_form"], "action": action, **boxes, **fields}
    return client.post("/teams/1/tasks", data=form).text


def states(database: Database) -> set[str]:
    return {each.status for each in tasks(database, NOW + timedelta(minutes=10))}


def test_several_are_closed_at_once_and_the_change_is_taken_back(
    client: TestClient, two: list[Task], planted: Database
) -> None:
    done = send(client, "close", marked(client.get("/teams/1/tasks").text), note="fixed in 2.0")
    assert "2 tasks are closed" in done
    assert "No open tasks" in done
    assert states(planted) == {"resolved"}
    undo = done.split("<form")[1:]
    boxes = marked(next(each for each in undo if "Undo" in each))
    assert "2 tasks are taken back" in send(client, "take_back", boxes)
    assert states(planted) == {each.status for each in two}
    changes = [(row["change"], row["changed_by"], row["detail"]) for row in task_history(planted, 1, two[0])][-2:]
    assert changes == [("closed", "me", "fixed in 2.0"), ("reopened", "me", "taken back: closed")]
    # The same form once more finds tasks that are no more what it was made for.
    assert "left as they are" in send(client, "take_back", boxes)


def test_what_somebody_changed_since_is_left_alone(client: TestClient, two: list[Task], planted: Database) -> None:
    boxes = marked(client.get("/teams/1/tasks").text)
    client.post(f"/api/v1/teams/1/tasks/{two[0].task_id}/decisions", json={"action": "rename", "title": "Coupons"})
    page = send(client, "ignore", boxes)
    assert "1 task is ignored" in page
    assert "Coupons: it was changed since you saw it" in page
    assert "by me" in page
    assert states(planted) == {two[0].status, "ignored"}


def test_people_put_tasks_first_or_last(client: TestClient, two: list[Task]) -> None:
    boxes = marked(client.get("/teams/1/tasks").text)
    last = {name: value for name, value in boxes.items() if value.startswith(two[1].task_id)}
    page = send(client, "raise", last)
    assert page.index(two[1].title) < page.index(f">{two[0].title}<")
    assert client.get("/api/v1/teams/1/tasks").json()["tasks"][0]["given_priority"] == "high"
    boxes = marked(client.get("/teams/1/tasks").text)
    assert "has the priority high already" in send(client, "raise", {"task_1": boxes["task_1"]})
    send(client, "take_back", {"task_1": boxes["task_1"]})
    assert client.get("/api/v1/teams/1/tasks").json()["tasks"][0]["task_id"] == two[0].task_id


def test_what_is_not_possible_is_said_and_nothing_changed(
    client: TestClient, two: list[Task], planted: Database
) -> None:
    before = states(planted)
    assert "mark the tasks first" in send(client, "close", {})
    assert "there is no change" in send(client, "explode", {"task_1": "x:y"})
    assert "x&lt;y" in send(client, "close", {"task_1": "x<y:*"})
    assert "nothing to take back" in send(client, "take_back", marked(client.get("/teams/1/tasks").text))
    assert client.post("/teams/1/tasks", data={f"f{n}": "" for n in range(300)}).status_code == 403
    assert states(planted) == before


def test_the_api_does_the_same_for_those_who_may(
    guarded: TestClient, site: Site, two: list[Task], planted: Database
) -> None:
    wanted = [{"task_id": each.task_id, "revision": each.revision} for each in tasks(planted, NOW)]
    stale = [wanted[0], {"task_id": wanted[1]["task_id"], "revision": "old"}, {"task_id": "none", "revision": "*"}]
    body = {"action": "close", "tasks": stale}
    assert guarded.post(API, headers=bearer(READER), json=body).status_code == 403
    done = guarded.post(API, headers=bearer(CHANGER), json=body).json()
    assert [each["task_id"] for each in done["changed"]] == [wanted[0]["task_id"]]
    assert [each["reason"] for each in done["unchanged"]] == ["changed_since", "unknown"]
    (other,) = tasks(planted, NOW, 2)
    body = {"action": "close", "tasks": [{"task_id": other.task_id, "revision": "*"}]}
    assert guarded.post(API, headers=bearer(CHANGER), json=body).json()["unchanged"][0]["reason"] == "unknown"
    assert guarded.post(API.replace("teams/1", "teams/2"), headers=bearer(CHANGER), json=body).status_code == 404


def test_the_trend_counts_the_days_of_the_team_alone(client: TestClient, two: list[Task]) -> None:
    page = client.get("/teams/1/tasks").text
    assert 'class="spark"' in page
    assert "segments a day, at most" in page
