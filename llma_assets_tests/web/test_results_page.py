"""The results page: the map beside the list, and how far the clusters can be trusted."""

import json
import re
from datetime import date
from html import unescape

from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.events import event_uuid
from llma_assets.ledger import Skip, record_skip
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import HOSTILE, MINE, OTHER

PAGE = f"/teams/{MINE}/results?theme=traces&date={DAY}"
API = f"/api/v1/teams/{MINE}/results/traces"
QUERY = {"date": DAY.isoformat()}


def publish(database: Database, team_id: int) -> None:
    """An event of the theme's clusters."""
    day = TeamDay(team_id, DAY)
    row = {"uuid": event_uuid(day, TRACES), "event": TRACES.event, "team_id": team_id, "distinct_id": "x"}
    database.insert_rows("events", [{**row, "timestamp": day.start, "properties": json.dumps({})}])


def test_the_map_stands_beside_the_list_and_is_drawn_when_it_is_seen(client: TestClient) -> None:
    client.post(f"/api/v1/teams/{MINE}/clusters/traces-1/decisions", json={"action": "merge", "into": "traces-0"})
    page = client.get(PAGE).text
    assert f'data-points="/api/v1/teams/{MINE}/map/traces?date={DAY}"' in page
    assert re.findall('data-merged="(.*?)"', page) == ["1:0"]
    assert f'href="/teams/{MINE}/map?theme=traces&amp;date={DAY}"' in page
    assert "<noscript><a" in page


def test_the_quality_strip_says_what_is_known(client: TestClient, planted: Database) -> None:
    run = planted.rows("SELECT * FROM clustering_runs FINAL WHERE team_id = 1")[0]
    tests = {"title": "x", "nearest_cluster_id": 1, "nearest_distance": 0.5, "model": "m", "centroid_hits": 4}
    key = {name: run[name] for name in ("team_id", "day", "theme_id", "attempt_id")}
    rows = [{**key, **tests, "cluster_id": number, "held_out": 4, "hits": 3} for number in (0, 1)]
    planted.insert_rows("cluster_name_tests", [*rows, {**rows[0], "team_id": OTHER, "held_out": 400}])
    theme_day = {"version": "1", "matched": 90, "sampled": 90, "screened": 80, "sample_rate": 1.0}
    planted.insert_rows("theme_days", [{**theme_day, "team_id": MINE, "day": DAY, "theme_id": "traces"}])
    found = client.get(f"{API}/quality", params=QUERY).json()
    assert [
        found[name] and (found[name]["part"], found[name]["whole"]) for name in ("coverage", "outliers", "names")
    ] == [
        (51, 80),
        (1, 51),
        (6, 8),
    ]
    assert found["published_at"] is None
    page = client.get(PAGE).text
    assert "These clusters are not published" in page
    publish(planted, OTHER)
    assert client.get(f"{API}/quality", params=QUERY).json()["published_at"] is None
    publish(planted, MINE)
    assert client.get(f"{API}/quality", params=QUERY).json()["published_at"] is not None
    assert "These clusters are not published" not in client.get(PAGE).text
    assert client.get(f"{API}/quality", params={"date": date(2026, 1, 1).isoformat()}).status_code == 404


def test_what_is_not_published_says_why(client: TestClient, planted: Database) -> None:
    gates = client.get(f"{API}/gates", params=QUERY).json()
    assert gates["published_at"] is None
    # The planted clusters have other members than centroids say: a gate that blocks.
    blocking = [each for each in gates["findings"] if each["blocking"]]
    assert gates["failed"] == sum(not each["warns"] for each in gates["findings"]) > 0
    if blocking:
        assert blocking[0]["found"] in gates["not_published_because"]
    page = client.get(f"/teams/{MINE}/results/gates?theme=traces&date={DAY}").text
    assert "Not published because" in page
    record_skip(planted, Skip(MINE, date(2026, 11, 1), "cluster_assignments", "traces", "too_few_items", "3 of 20"))
    early = client.get(f"{API}/gates", params={"date": "2026-11-01"}).json()
    assert "too few items (3 of 20)" in early["not_published_because"]
    assert client.get(f"/teams/{MINE}/results/gates?theme=none&date={DAY}").status_code == 404


def test_numbers_link_to_the_rows_that_they_count(client: TestClient, planted: Database) -> None:
    client.post(f"/api/v1/teams/{MINE}/clusters/traces-1/decisions", json={"action": "merge", "into": "traces-0"})
    client.post(f"/api/v1/teams/{MINE}/clusters/traces-2/decisions", json={"action": "take_out", "item_id": "t20"})

    def linked(page: str) -> dict[str, int]:
        """The number in each link to the table."""
        found = re.findall(r'<a href="(/teams/\d+/items\?[^"]*)"[^>]*>([\d,]+)</a>', page)
        return {unescape(path): int(number.replace(",", "")) for path, number in found}

    def counted(path: str) -> int:
        (number,) = re.findall(r" of ([\d,]+) · Take", client.get(path).text)
        return int(number.replace(",", ""))

    page = client.get(PAGE).text
    links = linked(page)
    clusters = client.get(API, params=QUERY).json()["clusters"]
    assert len(links) == len(clusters) + 1, "each row, and all items"
    assert {path: counted(path) for path in links} == links
    table = f"/teams/{MINE}/items?theme=traces&date={DAY}"
    assert (links[table], links[f"{table}&cluster=traces-0"], links[f"{table}&cluster=outliers"]) == (51, 10, 2)
    assert re.search(r'href="[^"]*cluster=outliers">[\d.]+ %</a>', page)
    assert not any(f'"{word}' in page or f">{word}" in page for word in HOSTILE if "<" in word)
    assert linked(client.get(PAGE.replace(f"teams/{MINE}", f"teams/{OTHER}")).text).keys().isdisjoint(links)
    # The table leaves out what people hid: the number of all is no link to it.
    client.post(f"/api/v1/teams/{MINE}/clusters/traces-3/decisions", json={"action": "hide"})
    for query in ("", "&hidden=true"):
        links = linked(client.get(PAGE + query).text)
        assert table not in links
        assert {path: counted(path) for path in links} == links
        assert (f"{table}&cluster=traces-3" in links) == bool(query)


def test_of_clusters_whose_members_may_not_be_shown_the_number_is_no_link(
    client: TestClient, planted: Database
) -> None:
    rows = planted.rows("SELECT * FROM clusters FINAL WHERE team_id = 1 AND cluster_id = 0")
    planted.insert_rows("clusters", [{**row, "disclosure": "without_examples"} for row in rows])
    page = client.get(PAGE).text
    assert f"/teams/{MINE}/clusters/traces-0?" in page
    assert "cluster=traces-1" in page
    assert "cluster=traces-0" not in page
