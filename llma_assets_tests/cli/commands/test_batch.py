"""`llma run --batch` as a person meets it: submitted now, clustered when the answers are there."""

from collections.abc import Callable
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import BatchServer, day_of_traces, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 7)
RUN = ("run", "--team", "1", "--date", str(DAY))


@pytest.fixture
def traffic(database: Database) -> Database:
    """A team's day, and another team's with the same ids."""
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, DAY, 24))
    return database


def use(server: BatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llma_assets.cli.run.run_groups.BATCH_POLL_S", 0.01)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "offline")
    monkeypatch.setenv("LLMA_OLDEST_DAY", str(DAY))


@pytest.mark.slow
def test_a_run_by_batch_says_that_it_waits_and_clusters_when_the_answers_are_there(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(held=True) as server:
        use(server, monkeypatch)
        assert "waiting: batches are open for 2026-11-07" in llma(*RUN, "--batch").stdout
        assert traffic.value("SELECT count() FROM clustering_runs") == 0
        assert len(server.created) == 2
        for batch_id in server.store.polls:
            server.store.polls[batch_id] = 1
        server.held = False
        answer = llma_json(*RUN, "--batch", "--wait", "5")
        assert len(server.created) == 2
    (team,) = answer.document["teams"]
    assert (answer.code, team["status"]) == (0, "done")
    assert [run["items"] for run in team["runs"]] == [24, 24]
    assert len(team["dagster_runs"]) > 2
    assert traffic.value("SELECT count() FROM trace_summaries FINAL WHERE team_id != 1") == 0


def test_a_run_by_batch_that_is_not_done_says_so_in_json(
    traffic: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(held=True) as server:
        use(server, monkeypatch)
        answer = llma_json(*RUN, "--batch")
    (team,) = answer.document["teams"]
    assert (answer.code, team["status"], team["reason"], team["runs"]) == (0, "waiting", "batch_waiting", [])


def test_waiting_without_batches_is_wrong_use(llma: Llma) -> None:
    assert llma(*RUN, "--wait", "5").exit_code == 2


def test_batches_of_the_offline_model_are_refused_with_the_way_out(
    traffic: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_OLDEST_DAY", str(DAY))
    answer = llma_json(*RUN, "--batch")
    assert answer.code == 1
    assert "set OPENAI_API_KEY or OPENAI_BASE_URL" in answer.document["teams"][0]["detail"]
