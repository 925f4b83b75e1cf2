"""The week, releases on trends, whether a cluster became rarer: as pages and by the API, of the team alone."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights import Cause, ClusterCauses, Reference, add_release
from llma_assets.insights.causes.store import store
from llma_assets.reports import digest_of
from llma_assets.tasks import close_task
from llma_assets.team_day import TeamDay, midnight
from llma_assets.testing.segments import MONDAY
from llma_assets.web import Site
from llma_assets_tests.alerts.test_incidents import close_task_of
from llma_assets_tests.cli.commands.test_verify import FIXED, LINEAGE, plant
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run
from llma_assets_tests.tasks.passing import a_pass, tasks
from llma_assets_tests.trackers.conftest import planted_fix

API = "/api/v1/teams"


@pytest.fixture
def month(client: TestClient, planted: Database) -> TestClient:
    """Thirty days in the place of the one that is planted: the problem of team 1 becomes rare, that of team 2 stays."""
    plant(planted)
    for team_id, name in ((1, "2.1 <b>"), (2, "of the other team")):
        add_release(planted, team_id, name, midnight(FIXED) + timedelta(hours=6), by="ann")
    return client


def test_the_week_is_a_page_and_a_document(month: TestClient) -> None:
    page = month.get(f"/teams/1/week?date={DAY}").text
    assert "15.7% to 5.0%" in page
    assert f'href="/teams/1/clusters/{LINEAGE}' in page
    said = month.get(f"{API}/1/digest", params={"date": DAY.isoformat()}).json()["sentences"]
    assert [each["topic"] for each in said] == ["new", "grown", "faded", "quality", "spend"]
    day = month.get(f"{API}/1/digest", params={"date": DAY.isoformat(), "period": "day"}).json()
    assert (day["from"], day["until"]) == (DAY.isoformat(), DAY.isoformat())
    alone = month.get(f"/teams/1/week?date={DAY}&period=day").text
    assert f'The day <span class="muted">{DAY}</span>' in alone
    assert "this week" not in alone
    assert "began on" in alone
    assert month.get(f"{API}/77/digest").status_code == 404
    assert month.get("/teams/77/week").status_code == 404


def test_releases_stand_on_the_days_of_trends(month: TestClient) -> None:
    page = month.get("/teams/1/trends?theme=traces").text
    assert '<line class="release"' in page
    assert "2.1 &lt;b&gt;" in page
    assert "of the other team" not in page


def test_a_cluster_says_whether_it_became_rarer(month: TestClient) -> None:
    address = f"/teams/1/clusters/{LINEAGE}?theme=traces&date={DAY}"
    assert "Name the day of a release" in month.get(address).text
    assert "It became rarer" in month.get(f"{address}&since={FIXED}").text
    of = {"since": FIXED.isoformat()}
    found = [month.get(f"{API}/{team}/clusters/{LINEAGE}/verification", params=of).json() for team in (1, 2)]
    assert [each["traces"]["verdict"] for each in found] == ["less", "no_clear_change"]
    assert found[0]["change"] == FIXED.isoformat()
    assert month.get(f"{API}/1/clusters/nothing/verification", params=of).status_code == 404


def test_what_sets_clusters_apart_is_a_document_of_what_is_stored(month: TestClient) -> None:
    assert month.get(f"{API}/1/attributes", params={"date": DAY.isoformat()}).json()["runs"] == []


def test_causes_are_a_document_of_the_team_alone(client: TestClient, planted: Database) -> None:
    for team_id, words in ((1, "The tool <times> out."), (2, "Of the other team.")):
        run = committed_run(planted, TeamDay(team_id, DAY), "traces")
        assert run is not None
        cause = Cause(words, "Look at its log.", (Reference("trace-1", 3, "timed out"),), judged=True)
        store(planted, run, [ClusterCauses(0, "found", "", "model-x", (cause,))], "x")
    found = client.get(f"{API}/1/causes", params={"date": DAY.isoformat(), "theme": "traces"}).json()
    (theme,) = found["themes"]
    assert (theme["theme"], theme["is_on"]) == ("traces", False)
    (only,) = theme["clusters"]
    assert only["found"]["causes"] == [
        {
            "cause": "The tool <times> out.",
            "confirm": "Look at its log.",
            "references": [{"trace_id": "trace-1", "line": 3, "quote": "timed out"}],
            "judged": True,
        }
    ]
    page = client.get("/teams/1/clusters/traces-0", params={"date": DAY.isoformat(), "theme": "traces"}).text
    assert 'href="/teams/1/trace?id=trace-1#L3">Line 3</a>' in page
    assert ("The tool &lt;times&gt; out." in page, "Of the other team." in page) == (True, False)
    assert client.get(f"{API}/77/causes", params={"date": DAY.isoformat()}).json()["themes"] == []
    described = client.get("/api/v1/openapi.json").json()
    assert "CausesReport" in described["components"]["schemas"]


def test_the_page_of_a_closed_task_says_whether_the_fix_worked(
    client: TestClient, planted: Database, site: Site
) -> None:
    for team_id, bad_after in ((1, 6), (2, 0)):
        close_task(planted, team_id, planted_fix(planted, team_id, bad_after), by="ann", now=MONDAY)
        a_pass(planted, MONDAY + timedelta(days=11), team_id=team_id)
    site.clock = lambda: MONDAY + timedelta(days=11)
    pages = []
    for team_id in (1, 2):
        (task,) = [each for each in tasks(planted, site.clock(), team_id) if "error" in each.title.lower()]
        pages.append(client.get(f"/teams/{team_id}/tasks/{task.task_id}").text)
    assert "The task was closed, but its rate has not fallen clearly" in pages[0]
    assert "The fix is confirmed." not in pages[0]
    assert "The problem is gone" in pages[1]
    assert "The fix is confirmed." in pages[1]
    assert "before and after the task was closed by ann" in pages[0].lower()


def test_how_much_is_unseen_is_told_of_themes_that_look_for_something_and_stands_on_the_page(
    client: TestClient, database: Database
) -> None:
    for team_id, alone in ((1, 4), (2, 16)):
        clusters = {0: ids(0, 20), 1: ids(20, 36), -1: ids(36, 36 + alone)}
        for theme_id in ("error_analysis", "traces"):
            store_run(database, theme_id, clusters, team_id=team_id)
        database.execute(
            "ALTER TABLE clustering_runs UPDATE lineage = '{\"x\": 1}' WHERE team_id = {t:Int64} "
            "SETTINGS mutations_sync = 2",
            t=team_id,
        )
    quality = {
        (team_id, theme_id): digest_of(database, team_id, theme_id=theme_id).sentences[3]
        for team_id in (1, 2)
        for theme_id in ("error_analysis", "traces")
    }
    assert "unseen" not in quality[1, "traces"].numbers
    found = quality[1, "error_analysis"]
    assert [found.numbers[name] for name in ("unseen", "unseen_low", "unseen_high")] == [0.1, 0.007, 0.193]
    assert "at most 10.0% (0.7% to 19.3%) of what it found is of kinds not seen yet" in found.text
    assert quality[2, "error_analysis"].numbers["unseen"] == round(16 / 52, 4)
    page = client.get(f"/teams/1/results?date={DAY}&theme=error_analysis").text
    assert "≤ 10 % (0.7 % to 19 %)" in page.replace("\u202f", " ").replace("\xa0", " ")
    assert "Of kinds not seen yet" not in client.get(f"/teams/1/results?date={DAY}&theme=traces").text


def test_closed_tasks_stand_on_the_days_of_trends_and_whether_that_helped(
    month: TestClient, planted: Database, site: Site
) -> None:
    site.clock = lambda: midnight(DAY) + timedelta(hours=12)
    for team_id, lineage in ((1, LINEAGE), (2, "traces-1")):
        close_task_of(planted, lineage, midnight(FIXED) - timedelta(hours=2), team_id=team_id)
    mine, other = (month.get(f"/teams/{team_id}/trends?theme=traces").text for team_id in (1, 2))
    assert mine.count('class="release closing"') == other.count('class="release closing"') == 1
    assert "rarer since, but still there" in mine
    assert "its rate did not fall" in other
    assert "its rate did not fall" not in mine
