"""The API: the documents of the command line, changes, problems as RFC 9457 has them."""

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import edits_of
from llma_assets.reports import published_clusters
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import CHANGER, bearer
from llma_assets_tests.web.planted import MINE

TEAM = f"/api/v1/teams/{MINE}"
OF_DAY = {"date": DAY.isoformat()}


def test_clusters_are_the_document_of_the_command_line(client: TestClient, planted: Database) -> None:
    found = client.get(f"{TEAM}/clusters", params=OF_DAY).json()
    assert found == json_object(published_clusters(planted, TeamDay(MINE, DAY)).with_examples(10))
    assert len(found["runs"][0]["clusters"]) == 11


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/health",
        "/api/v1/teams",
        f"{TEAM}/days",
        f"{TEAM}/results/traces",
        f"{TEAM}/clusters/traces-0?theme=traces",
        f"{TEAM}/decisions",
        f"{TEAM}/items/traces",
        f"{TEAM}/trends",
        f"{TEAM}/trace?id=t0",
        f"{TEAM}/tasks",
        f"{TEAM}/themes",
        f"{TEAM}/themes/traces/history",
        f"{TEAM}/themes/traces/funnel",
        f"{TEAM}/skips",
        f"{TEAM}/usage",
        f"{TEAM}/checks",
    ],
)
def test_every_document_has_a_tag_and_is_sent_once(client: TestClient, path: str) -> None:
    address = path + ("&" if "?" in path else "?") + f"date={DAY}"
    first = client.get(address)
    assert first.status_code == 200
    assert isinstance(first.json(), dict)
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_items_come_in_pages(client: TestClient) -> None:
    page = client.get(f"{TEAM}/items/traces", params={**OF_DAY, "limit": 20, "offset": 40}).json()
    assert (page["found"], page["offset"], len(page["items"])) == (51, 40, 11)
    ids = {each["item"] for each in page["items"]}
    first = client.get(f"{TEAM}/items/traces", params={**OF_DAY, "limit": 40}).json()
    assert not ids & {each["item"] for each in first["items"]}


def test_a_decision_is_kept_with_the_name_of_the_token(guarded: TestClient, planted: Database) -> None:
    address, token = f"{TEAM}/clusters/traces-0/decisions", bearer(CHANGER)
    body = {"action": "rename", "title": "Refunds"}
    answer = guarded.post(address, json=body, headers=token)
    assert answer.status_code == 200
    assert answer.json()["edits"][0]["title"] == "Refunds"
    assert guarded.post(address, json=body, headers=token).json()["edits"] == []  # it was so already
    assert [(each.author, each.action) for each in edits_of(planted, MINE)] == [("Chris", "rename")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{TEAM}/clusters", 422),
        (f"{TEAM}/clusters?date=x", 422),
        (f"{TEAM}/results/none?date=2026-11-07", 404),
        (f"{TEAM}/clusters/none?theme=traces&date=2026-11-07", 404),
        (f"{TEAM}/items/traces?date=2026-11-01", 404),
        (f"{TEAM}/items/traces?date=2026-11-07&limit=0", 422),
        (f"{TEAM}/trace?id=none", 404),
        (f"{TEAM}/tasks/none", 404),
        (f"{TEAM}/themes/none/funnel?date=2026-11-07", 404),
        ("/api/v1/nowhere", 404),
    ],
)
def test_problems_are_documents(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"action": "rename", "title": ""}, 422, "the title is empty"),
        ({"action": "merge"}, 422, "needs a second cluster"),
        ({"action": "merge", "into": "none"}, 404, "none"),
        ({"action": "explode"}, 422, "action"),
        ({}, 422, "action"),
    ],
)
def test_wrong_decisions_are_explained_and_store_nothing(
    client: TestClient, planted: Database, body: dict[str, str], status: int, says: str
) -> None:
    answer = client.post(f"{TEAM}/clusters/traces-0/decisions", json=body)
    assert answer.status_code == status
    assert says in answer.json()["detail"]
    assert edits_of(planted, MINE) == []


def test_a_form_of_a_foreign_page_cannot_decide(client: TestClient, planted: Database) -> None:
    answer = client.post(
        f"{TEAM}/clusters/traces-0/decisions",
        content='{"action": "hide"}',
        headers={"content-type": "text/plain"},
    )
    assert answer.status_code in (403, 422)
    assert edits_of(planted, MINE) == []
