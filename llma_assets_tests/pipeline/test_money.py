"""Money in the whole graph: a day with a budget, from events to published clusters, and the commands that show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.partitions import partition_key
from llma_assets.ledger import list_skips, predicted_and_actual, spending, spending_within_budget
from llma_assets.models import PriceUnknown, price_of
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, day_of_traces, real_bill, write_events
from llma_assets_tests.cli.conftest import Answer, Llma, llma, llma_json
from llma_assets_tests.pipeline.runs import Pipeline, told

pytestmark = pytest.mark.slow

__all__ = ["llma", "llma_json"]  # fixtures of the command line's tests

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
STAGES = ("trace_summaries", "summary_embeddings", "cluster_labels")


@pytest.fixture
def pipeline(environment: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1")
    return Pipeline(database)


@contextmanager
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with ChatServer(bill=real_bill) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def billed_usd(running: ChatServer) -> float:
    total = 0.0
    for model, spoken, said in running.billed:
        price = price_of(model)
        assert price is not None
        total += price.cost_usd(input_tokens=spoken, output_tokens=said)
    return total


def run(pipeline: Pipeline, team_id: int = 1) -> dict[str, dict[str, Any]]:
    """Run a team's day; the metadata of the stages that spend."""
    found = {}
    for result in (pipeline.texts(team_id, DAY, DAY), pipeline.clusters(team_id, DAY)):
        assert result.success
    for stage in STAGES:
        record = pipeline.instance.get_latest_materialization_event(dg.AssetKey(stage))
        assert record is not None
        materialization = record.asset_materialization
        assert materialization is not None
        assert materialization.partition == partition_key(TeamDay(team_id, DAY))
        found[stage] = told(materialization.metadata)
    return found


def test_a_budget_stops_a_day_without_failing_it_and_more_money_finishes_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 40))
    monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "0.20")
    with server(monkeypatch) as running:
        metadata = run(pipeline)
        spent = billed_usd(running)
        assert 0.1 < spent <= 0.20
        summaries = metadata["trace_summaries"]
        assert (summaries["status"], summaries["budget_usd"]) == ("budget", 0.2)
        assert summaries["undone_for_budget"] > 0
        assert not summaries.get("traces_failed")
        assert summaries["spent_of_day_usd"] <= 0.18 + 1e-9
        reasons = {(skip.stage, skip.reason) for skip in list_skips(pipeline.database, day=DAY, team_id=1)}
        assert ("trace_summaries", "budget") in reasons
        assert spending(pipeline.database, TEAM, datetime.now(UTC).date()).of_day == pytest.approx(spent)
        assert all(outcome.passed for outcome in spending_within_budget(pipeline.database, TEAM))

        calls = len(running.requests)
        run(pipeline)
        assert billed_usd(running) <= 0.20
        assert len(running.requests) - calls <= 2  # what became affordable by what other calls gave back

        monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "5")
        metadata = run(pipeline)
        assert {stage: of_stage["status"] for stage, of_stage in metadata.items()} == dict.fromkeys(STAGES, "done")
        assert list_skips(pipeline.database, day=DAY, team_id=1) == []
    assert len(pipeline.published()) >= 2


def test_vectors_and_names_that_nobody_paid_for_wait_as_well(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 24))
    monkeypatch.setenv("LLMA_CHAT_MODEL", "offline")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "text-embedding-3-large")
    monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "0")

    def waiting() -> set[str]:
        return {skip.stage for skip in list_skips(pipeline.database, day=DAY, team_id=1) if skip.reason == "budget"}

    with server(monkeypatch) as running:
        assert pipeline.texts(1, DAY, DAY).success
        assert (running.requests, waiting()) == ([], {"summary_embeddings"})
        monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "1")
        assert pipeline.texts(1, DAY, DAY).success
        assert waiting() == set()
        calls = len(running.requests)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1")
        monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "0.0001")
        assert pipeline.clusters(1, DAY).success
        assert (len(running.requests), waiting()) == (calls, {"cluster_labels"})


def test_every_call_of_every_stage_is_in_model_usage_as_the_server_billed_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 24))
    with server(monkeypatch) as running:
        metadata = run(pipeline)
        tokens = [sum(each) for each in zip(*((spoken, said) for _, spoken, said in running.billed), strict=True)]
        usd = billed_usd(running)
        requests = len(running.requests)
    rows = pipeline.database.rows(
        "SELECT stage, count() AS calls, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cost_usd) AS c "
        "FROM model_usage FINAL WHERE team_id = 1 GROUP BY stage"
    )
    assert {row["stage"] for row in rows} == set(STAGES)
    assert sum(row["calls"] for row in rows) == requests
    assert [sum(row["i"] for row in rows), sum(row["o"] for row in rows)] == tokens
    assert sum(row["c"] for row in rows) == pytest.approx(usd)
    compared = {(each.stage, each.theme_id): each for each in predicted_and_actual(pipeline.database, TEAM)}
    for theme in ("traces", "generations"):
        summaries = compared["trace_summaries", theme]
        assert summaries.actual_calls == summaries.calls
        assert summaries.actual_input_tokens == pytest.approx(summaries.input_tokens, rel=0.02)
        embedded = compared["summary_embeddings", theme]
        assert embedded.actual_input_tokens == embedded.input_tokens
        assert metadata["trace_summaries"][f"{theme}_predicted_calls"] == summaries.calls
        assert metadata["trace_summaries"][f"{theme}_actual_calls"] == summaries.actual_calls


def test_the_commands_tell_before_and_after(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, llma_json: Callable[..., Answer], llma: Llma
) -> None:
    teams_file = Settings.from_env().data_dir / "teams.toml"
    teams_file.parent.mkdir(exist_ok=True)
    teams_file.write_text("lookback_days = 1\n")
    write_events(pipeline.database, day_of_traces(1, DAY, 24))
    ask = (
        "estimate",
        "--team",
        "1",
        "--date",
        str(DAY),
        "--model",
        "gpt-4.1",
        "--embedding-model",
        "text-embedding-3-large",
    )
    nothing = llma(*ask)
    assert nothing.exit_code == 1
    assert "no texts are stored for team 1, 2026-11-07 yet, so there is nothing to count; 24 traces" in nothing.stderr
    assert f"llma run --texts-only --team 1 --date {DAY}" in nothing.stderr
    with server(monkeypatch) as running:
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1")
        texts = llma("run", "--texts-only", "--team", "1", "--date", str(DAY))
        assert texts.exit_code == 0, texts.output
        before = llma_json(*ask).document
        assert running.requests == []
        assert [row["calls"] for row in before["stages"]] == [24, 24, 1, 1, 1, 1]
        assert before["total"]["batch_cost_usd"] < before["total"]["cost_usd"]
        assert before["budget"] is None
        assert llma("run", "--team", "1", "--date", str(DAY)).exit_code == 0
        after = llma_json(*ask).document
        assert after["total"]["calls"] == 0
        assert [row["done"] for row in after["stages"]][:4] == [24] * 4
        teams_file.write_text("lookback_days = 1\n[teams.1]\ndaily_budget_usd = 0.01\n")
        usage = llma_json("usage", "--team", "1", "--date", str(DAY)).document
        assert usage["total"]["cost_usd"] == pytest.approx(billed_usd(running))
        assert usage["budget"]["daily_usd"] == 0.01
    summaries = [row for row in usage["forecasts"] if row["stage"] == "trace_summaries"]
    assert [row["theme"] for row in summaries] == ["generations", "traces"]
    assert all(row["actual_calls"] == row["calls"] for row in summaries)
    assert "predicted / actual" in llma("usage", "--team", "1", "--date", str(DAY)).stdout


def test_a_budget_with_a_model_without_a_price_fails_with_the_way_out(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY - timedelta(days=1), 3))
    monkeypatch.setenv("LLMA_CHAT_MODEL", "my-own-model")
    monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "1")
    with server(monkeypatch) as running:
        day = DAY - timedelta(days=1)
        with pytest.raises(PriceUnknown, match="LLMA_PRICES_FILE"):
            pipeline.texts(1, day, day)
        assert running.requests == []
