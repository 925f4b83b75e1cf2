"""Runs, lineages, themes beside one another, and how far a run is, by the API."""

from datetime import datetime, timedelta

from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.ledger import record_ended
from llma_assets.reports import overlap_report
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run
from llma_assets_tests.web.planted import MINE, OTHER

TEAM = f"/api/v1/teams/{MINE}"


def test_runs_come_in_pages_newest_first(client: TestClient, planted: Database) -> None:
    store_run(planted, "failures", {0: ids(0, 5)}, looked_at=[], team_id=MINE)
    store_run(planted, "failures", {0: ids(0, 5)}, looked_at=[], team_id=OTHER)
    answer = client.get(f"{TEAM}/runs", params={"limit": 1})
    (run,) = answer.json()["runs"]
    assert (run["theme"], run["items"], run["clusters"], run["outliers"]) == ("failures", 5, 1, 0)
    assert answer.headers["x-total-count"] == "2"
    assert answer.headers["link"] == f'<{TEAM}/runs?limit=1&offset=1>; rel="next"'
    (after,) = client.get(f"{TEAM}/runs", params={"limit": 1, "offset": 1}).json()["runs"]
    assert after["theme"] == "traces"
    assert client.get(f"{TEAM}/runs", params={"theme": "traces"}).headers["x-total-count"] == "1"
    assert client.get(f"{TEAM}/runs", params={"to": str(DAY - timedelta(days=1))}).json()["runs"] == []


def test_lineages_say_what_people_decided(client: TestClient) -> None:
    client.post(f"{TEAM}/clusters/traces-3/decisions", json={"action": "rename", "title": "Refunds"})
    found = client.get(f"{TEAM}/lineages", params={"theme": "traces", "limit": 1_000}).json()["lineages"]
    assert {each["lineage_id"] for each in found} == {f"traces-{number}" for number in range(10)}
    (renamed,) = [each for each in found if each["renamed"]]
    assert (renamed["lineage_id"], renamed["title"], renamed["first_day"]) == ("traces-3", "Refunds", DAY.isoformat())


def test_two_themes_are_compared_as_on_the_command_line(client: TestClient, planted: Database) -> None:
    store_run(planted, "failures", {0: ids(0, 5)}, looked_at=[], team_id=MINE)
    query = {"date": DAY.isoformat(), "first": "traces", "second": "failures"}
    found = client.get(f"{TEAM}/cross-theme", params=query).json()
    assert found == json_object(overlap_report(planted, TeamDay(MINE, DAY), "traces", "failures"))
    assert client.get(f"{TEAM}/cross-theme", params={**query, "second": "none"}).status_code == 404


def test_progress_follows_what_is_stored(client: TestClient, planted: Database, site: Site) -> None:
    def theme(theme_id: str) -> dict[str, object]:
        found = client.get(f"{TEAM}/progress", params={"date": DAY.isoformat()}).json()
        return next(each for each in found["themes"] if each["theme"] == theme_id)

    key = {"team_id": MINE, "day": DAY, "theme_id": "generations"}
    assert theme("generations")["step"] == "waiting"
    day = {**key, "version": "1", "matched": 9, "sampled": 9, "screened": 5, "sample_rate": 1.0}
    planted.insert_rows("theme_days", [day, {**day, "team_id": OTHER, "screened": 90}])
    assert (theme("generations")["step"], theme("generations")["asked"]) == ("summaries", 5)
    row = planted.rows("SELECT * FROM trace_summaries FINAL WHERE team_id = 1 AND item_id = 't0'")[0]
    answers = [{**row, "theme_id": "generations", "item_id": f"g{number}"} for number in range(5)]
    planted.insert_rows("trace_summaries", answers[:3])
    assert (theme("generations")["step"], theme("generations")["answered"]) == ("summaries", 3)
    planted.insert_rows("trace_summaries", answers)
    assert theme("generations")["step"] == "embeddings"
    store_run(planted, "generations", {0: ids(0, 5)}, level="generation", team_id=MINE)
    assert theme("generations")["step"] == "names"
    traces = theme("traces")
    assert (traces["step"], traces["clusters"], traces["named"]) == ("done", 10, 10)


def test_a_run_is_on_as_long_as_rows_come(client: TestClient, site: Site) -> None:
    query = {"date": DAY.isoformat()}
    last = datetime.fromisoformat(client.get(f"{TEAM}/progress", params=query).json()["last_row_at"])
    site.clock = lambda: last + timedelta(seconds=30)
    assert client.get(f"{TEAM}/progress", params=query).json()["is_running"] is True
    site.clock = lambda: last + timedelta(minutes=30)
    assert client.get(f"{TEAM}/progress", params=query).json()["is_running"] is False
    nothing = client.get("/api/v1/teams/77/progress", params=query).json()
    assert (nothing["is_running"], nothing["last_row_at"]) == (False, None)


def test_a_run_that_has_ended_is_not_on(client: TestClient, planted: Database, site: Site) -> None:
    query = {"date": DAY.isoformat()}
    last = datetime.fromisoformat(client.get(f"{TEAM}/progress", params=query).json()["last_row_at"])
    site.clock = lambda: last + timedelta(seconds=30)
    record_ended(planted, TeamDay(OTHER, DAY))
    assert client.get(f"{TEAM}/progress", params=query).json()["is_running"] is True
    record_ended(planted, TeamDay(MINE, DAY))
    assert client.get(f"{TEAM}/progress", params=query).json()["is_running"] is False
    # Another one begins.
    row = planted.rows("SELECT * FROM trace_summaries FINAL WHERE team_id = 1 AND item_id = 't0'")[0]
    now = planted.value("SELECT now64(6)")
    planted.insert_rows("trace_summaries", [{**row, "inserted_at": now}])
    site.clock = lambda: now + timedelta(seconds=30)
    assert client.get(f"{TEAM}/progress", params=query).json()["is_running"] is True


def test_the_results_page_shows_a_run_that_is_on(client: TestClient, planted: Database, site: Site) -> None:
    now = planted.value("SELECT now64(6)")
    row = planted.rows("SELECT * FROM trace_summaries FINAL WHERE team_id = 1 AND item_id = 't0'")[0]
    today = now.date()
    planted.insert_rows("trace_summaries", [{**row, "day": today, "inserted_at": now}])
    site.clock = lambda: now + timedelta(seconds=30)
    page = client.get(f"/teams/{MINE}/results?date={today}").text
    assert "A run is at work on these days" in page
    assert 'data-every="3"' in page
    part = client.get(f"/teams/{MINE}/progress?date={today}").text
    assert part.lstrip().startswith("<section")
    assert part.strip() in page
    site.clock = lambda: now + timedelta(minutes=30)
    assert "A run is at work" not in client.get(f"/teams/{MINE}/results?date={today}").text


def test_a_page_without_results_waits_for_them_on_any_day(client: TestClient, planted: Database, site: Site) -> None:
    site.clock = lambda: planted.value("SELECT now64(6)") + timedelta(days=40)
    assert 'data-every="20"' in client.get("/teams/77/results?date=2026-10-01").text
    assert 'data-every="0"' in client.get(f"/teams/{MINE}/results?date={DAY}&theme=traces").text
