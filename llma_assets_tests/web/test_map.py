"""The map: the buffer of its points, the item at a place, an area of it in the table, and what the page says."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.reports import OUTLIERS
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import STRANGER, bearer
from llma_assets_tests.web.planted import HOSTILE, MINE, SECRET

BUFFER = "/api/v1/teams/1/map/traces?date=2026-11-07"
PAGE = "/teams/1/map?date=2026-11-07&theme=traces"


def columns(body: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (n, 2), clusters (n,) and measures (n,) of a buffer."""
    n = len(body) // 11
    assert len(body) == 11 * n
    places = np.frombuffer(body, "<f4", 2 * n).reshape(2, n).T
    return places, np.frombuffer(body, "<u2", n, 8 * n), np.frombuffer(body, "u1", n, 10 * n)


def test_the_buffer_holds_each_item_once_by_cluster_outliers_last(client: TestClient) -> None:
    answer = client.get(BUFFER)
    assert answer.headers["content-type"] == "application/octet-stream"
    places, clusters, measures = columns(answer.content)
    assert places.shape == (51, 2)
    assert clusters.tolist() == [*np.repeat(np.arange(len(HOSTILE)), 5), OUTLIERS]
    assert not measures.any()
    again = client.get(BUFFER, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("colour", "scale"), [("errors", "0,0,1"), ("cost", "0.5,0.5,0.5"), ("time", "2,2,2")])
def test_points_carry_what_they_are_coloured_by(client: TestClient, colour: str, scale: str) -> None:
    answer = client.get(f"{BUFFER}&colour={colour}")
    assert answer.headers["x-scale"] == scale
    measures = columns(answer.content)[2]
    assert sorted(set(measures.tolist())) == ([0, 254] if colour == "errors" else [0])


def test_the_item_at_a_place_is_found_by_cluster_and_position(client: TestClient) -> None:
    run = client.get(BUFFER).headers["x-run"]
    found = client.get(f"/api/v1/teams/1/map/traces/item?date=2026-11-07&run={run}&cluster=1&position=2").json()
    assert (found["item"], found["lineage_id"]) == ("t12", "traces-1")
    stray = client.get(f"/api/v1/teams/1/map/traces/item?date=2026-11-07&run={run}&cluster={OUTLIERS}&position=0")
    assert stray.json()["item"] == "stray"
    beyond = client.get(f"/api/v1/teams/1/map/traces/item?date=2026-11-07&run={run}&cluster=1&position=5")
    assert beyond.status_code == 404
    older = client.get(
        "/api/v1/teams/1/map/traces/item?date=2026-11-07&cluster=1&position=0&run=00000000-0000-0000-0000-000000000000"
    )
    assert "load it again" in older.json()["detail"]


def test_what_people_hid_is_on_no_map(client: TestClient) -> None:
    decision = {"action": "hide"}
    assert client.post("/api/v1/teams/1/clusters/traces-1/decisions", json=decision).status_code == 200
    answer = client.get(BUFFER)
    assert 1 not in columns(answer.content)[1]
    run = answer.headers["x-run"]
    hidden = client.get(f"/api/v1/teams/1/map/traces/item?date=2026-11-07&run={run}&cluster=1&position=0")
    assert hidden.status_code == 404


def test_a_run_of_another_team_is_not_to_be_had(guarded: TestClient, planted: Database) -> None:
    run = committed_run(planted, TeamDay(MINE, DAY), "traces")
    assert run is not None
    own = guarded.get("/api/v1/teams/2/map/traces?date=2026-11-07", headers=bearer(STRANGER))
    assert len(own.content) == 6 * 11
    other = f"/api/v1/teams/2/map/traces/item?date=2026-11-07&run={run.attempt_id}&cluster=0&position=0"
    assert guarded.get(other, headers=bearer(STRANGER)).status_code == 404
    assert guarded.get(BUFFER, headers=bearer(STRANGER)).status_code == 404
    assert SECRET not in guarded.get(BUFFER, headers=bearer(STRANGER)).text


def test_the_page_lists_the_clusters_and_has_a_picture_without_scripts(client: TestClient) -> None:
    text = client.get(PAGE).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert text.count('type="checkbox"') == len(HOSTILE) + 1
    noscript = text[text.index("<noscript>") : text.index("</noscript>")]
    assert "/teams/1/map.png?theme=traces&amp;date=2026-11-07" in noscript
    assert "No map of 2026-11-01" in client.get("/teams/1/map?date=2026-11-01&theme=traces").text
    assert client.get("/teams/1/map?theme=none").status_code == 404


def test_trends_draw_the_flow_and_the_days_of_linked_runs(client: TestClient, planted: Database) -> None:
    for back in (0, 1):
        planted.execute(
            """
            INSERT INTO clustering_runs
            SELECT * REPLACE(day - {back:UInt8} AS day, '{"previous_day": null}' AS lineage, now64(6) AS committed_at)
            FROM (SELECT * FROM clustering_runs FINAL WHERE day = {day:Date} AND team_id = {team_id:Int64})
            """,
            back=back,
            day=DAY,
            team_id=MINE,
        )
        planted.execute(
            """
            INSERT INTO clusters
            SELECT * REPLACE(day - {back:UInt8} AS day, [lineage_id] AS lineage_parents, now64(6) AS inserted_at)
            FROM (SELECT * FROM clusters FINAL WHERE day = {day:Date} AND team_id = {team_id:Int64})
            """,
            back=back,
            day=DAY,
            team_id=MINE,
        )
    for show in ("items", "shares"):
        text = client.get(f"/teams/1/trends?theme=traces&show={show}").text
        assert text.count('class="join') == len(HOSTILE)
        assert 'class="days"' in text
        assert "<script>alert" not in text
        assert SECRET not in text
    flow = client.get("/api/v1/teams/1/lineage/traces?date=2026-11-07").json()
    assert [len(day["clusters"]) for day in flow["days"]] == [len(HOSTILE)] * 2


def test_an_area_of_the_map_is_a_part_of_the_table(client: TestClient, planted: Database) -> None:
    table = "/teams/1/items?date=2026-11-07&theme=traces"
    # All planted items lie at 0, 0.
    assert "1 to 50 of 51" in client.get(f"{table}&area=-1,-1;1,-1;1,1;-1,1").text
    assert "No items" in client.get(f"{table}&area=2,2;3,2;3,3").text
    for wrong in ("1,1;2,2", "a,b;1,2;3,4", "1,2,3;4,5;6,7", "nan,1;2,3;4,5", "inf,1;2,3;4,5"):
        answer = client.get(f"{table}&area={wrong}")
        assert answer.status_code == 422
        assert "at least three corners" in answer.text
