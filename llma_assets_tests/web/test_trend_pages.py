"""Trends: days that somebody narrows to, and each cluster beside what was expected of it."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from llma_assets.alerts import expected_trends
from llma_assets.clickhouse import Database
from llma_assets.serialization import json_object
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.web.conftest import ADDRESS

PAGE = f"/teams/{MINE}/trends"
FIRST = LAST - timedelta(days=6)
DAYS = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
HOSTILE = "<script>alert(1)</script>"


def weeks_of_two_clusters(database: Database) -> None:
    series = {"steady": [6] * 40, "spiking": [5] * 39 + [40]}
    plant_days(database, series, titles={"spiking": HOSTILE})
    plant_days(database, {"theirs": [9] * 10}, team_id=OTHER)


@pytest.fixture
def client(settings: Settings, database: Database, planted_once: PlantedOnce) -> TestClient:
    planted_once(weeks_of_two_clusters)
    site = Site(settings, Access(owner="me"))
    site.opened = database
    return TestClient(create_app(site), ADDRESS, raise_server_exceptions=False)


def test_the_address_narrows_to_days(client: TestClient) -> None:
    narrowed = client.get(PAGE, params={"theme": "traces", **DAYS}).text
    assert f'data-days="{" ".join(str(FIRST + timedelta(days=each)) for each in range(7))}"' in narrowed
    assert "All 4 weeks" in narrowed
    assert f"{LAST - timedelta(days=27)} to {LAST}" in client.get(PAGE, params={"theme": "traces"}).text
    of_api = client.get(f"/api/v1{PAGE}", params={"from": DAYS["from"], "date": DAYS["to"]}).json()
    assert of_api["from"] == DAYS["from"]
    assert [len(each["days"]) for each in of_api["themes"][0]["trends"]] == [7, 7, 7]


def test_days_that_cannot_be_are_said_beside_the_field(client: TestClient) -> None:
    wrong = {"from": DAYS["to"], "to": DAYS["from"]}
    page = client.get(PAGE, params={"theme": "traces", **wrong})
    assert (page.status_code, "must not be after the last" in page.text) == (200, True)
    assert 'aria-describedby="wrong-days"' in page.text
    answer = client.get(f"/api/v1{PAGE}/traces/expected", params=wrong)
    assert (answer.status_code, answer.json()["field"]) == (422, "from")


def test_each_cluster_stands_beside_what_was_expected_of_it(client: TestClient, database: Database) -> None:
    found = client.get(f"/api/v1{PAGE}/traces/expected", params=DAYS).json()
    assert found == json_object(expected_trends(database, MINE, "traces", FIRST, LAST))
    series = {each["lineage_id"]: each["days"] for each in found["series"]}
    assert set(series) == {"steady", "spiking"}
    assert [each["outside"] for each in series["spiking"]] == [False] * 6 + [True]
    assert [each["expected"] for each in series["steady"]][:6] == [6.0] * 6
    # The team as a whole grew on the last day.
    assert 6.0 < series["steady"][6]["expected"] < 10.0
    page = client.get(f"{PAGE}/expected", params={"theme": "traces", **DAYS}).text
    assert "1 day outside" in page
    assert HOSTILE not in page
    client.post(f"/api/v1/teams/{MINE}/clusters/spiking/decisions", json={"action": "hide"})
    after = client.get(f"/api/v1{PAGE}/traces/expected", params=DAYS).json()["series"]
    assert [each["lineage_id"] for each in after] == ["steady"]
