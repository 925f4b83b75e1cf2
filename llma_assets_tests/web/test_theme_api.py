"""Themes by the API: made, changed on a condition, switched, deleted, previewed, tried, as YAML."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import last_runs
from llma_assets.reports import theme_report
from llma_assets.serialization import json_object
from llma_assets.testing.traffic import TOPICS, trace, write_events
from llma_assets.themes import past_changes, themes_of
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import CHANGER, bearer
from llma_assets_tests.web.planted import MINE, OTHER

THEMES = f"/api/v1/teams/{MINE}/themes"
REFUNDS: dict[str, Any] = {
    "theme_id": "refunds",
    "name": "Refunds",
    "prompt": "Say what money the user wants back.",
    "filters": [{"key": "$ai_model", "operator": "exact", "value": "gpt-4o"}],
}


@pytest.fixture
def made(guarded: TestClient) -> TestClient:
    """A client that may change things, after it made the theme `refunds`."""
    guarded.headers |= bearer(CHANGER)
    assert guarded.post(THEMES, json=REFUNDS).status_code == 201
    return guarded


def test_a_theme_is_made_and_read_as_the_command_line_prints_it(made: TestClient, planted: Database) -> None:
    answer = made.get(f"{THEMES}/refunds")
    last_run = last_runs(planted, MINE).get("refunds")
    assert answer.json() == json_object(theme_report(themes_of(planted, MINE), "refunds", last_run))
    assert made.get(f"{THEMES}/refunds", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    (change,) = past_changes(planted, MINE)
    assert (change.author, change.action) == ("Chris", "created")
    assert made.get(f"{THEMES}/refunds/history").json()["changes"][0]["by"] == "Chris"
    assert past_changes(planted, OTHER) == []


def test_a_change_on_what_was_seen_is_stored(made: TestClient, planted: Database) -> None:
    tag = made.get(f"{THEMES}/refunds").headers["etag"]
    answer = made.put(f"{THEMES}/refunds", json={**REFUNDS, "name": "Money back"}, headers={"if-match": tag})
    assert answer.status_code == 200
    assert answer.json()["name"] == "Money back"
    assert answer.headers["etag"] != tag
    assert [each.action for each in past_changes(planted, MINE)] == ["created", "changed"]


def test_a_change_on_what_somebody_else_changed_since_shows_both(made: TestClient, planted: Database) -> None:
    tag = made.get(f"{THEMES}/refunds").headers["etag"]
    made.put(f"{THEMES}/refunds", json={**REFUNDS, "name": "Theirs"}, headers={"if-match": tag})
    answer = made.put(f"{THEMES}/refunds", json={**REFUNDS, "name": "Mine"}, headers={"if-match": tag})
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["stored"]["name"], problem["sent"]["name"]) == ("Theirs", "Mine")
    assert problem["changed_by"] == "Chris"
    assert themes_of(planted, MINE).get("refunds").name == "Theirs"
    after = made.put(f"{THEMES}/refunds", json={**REFUNDS, "name": "Mine"}, headers={"if-match": problem["etag"]})
    assert after.status_code == 200


def test_a_run_in_between_is_no_change_of_the_theme(made: TestClient, planted: Database) -> None:
    before = made.get(f"{THEMES}/refunds").headers["etag"]
    row = planted.rows("SELECT * FROM clustering_runs FINAL WHERE team_id = 1 LIMIT 1")[0]
    planted.insert_rows("clustering_runs", [{**row, "theme_id": "refunds"}])
    after = made.get(f"{THEMES}/refunds").headers["etag"]
    assert after != before
    assert made.put(f"{THEMES}/refunds", json=REFUNDS, headers={"if-match": before}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_change_that_stands_on_nothing_is_refused(made: TestClient, planted: Database, method: str) -> None:
    answer = made.request(method, f"{THEMES}/refunds", json={**REFUNDS, "name": "Mine"})
    assert answer.status_code == 428
    assert "If-Match" in answer.json()["detail"]
    assert len(past_changes(planted, MINE)) == 1


def test_putting_a_theme_that_there_is_not_makes_it(made: TestClient, planted: Database) -> None:
    settings = {"prompt": "Say what was slow."}
    answer = made.put(f"{THEMES}/slow", json=settings)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{THEMES}/slow"
    assert themes_of(planted, MINE).get("slow").prompt == "Say what was slow."


def test_a_dry_run_says_what_would_change(made: TestClient, planted: Database) -> None:
    answer = made.put(f"{THEMES}/refunds?dry_run=true", json={**REFUNDS, "name": "Mine"})
    assert answer.json()["changes"][0]["fields"] == [{"field": "name", "before": "Refunds", "after": "Mine"}]
    assert answer.json()["stored"] is False
    assert len(past_changes(planted, MINE)) == 1


def test_a_theme_is_switched_and_deleted(made: TestClient, planted: Database) -> None:
    assert made.post(f"{THEMES}/refunds/disable", json={}).json()["stored"] is True
    assert made.post(f"{THEMES}/refunds/disable", json={}).json()["stored"] is False
    assert made.post(f"{THEMES}/refunds/enable", json={}).json()["changes"][0]["action"] == "enabled"
    assert made.post(f"{THEMES}/refunds/disable", json={}, headers={"if-match": '"old"'}).status_code == 409
    assert themes_of(planted, MINE).get("refunds").enabled
    tag = made.get(f"{THEMES}/refunds").headers["etag"]
    assert made.delete(f"{THEMES}/refunds", headers={"if-match": tag}).json()["changes"][0]["action"] == "deleted"
    assert made.get(f"{THEMES}/refunds").status_code == 404
    assert [each["action"] for each in made.get(f"{THEMES}/refunds/history").json()["changes"]] == [
        "created",
        "disabled",
        "enabled",
        "deleted",
    ]


def test_a_theme_that_ships_is_not_deleted(made: TestClient) -> None:
    answer = made.delete(f"{THEMES}/traces")
    assert answer.status_code == 409
    assert "switches it off" in answer.json()["detail"]


def test_an_earlier_state_can_be_read_and_put_back(made: TestClient, planted: Database) -> None:
    tag = made.get(f"{THEMES}/refunds").headers["etag"]
    made.put(f"{THEMES}/refunds", json={**REFUNDS, "name": "Changed"}, headers={"if-match": tag})
    first = past_changes(planted, MINE)[0].changed_at
    earlier = made.get(f"{THEMES}/refunds", params={"at": first.isoformat()}).json()
    assert earlier["name"] == "Refunds"
    assert made.get(f"{THEMES}/refunds", params={"at": "2026-11-07T12:00:00"}).status_code == 422


def test_a_draft_is_counted_and_tried_without_being_stored(guarded: TestClient, planted: Database, site: Site) -> None:
    when = datetime.combine(DAY, time(9), UTC)
    write_events(
        planted,
        (row for number in range(3) for row in trace(MINE, f"new{number}", when, request=TOPICS["refund"])),
    )
    guarded.headers |= bearer(CHANGER)
    draft = {"settings": {"prompt": "Say what money the user wants back."}}
    found = guarded.post(f"{THEMES}/draft/preview", json=draft).json()
    assert (found["theme"], found["items"], found["matched"], found["cost_usd"]) == ("draft", 3, 3, 0)
    assert "I want my money back" in found["examples"][0]["said"]
    tried = guarded.post(f"{THEMES}/draft/trial?sample=2", json=draft).json()
    assert (tried["asked"], len(tried["items"]), tried["cost_usd"]) == (2, 2, 0)
    assert past_changes(planted, MINE) == []
    assert guarded.post(f"{THEMES}/draft/preview", json={}).status_code == 404


def test_themes_come_and_go_as_yaml(made: TestClient, planted: Database) -> None:
    text = made.get(f"{THEMES}.yaml").text
    assert "theme_id: refunds" in text
    changed = {"yaml": text.replace("name: Refunds", "name: Money back")}
    assert made.post(f"{THEMES}.yaml?dry_run=true", json=changed).json()["dry_run"] is True
    assert made.post(f"{THEMES}.yaml", json=changed).json()["stored"] is True
    assert themes_of(planted, MINE).get("refunds").name == "Money back"
    wrong = made.post(f"{THEMES}.yaml", json={"yaml": "themes: [{theme_id: refunds, promt: x}]"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "promt")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"theme_id": "Bad Name"}, "theme_id"),
        ({"theme_id": 5}, "theme_id"),
        ({"prompt": ""}, "prompt"),
        ({"filters": [{"key": "x", "operator": "regex", "value": "("}]}, "filters[0].value"),
        ({"sample_rate": 2}, "sample_rate"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    client: TestClient, planted: Database, wrong: dict[str, Any], field: str
) -> None:
    answer = client.post(THEMES, json={**REFUNDS, **wrong})
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["problems"][0]["message"]
    assert past_changes(planted, MINE) == []


def test_what_a_form_of_a_foreign_page_could_send_changes_nothing(client: TestClient, planted: Database) -> None:
    assert client.post(f"{THEMES}/traces/disable").status_code == 403
    assert client.post(f"{THEMES}/traces/disable", headers={"content-type": "text/plain"}).status_code == 403
    assert past_changes(planted, MINE) == []
    headers = {"content-type": "application/json"}
    assert client.post(f"{THEMES}/traces/disable", headers=headers).json()["stored"] is True
