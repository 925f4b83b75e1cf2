"""Issues on pages and by the API: a button on tasks and clusters, what is wrong, of the team alone."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient

from llma_assets.alerts import Document as AlertsDocument
from llma_assets.alerts import Rule
from llma_assets.alerts import apply as apply_alerts
from llma_assets.clickhouse import Database
from llma_assets.tasks import Task
from llma_assets.testing import GitHubServer
from llma_assets.testing.segments import MONDAY
from llma_assets.trackers import Document, TrackerRule, apply, links_of, trackers_of
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.tasks.passing import tasks
from llma_assets_tests.trackers.conftest import ALL, GITHUB, HOSTILE, TOKEN, two_teams
from llma_assets_tests.web.conftest import CHANGER, READER, bearer

NOW = MONDAY + timedelta(days=1)
API = "/api/v1/teams/1/trackers"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    with GitHubServer(TOKEN) as server:
        monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1")
        monkeypatch.setenv("LLMA_TRACKERS_TOKEN", TOKEN)
        monkeypatch.setenv("LLMA_TRACKERS_ADDRESS", server.base)
        yield server


@pytest.fixture
def task(site: Site, planted: Database, github: GitHubServer) -> Task:
    two_teams(planted)
    site.clock = iter(NOW + timedelta(seconds=each) for each in range(1, 1_000)).__next__
    apply(planted, 1, Document((GITHUB,)), "ada")
    return tasks(planted, NOW)[0]


def send(client: TestClient, **fields: str) -> str:
    """The page after the button was pressed."""
    client.get("/sign-in")  # any page gives the key of forms
    return client.post("/teams/1/trackers", data={"form_key": client.cookies["llma_form"], **fields}).text


def test_a_button_opens_the_issue_of_a_task_once(client: TestClient, task: Task, github: GitHubServer) -> None:
    path = f"/teams/1/tasks/{task.task_id}"
    assert "Open an issue in bugs" in client.get(path).text
    for _ in range(2):
        page = send(client, task=task.task_id, tracker="bugs")
        assert 'href="https://github.example/acme/app/issues/1"' in page
        assert "Open an issue in bugs" not in page
    assert len(github.issues) == 1
    link = '<td data-label="Issue"><a href="https://github.example/acme/app/issues/1" rel="noreferrer">acme/app#1</a>'
    assert link in client.get("/teams/1/tasks").text
    theirs = client.get("/teams/2/tasks").text
    assert ("/teams/2/tasks/" in theirs, "acme/app#1" in theirs) == (True, False)
    every = client.get("/teams/1/trackers").text
    assert ("acme/app#1" in every, HOSTILE in every, "<img" in every) == (True, False, False)
    assert "acme/app#1" not in client.get("/teams/2/trackers").text


def test_what_a_tracker_refuses_stands_on_the_page_of_the_task_and_on_health(
    client: TestClient, task: Task, github: GitHubServer
) -> None:
    github.can_write = False
    page = send(client, task=task.task_id)
    assert "needs the permission to write issues" in page
    assert "needs the permission to write issues" in client.get("/teams/1/health").text
    assert "needs the permission" not in client.get("/teams/2/health").text
    github.can_write = True
    assert "acme/app#1" in send(client, task=task.task_id)


def test_a_cluster_gets_an_issue_from_its_page(client: TestClient, task: Task, github: GitHubServer) -> None:
    where = {"lineage": "traces-0", "theme": "traces", "date": DAY.isoformat()}
    assert "acme/app#1" in send(client, tracker="bugs", **where)
    assert github.issues[1]["title"]


def test_the_api_opens_and_lists(guarded: TestClient, task: Task, github: GitHubServer, planted: Database) -> None:
    wish = {"task": task.task_id[:8]}
    assert guarded.post(f"{API}/issues", json=wish, headers=bearer(READER)).status_code == 403
    made = guarded.post(f"{API}/issues", json=wish, headers=bearer(CHANGER)).json()
    assert (made["issue"], made["was_there"], made["problem"]) == ("acme/app#1", False, "")
    (link,) = guarded.get(API, headers=bearer(READER)).json()["links"]
    assert (link["issue"], link["wanted_by"], link["subject"]) == ("acme/app#1", "Chris", task.task_id)
    for wrong, status in (({}, 422), ({"task": "x" * 8}, 404), ({**wish, "tracker": "bgus"}, 422)):
        assert guarded.post(f"{API}/issues", json=wrong, headers=bearer(CHANGER)).status_code == status
    assert len(links_of(planted, 1).links) == 1
    assert links_of(planted, 2).links == {}


RULES = """
trackers:
  - {tracker: bugs, kind: github, project: acme/app, token_env: LLMA_TRACKERS_TOKEN, address_env: LLMA_TRACKERS_ADDRESS}
rules:
  - {rule: urgent, tracker: bugs, min_users: 2}
"""


def change(client: TestClient, **fields: str) -> str:
    """The page after a form of the settings was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    data = {"form_key": client.cookies["llma_form"], **fields}
    text = client.post("/teams/1/trackers/settings", data=data).text
    assert "<img" not in text
    return unescape(text)


def seen_on(page: str) -> str:
    """The revision of the settings that a page shows."""
    return re.findall(r'name="seen" value="([^"]+)"', page)[-1]


def test_settings_are_checked_with_what_they_would_make_saved_and_taken_back(
    client: TestClient, task: Task, github: GitHubServer, planted: Database
) -> None:
    checked = change(client, action="check", file=RULES)
    assert "rule urgent: created" in checked
    assert "The next pass would open 1 issue:" in checked
    assert f"/teams/1/tasks/{task.task_id}" in checked
    assert "would open no issue" in change(client, action="check", file=RULES.replace("users: 2", "users: 20"))
    assert trackers_of(planted, 1).rules == {}, "nothing is stored, nobody is asked"
    assert github.requests == []
    assert "rule urgent created" in change(client, action="save", file=RULES)
    change(client, action="off", item="tracker", name="bugs")
    assert not trackers_of(planted, 1).trackers["bugs"].enabled
    page = client.get("/teams/1/trackers").text
    (times,) = [
        re.findall(r'name="name" value="(bugs|urgent)"><input type="hidden" name="before" value="([^"]+)"', page)
    ]
    assert [name for name, _ in times] == ["bugs", "bugs", "urgent", "bugs"]
    change(client, action="undo", item="tracker", name="bugs", before=times[0][1], seen=seen_on(page))
    assert trackers_of(planted, 1).trackers["bugs"].enabled
    page = client.get("/teams/1/trackers").text
    change(client, action="undo", item="rule", name="urgent", before=times[2][1], seen=seen_on(page))
    assert trackers_of(planted, 1).rules == {}
    assert trackers_of(planted, 2).trackers == {}


def test_of_two_who_change_the_settings_at_the_same_time_the_second_is_told(
    client: TestClient, task: Task, planted: Database
) -> None:
    mine = client.get("/teams/1/trackers").text
    apply(planted, 1, Document((GITHUB,), (ALL,)), "bob")
    for action in ("check", "save"):
        told = change(client, action=action, file=RULES, seen=seen_on(mine))
        assert "somebody changed the trackers of team 1 since; look at them again" in told
        assert "rule: urgent" in told, "what was written is still there"
    assert list(trackers_of(planted, 1).rules) == ["all"]
    gone = change(client, action="undo", item="rule", name="all", before="2026-11-01", seen=seen_on(mine))
    assert "has no change of the rule 'all'" in gone
    wrong = change(client, action="save", file=RULES.replace("tracker: bugs, min", "tracker: bgus, min"))
    assert "there is no tracker 'bgus'; did you mean 'bugs'?" in wrong


def test_who_may_only_read_changes_no_settings(guarded: TestClient, task: Task, planted: Database) -> None:
    page = guarded.get("/teams/1/trackers", headers=bearer(READER)).text
    assert "readonly" in page
    assert "Check</button>" not in page
    sent = guarded.post("/teams/1/trackers/settings", data={"action": "save", "file": ""}, headers=bearer(READER))
    assert sent.status_code == 403
    foreign = guarded.post("/teams/1/trackers/settings", data={"action": "save", "file": ""}, headers=bearer(CHANGER))
    assert foreign.status_code == 403, "without the key of a form of our pages"
    assert list(trackers_of(planted, 1).trackers) == ["bugs"]


def test_a_rule_about_a_theme_that_there_is_not_is_said_on_both_pages(client: TestClient, planted: Database) -> None:
    rule = TrackerRule("of_slow", "bugs", about="cluster", themes=("slow",))
    apply(planted, 1, Document((GITHUB,), (rule,)), "ada")
    apply_alerts(planted, 1, AlertsDocument(rules=(Rule("of_slow", "gone", themes=("slow",)),)), "ada")
    for page in ("trackers", "alerts"):
        assert "there is no theme &#39;slow&#39;" in client.get(f"/teams/1/{page}").text
        assert "there is no theme" not in client.get(f"/teams/2/{page}").text
