"""Health on a page and over HTTP: stages, dead letters, predicted beside actual; of the team alone."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.ledger import StageRun, record_stage_runs
from llma_assets.summaries import dead_letters
from llma_assets.summaries.dead_letters import MAX_FAILURES
from llma_assets.team_day import TeamDay
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import CHANGER, READER, bearer
from llma_assets_tests.web.planted import HOSTILE

PAGE = f"/teams/1/health?date={DAY}"
API = "/api/v1/teams/1/dead-letters"


def bury(database: Database, team_id: int, item_id: str) -> None:
    """Make an item a dead letter."""
    key = {"team_id": team_id, "day": DAY, "theme_id": "traces", "item_id": item_id, "content_hash": "h"}
    when = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
    database.insert_rows(
        "summary_failures",
        [
            {**key, "run_id": f"r{run}", "reason": HOSTILE[0], "retried": False, "failed_at": when}
            for run in range(MAX_FAILURES)
        ],
    )
    summary = database.rows("SELECT * FROM trace_summaries FINAL WHERE team_id = {t:Int64} LIMIT 1", t=team_id)[0]
    failed = {**summary, **key, "trace_id": item_id, "status": "failed", "error": "refusal", "relevant": True}
    database.insert_rows("trace_summaries", [{**failed, "inserted_at": when + timedelta(days=400)}])


@pytest.fixture
def buried(planted: Database) -> Database:
    for team_id, item_id in ((1, HOSTILE[1]), (1, "second"), (2, "of-the-other-team")):
        bury(planted, team_id, item_id)
    return planted


def send(client: TestClient, **fields: str) -> str:
    """The page after its form was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    return client.post(
        "/teams/1/health", data={"form_key": client.cookies["llma_form"], "date": str(DAY), **fields}
    ).text


def test_dead_letters_are_shown_and_asked_again_one_by_one_or_all(client: TestClient, buried: Database) -> None:
    page = client.get(PAGE).text
    assert "Ask again for all 2" in page
    assert "of-the-other-team" not in page
    assert HOSTILE[0] not in page
    one = {"letter_day": str(DAY), "letter_theme": "traces", "letter_item": HOSTILE[1]}
    told = send(client, **one)
    assert "1 item will be asked about again" in told
    assert f"llma run --team 1 --date {DAY}" in told
    assert [each.item_id for each in dead_letters(buried, 1)] == ["second"]
    assert "Nothing was left to ask about again" in send(client, **one)
    assert "1 item will be" in send(client, all="yes")
    assert dead_letters(buried, 1) == []
    assert len(dead_letters(buried, 2)) == 1
    assert "<p>None.</p>" in client.get(PAGE).text


def test_the_api_does_the_same_for_those_who_may(guarded: TestClient, site: Site, buried: Database) -> None:
    reader, changer = bearer(READER), bearer(CHANGER)
    listed = guarded.get(API, headers=reader, params={"limit": 1})
    assert listed.headers["x-total-count"] == "2"
    assert listed.json()["dead_letters"][0]["reason"] == HOSTILE[0]
    wanted = {"items": ["second", "unknown"]}
    assert guarded.post(f"{API}/retry", headers=reader, json=wanted).status_code == 403
    tried = guarded.post(f"{API}/retry", headers=changer, json={**wanted, "dry_run": True}).json()
    assert (tried["action"], len(dead_letters(buried, 1))) == ("dry_run", 2)
    done = guarded.post(f"{API}/retry", headers=changer, json=wanted).json()
    assert (done["action"], done["unknown_items"]) == ("brought_back", ["unknown"])
    assert [each.item_id for each in dead_letters(buried, 1)] == [HOSTILE[1]]
    other = API.replace("teams/1", "teams/2")
    assert guarded.post(f"{other}/retry", headers=changer, json={}).status_code == 404
    assert len(dead_letters(buried, 2)) == 1


def test_stages_say_what_they_hold_and_link_to_their_runs(client: TestClient, site: Site, planted: Database) -> None:
    found = client.get("/api/v1/teams/1/stages", params={"date": str(DAY)}).json()["stages"]
    held = {(each["stage"], each["theme"]): each["items"] for each in found}
    assert held["trace_texts", ""] == 51
    assert held["cluster_assignments", "traces"] == held["cluster_labels", "traces"] == 10
    page = client.get(PAGE).text
    assert "names of clusters" in page
    assert "in Dagster" not in page
    site.dagster_url = "http://127.0.0.1:3000"
    run = f"http://127.0.0.1:3000/assets/cluster_labels?view=partitions&amp;partition={DAY}%7C1"
    assert run in client.get(PAGE).text


def note(database: Database, team_id: int, run_id: str, *, ago_s: float, error: str = "", **about: str) -> None:
    """What a run did at a stage, in ten seconds up to so long ago."""
    ended, status = time.monotonic() - ago_s, "failed" if error else "done"
    work = {"team_day": TeamDay(team_id, DAY), "stage": "cluster_labels", "theme_ids": (), **about}
    row = StageRun(run_id=run_id, status=status, error=error, started=ended - 10, ended=ended, **work)  # type: ignore[arg-type]
    record_stage_runs(database, [row])


def test_a_number_links_to_the_run_that_made_it_and_none_to_another(
    client: TestClient, site: Site, planted: Database
) -> None:
    site.dagster_url = "http://127.0.0.1:3000"
    places = PAGE, f"/teams/1/results?date={DAY}&theme=traces"
    partition = f"http://127.0.0.1:3000/assets/cluster_labels?view=partitions&amp;partition={DAY}%7C1"
    note(planted, 2, "of-the-other-team", ago_s=0)
    note(planted, 1, "long-before", ago_s=3_600)
    for place in places:
        found = client.get(place).text
        assert partition in found
        assert "/runs/" not in found, "neither a run of another team, nor one that was over by then"
    # Whenever the rows were written in this test, it was within this.
    wide = time.monotonic()
    row = StageRun(TeamDay(1, DAY), "cluster_labels", "the-run", ("traces",), "done", "", wide - 3_000, wide + 3_000)
    record_stage_runs(planted, [row])
    for place in places:
        found = client.get(place).text
        assert "http://127.0.0.1:3000/runs/the-run" in found
        assert partition not in found
    stages = client.get("/api/v1/teams/1/stages", params={"date": str(DAY)}).json()["stages"]
    assert {each["stage"]: each["run_id"] for each in stages}["cluster_labels"] == "the-run"


def test_a_stage_that_failed_as_a_whole_says_why_and_what_it_paid(
    client: TestClient, site: Site, planted: Database
) -> None:
    call = {"stage": "trace_summaries", "theme_id": "traces", "model": "gpt-4o", "day": DAY, "item_id": "t0"}
    now = datetime.now(UTC)
    for team_id, ago_s, cost, error in ((1, 5, 0.25, ""), (1, 5, 0.0, "HTTP 500"), (1, 900, 9.0, ""), (2, 5, 77.0, "")):
        row = {**call, "team_id": team_id, "call_id": uuid4(), "cost_usd": cost, "error": error}
        planted.insert_rows("model_usage", [{**row, "timestamp": now - timedelta(seconds=ago_s)}])
    about = {"stage": "trace_summaries"}
    note(planted, 1, "run-of-1", ago_s=0, error=f"ValueError: {HOSTILE[0]}", **about)
    note(planted, 2, "run-of-2", ago_s=0, error="of the other team", **about)
    page = client.get(PAGE).text
    assert "It asked a model 2 times, of which 1 failed, and paid $0.25." in page
    assert "run-of-1" in page
    assert HOSTILE[0] not in page
    assert "other team" not in page + client.get("/teams/1/health").text
    site.dagster_url = "http://127.0.0.1:3000"
    assert "http://127.0.0.1:3000/runs/run-of-1" in client.get(PAGE).text
    (failure,) = client.get("/api/v1/teams/1/stages", params={"date": str(DAY)}).json()["failures"]
    assert (failure["stage"], failure["calls"], failure["failed_calls"]) == ("trace_summaries", 2, 1)
    note(planted, 1, "next-run", ago_s=-1, **about)
    assert "Stages that failed" not in client.get(PAGE).text


def test_predicted_stands_beside_what_was_paid(client: TestClient, planted: Database) -> None:
    when = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
    for team_id, cost in ((1, 3.0), (2, 77.0)):
        row = {"team_id": team_id, "day": DAY, "stage": "trace_summaries", "theme_id": "traces", "model": "gpt-4o"}
        predicted = {"items": 9, "calls": 9, "input_tokens": 90, "output_tokens": 9, "cost_usd": 2.0, "basis": ""}
        actual = {f"actual_{name}": 9 for name in ("calls", "failed_calls", "items", "input_tokens", "output_tokens")}
        ended = {"forecast_id": uuid4(), "made_at": when, "ended_at": when, "version": 2, "actual_cost_usd": cost}
        planted.insert_rows("usage_forecasts", [{**row, **predicted, **actual, **ended}])
    page = client.get(PAGE).text
    assert "50 % more" in page
    assert "$3.00" in page
    assert "$77.00" not in page


def test_checks_are_made_when_they_are_asked_for(client: TestClient, planted: Database) -> None:
    assert "Make the checks of this day now" in client.get(PAGE).text
    assert "were made" in client.get(f"{PAGE}&checks=1").text
