"""The asset `trace_summaries` in real runs: what it tells of items that it could not, or no longer does, ask about."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.jobs import run_config
from llma_assets.defs.stage_work import RETRY_NUMBER, delivery
from llma_assets.ledger import list_skips
from llma_assets.summaries.dead_letters import MAX_FAILURES
from llma_assets.testing import REFUSAL, ChatServer, Request, Status, day_of_traces, write_events
from llma_assets.themes.changes import apply
from llma_assets.themes.document import Document
from llma_assets_tests.pipeline.runs import Pipeline, told
from llma_assets_tests.pipeline.test_faults import ServedChat

DAY = date(2026, 11, 7)
REFUNDS = {
    "theme_id": "refunds",
    "name": "Refunds",
    "level": "trace",
    "prompt": "Say which refund was refused, and why.",
    "model": "judge-model",
}
NO_TIME = {"ops": {"trace_summaries": {"config": {"deadline_minutes": 0}}}}


STAGES = ("trace_texts", "trace_summaries")


pytestmark = pytest.mark.usefixtures("environment")


def asked_for(server: ChatServer, model: str) -> list[Request]:
    """The requests to a model by its name."""
    return [request for request in server.calls() if request.body["model"] == model]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server that the settings name; it does not know the model `gone`."""

    def judge(request: Request) -> Status | None:
        known = "messages" not in request.body or request.body["model"] != "gone"
        return None if known else Status(404, "no such model", code="model_not_found", param="model")

    with ChatServer(judge=judge) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "team-model")
        monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "offline")
        yield server


def only(*themes: str) -> dict[str, Any]:
    """Run config of both stages for these themes."""
    return run_config(STAGES, themes)


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the materialization of `trace_summaries` says."""
    (found,) = result.asset_materializations_for_node("trace_summaries")
    return told(found.metadata)


def test_a_run_without_time_leaves_everything_undone_and_the_next_one_takes_it_up(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 3))
    with ChatServer() as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        told = metadata(pipeline.texts(1, DAY, DAY, stages=STAGES, run_config=NO_TIME))
        assert (told["items"], told["reason"], told["traces_undone"], told["traces_failed"]) == (0, "deferred", 3, 0)
        assert {skip.reason for skip in list_skips(database, day=DAY, team_id=1)} == {"run_deadline"}
        assert server.calls() == []
        told = metadata(pipeline.texts(1, DAY, DAY, stages=STAGES))
        assert (told["items"], told["traces_undone"]) == (6, 0)
    assert list_skips(database, day=DAY, team_id=1) == []


def test_the_metadata_counts_dead_letters(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 3))
    with ChatServer(judge=lambda request: REFUSAL if "(case 1)" in str(request.body) else None) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        told = [metadata(pipeline.texts(1, DAY, DAY, stages=STAGES)) for _ in range(MAX_FAILURES + 1)]
        asked = len(server.calls())
    assert [each["traces_dead_letters"] for each in told] == [0, 0, 0, 1]
    assert [each["traces_failed"] for each in told] == [1, 1, 1, 0]
    assert asked == 6 + 2 * 2 * (MAX_FAILURES - 1)  # each time with a sample, which shows that the model answers


def test_a_theme_asks_its_own_model_and_usage_names_it(database: Database, served: ChatServer) -> None:
    write_events(database, day_of_traces(1, DAY, 3))
    apply(database, 1, Document((REFUNDS,)), "me")
    told = metadata(Pipeline(database).texts(1, DAY, DAY, stages=STAGES))
    assert told["model"] == "judge-model, team-model"
    assert (told["refunds_relevant"], told["refunds_irrelevant"]) == (3, 0)
    assert "traces_relevant" not in told
    assert len(asked_for(served, "judge-model")) == 3
    assert len(asked_for(served, "team-model")) == 6
    usage = database.rows("SELECT DISTINCT theme_id, asked_model FROM model_usage ORDER BY theme_id")
    assert {row["theme_id"]: row["asked_model"] for row in usage} == {
        "generations": "team-model",
        "refunds": "judge-model",
        "traces": "team-model",
    }
    rows = database.rows("SELECT DISTINCT model FROM trace_summaries FINAL WHERE theme_id = 'refunds'")
    assert rows == [{"model": "judge-model"}]


def test_a_theme_whose_model_is_not_there_fails_alone_and_says_so(database: Database, served: ChatServer) -> None:
    write_events(database, day_of_traces(1, DAY, 3))
    apply(database, 1, Document(({**REFUNDS, "model": "gone"},)), "me")
    pipeline = Pipeline(database)
    result = pipeline.texts(1, DAY, DAY, stages=STAGES, raise_on_error=False)
    assert not result.success
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "refunds (ModelConfigurationError" in str(failure.event_specific_data)
    assert len(asked_for(served, "gone")) <= 5
    counts = database.rows("SELECT theme_id, count() AS items FROM trace_summaries FINAL GROUP BY theme_id")
    assert {row["theme_id"]: row["items"] for row in counts} == {"generations": 3, "traces": 3}
    skips = {skip.theme_id: skip.reason for skip in list_skips(database, day=DAY, team_id=1)}
    assert skips["refunds"] == "failed"
    apply(database, 1, Document((REFUNDS,)), "me")
    told = metadata(pipeline.texts(1, DAY, DAY, stages=STAGES, run_config=only("refunds")))
    assert told["refunds_generated"] == 3
    assert len(asked_for(served, "team-model")) == 6


def test_a_theme_whose_budget_cannot_be_kept_fails_alone(database: Database, served: ChatServer) -> None:
    write_events(database, day_of_traces(1, DAY, 2))
    dear = {key: value for key, value in REFUNDS.items() if key != "model"} | {"daily_budget_usd": 1.0}
    apply(database, 1, Document((dear, {"theme_id": "wishes", "prompt": "Say what the user wishes for."})), "me")
    assert not Pipeline(database).texts(1, DAY, DAY, stages=STAGES, raise_on_error=False).success
    counts = database.rows("SELECT theme_id, count() AS items FROM trace_summaries FINAL GROUP BY theme_id")
    assert {row["theme_id"]: row["items"] for row in counts} == {"generations": 2, "traces": 2, "wishes": 2}
    (failed,) = (skip for skip in list_skips(database, day=DAY, team_id=1) if skip.stage == "trace_summaries")
    assert (failed.theme_id, failed.reason) == ("refunds", "failed")
    assert "no price is known for 'team-model'" in failed.detail
    assert "remove daily_budget_usd from the theme" in failed.detail


def test_only_the_themes_of_the_config_are_asked_about(database: Database, served: ChatServer) -> None:
    write_events(database, day_of_traces(1, DAY, 3))
    apply(database, 1, Document((REFUNDS,)), "me")
    told = metadata(Pipeline(database).texts(1, DAY, DAY, stages=STAGES, run_config=only("refunds")))
    assert (told["items"], told["model"]) == (3, "judge-model")
    assert {request.body["model"] for request in served.calls()} == {"judge-model"}


def test_another_teams_themes_are_its_own(database: Database, served: ChatServer) -> None:
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, DAY, 2))
    apply(database, 2, Document((REFUNDS,)), "me")
    told = metadata(Pipeline(database).texts(1, DAY, DAY, stages=STAGES))
    assert told["model"] == "team-model"
    assert asked_for(served, "judge-model") == []


@pytest.mark.parametrize(
    ("tags", "root", "expected"),
    [({}, None, "mine"), ({}, "first", "mine"), ({RETRY_NUMBER: "1"}, "first", "first")],
)
def test_a_run_that_dagster_started_again_by_itself_counts_as_the_one_it_repeats(
    tags: dict[str, str], root: str | None, expected: str
) -> None:
    run = dg.DagsterRun(job_name="texts_job", run_id="mine", root_run_id=root, parent_run_id=root, tags=tags)
    assert delivery(run) == expected
