"""One cluster: who its members are, what does not belong there, other themes beside it, and a task made of it."""

import json
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights import find_attributes
from llma_assets.reports import overlap_report
from llma_assets.serialization import json_object
from llma_assets.tasks import list_tasks
from llma_assets.team_day import TeamDay
from llma_assets.testing import similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run
from llma_assets_tests.tasks.passing import a_pass
from llma_assets_tests.web.conftest import CHANGER, READER, STRANGER, bearer
from llma_assets_tests.web.planted import MINE, OTHER

API = f"/api/v1/teams/{MINE}/clusters/traces-0"
QUERY = {"theme": "traces", "date": DAY.isoformat()}


def send(client: TestClient, **fields: str) -> Any:
    """The answer to a form of the cluster's page."""
    client.get("/sign-in")  # any page gives the key of forms
    form = {"form_key": client.cookies["llma_form"], **QUERY, **fields}
    return client.post(f"/teams/{MINE}/clusters/traces-0", data=form)


def test_a_member_that_does_not_belong_there_is_taken_out_and_put_back(client: TestClient) -> None:
    before = client.get(API, params=QUERY).json()
    assert "does not belong here" in client.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY).text
    page = send(client, action="take_out", item="t1").text
    assert "taken out by me" in page
    found = client.get(API, params=QUERY).json()
    assert found["result"]["cluster"]["size"] == before["result"]["cluster"]["size"] - 1
    assert [(each["item_id"], each["author"]) for each in found["taken_out"]] == [("t1", "me")]
    assert "t1" not in {each["item"] for each in found["typical"] + found["farthest"]}
    table = client.get(f"/api/v1/teams/{MINE}/items/traces", params={**QUERY, "outliers": "true"}).json()
    assert {each["item"] for each in table["items"]} == {"stray", "t1"}
    assert "is not in" in send(client, action="take_out", item="t11").text
    wrong = client.post(f"{API}/decisions", json={"action": "take_out", "item_id": "t11"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "item_id")
    back = client.post(f"{API}/decisions", json={"action": "put_back", "item_id": "t1"})
    assert back.json()["edits"][0]["item_id"] == "t1"
    assert client.get(API, params=QUERY).json()["result"] == before["result"]


def test_beside_each_member_stands_what_its_summary_says_with_links_to_the_lines(
    client: TestClient, planted: Database
) -> None:
    def said(item_id: str, team_id: int, *points: dict[str, str], **other: Any) -> None:
        rows = planted.rows(f"SELECT * FROM trace_summaries FINAL WHERE team_id = {team_id} AND item_id = '{item_id}'")
        planted.insert_rows("trace_summaries", [{**row, "bullets": json.dumps(points), **other} for row in rows])

    hostile = {"text": "asked for <img src=x onerror=alert(1)>", "line_refs": "L01-2, L12"}
    said("t0", MINE, {"text": "nothing shows this", "line_refs": ""}, hostile)
    said("t1", MINE, *[{"text": f"point {number}", "line_refs": f"L{number}"} for number in range(1, 6)])
    said("t2", MINE, {"text": "of a failed one", "line_refs": "L1"}, status="failed")
    said("t0", OTHER, {"text": "what others said", "line_refs": "L1"})
    points = {each["item_id"]: each["points"] for each in client.get(API, params=QUERY).json()["points"]}
    assert points["t0"] == [hostile]
    assert [each["text"] for each in points["t1"]] == ["point 1", "point 2", "point 3"]
    assert points.keys() == {"t0", "t1", "t3", "t4"}
    page = client.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY).text
    assert "asked for &lt;img src=x onerror=alert(1)&gt;" in page
    for line in (1, 12):
        assert f'href="/teams/{MINE}/trace?id=t0#L{line}">L{line}</a>' in page
    assert 'id="L1"' in client.get(f"/teams/{MINE}/trace?id=t0").text
    assert not any(words in page for words in ("<img", "what others said", "nothing shows this", "of a failed one"))
    send(client, action="take_out", item="t0")
    assert "t0#L1" not in client.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY).text


def test_a_cluster_says_which_models_releases_and_users_it_comes_from(
    client: TestClient, planted: Database, site: Site
) -> None:
    rows = planted.rows("SELECT * FROM trace_texts FINAL WHERE item_id IN ('t0', 't1', 't2', 't10')")
    users = {"t0": 7, "t1": 7, "t2": 8, "t10": 7}
    planted.insert_rows("trace_texts", [{**row, "user_hash": users[row["item_id"]]} for row in rows])
    key = {"distinct_id": "u", "event": "$ai_generation", "timestamp": rows[0]["trace_timestamp"]}
    planted.insert_rows(
        "events",
        [
            {
                **key,
                "uuid": f"00000000-0000-0000-000{team_id}-{number:012d}",
                "team_id": team_id,
                "properties": json.dumps(
                    {"$ai_trace_id": f"t{number}", "$ai_model": f"m-{number < 3:d}", "v": f"{team_id}.0"}
                ),
            }
            for team_id in (MINE, OTHER)
            for number in (0, 1, 2, 3, 4, 10, 11, 12)
        ],
    )
    folder = site.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "teams.toml").write_text('release_property = "v"\n')
    run = committed_run(planted, TeamDay(MINE, DAY), "traces")
    assert run is not None
    find_attributes(planted, run, release_property="v")
    parts = client.get(API, params=QUERY).json()["parts"]
    described = [
        [(each["value"], each["traces"], each["share"]["whole"], each["other_traces"]) for each in parts[name] or ()]
        for name in ("models", "releases")
    ]
    assert described[0] == [("m-1", 3, 5, 0), ("m-0", 2, 5, 3)]
    assert described[1] == [("1.0", 5, 5, 3)]
    assert [(each["traces"], each["other_traces"]) for each in parts["users"]] == [(2, 1), (1, 0)]
    assert (parts["user_count"], parts["other_user_count"]) == (2, 1)
    page = client.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY).text
    assert "m-1" in page
    assert "1.0" in page


def test_clusters_of_other_themes_are_compared_as_the_two_themes_are(client: TestClient, planted: Database) -> None:
    for team_id in (MINE, OTHER):
        store_run(planted, "failures", {0: ids(0, 5), 1: ids(10, 15)}, team_id=team_id)
    (theme,) = client.get(f"{API}/other-themes", params=QUERY).json()["themes"]
    whole = json_object(overlap_report(planted, TeamDay(MINE, DAY), "traces", "failures"))
    mine = [each for each in whole["pairs"] if each["first"]["cluster"] == "traces-0"]
    assert theme["pairs"] == [each for each in mine if each["shared"]]
    assert theme["pairs"][0]["second"]["cluster"] == "failures-0"
    assert theme["pairs"][0]["more_than_chance"] is True
    page = client.get(f"/teams/{MINE}/clusters/traces-0/themes", params=QUERY).text
    assert f"/teams/{MINE}/clusters/failures-0" in page
    assert client.get(f"{API}/other-themes", params={**QUERY, "theme": "none"}).status_code == 404


def test_a_task_is_made_of_a_cluster_once_and_links_both_ways(client: TestClient, planted: Database) -> None:
    task = send(client, action="make_task")
    assert "Made of a cluster" in task.text
    assert f"/teams/{MINE}/clusters/traces-0" in task.text
    again = send(client, action="make_task")
    assert again.url == task.url
    task_id = str(task.url).rsplit("/", 1)[1]
    assert f"/teams/{MINE}/tasks/{task_id}" in client.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY).text
    made = client.post(f"{API}/task", json=QUERY)
    assert (made.status_code, made.json()) == (200, {"task_id": task_id, "is_new": False})
    details = client.get(f"/api/v1/teams/{MINE}/tasks/{task_id}").json()
    assert {each["item_id"] for each in details["traces"]} == set(ids(0, 5))
    assert (details["occurrence_count"], details["lineage_id"]) == (5, "traces-0")
    assert [(each["change"], each["changed_by"]) for each in details["history"]] == [("created", "me")]
    assert client.get(f"/api/v1/teams/{OTHER}/tasks").json()["tasks"] == []
    assert client.post(f"{API[:-1]}99/task", json=QUERY).status_code == 404


def test_the_work_on_session_replays_leaves_a_clusters_task_alone(client: TestClient, planted: Database) -> None:
    made = client.post(f"{API}/task", json=QUERY)
    assert made.status_code == 201
    task_id = made.json()["task_id"]
    write_segments(planted, similar_segments("a", 0))
    later = MONDAY + timedelta(days=400)
    for now in (MONDAY + timedelta(days=1), later):
        a_pass(planted, now)
    of_cluster, of_replays = sorted(list_tasks(planted, MINE, now=later), key=lambda each: each.task_id != task_id)
    assert (of_cluster.status, of_replays.status) == ("new", "resolved")
    closed = client.post(f"/api/v1/teams/{MINE}/tasks/{task_id}/decisions", json={"action": "close"}).json()
    assert closed["status"] == "resolved"
    merge = {"action": "merge", "others": [of_replays.task_id]}
    assert client.post(f"/api/v1/teams/{MINE}/tasks/{task_id}/decisions", json=merge).status_code == 422


def test_who_may_only_read_changes_nothing(guarded: TestClient) -> None:
    for token, expected in ((READER, 403), (STRANGER, 404), (CHANGER, 201)):
        assert guarded.post(f"{API}/task", json=QUERY, headers=bearer(token)).status_code == expected
    member = {"action": "take_out", "item_id": "t1"}
    assert guarded.post(f"{API}/decisions", json=member, headers=bearer(READER)).status_code == 403
    page = guarded.get(f"/teams/{MINE}/clusters/traces-0", params=QUERY, headers=bearer(READER)).text
    assert "does not belong here" not in page
    assert "make_task" not in page
