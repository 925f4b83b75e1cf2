"""The asset `trace_summaries` in real runs: what it tells of items that it could not, or no longer does, ask about."""

from datetime import date
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips
from llma_assets.settings import Settings
from llma_assets.summaries.assets import RETRY_NUMBER, delivery
from llma_assets.summaries.dead_letters import MOST_FAILURES
from llma_assets_tests.chat_server import REFUSAL, ChatServer
from llma_assets_tests.pipeline import Pipeline
from llma_assets_tests.test_faults import ServedChat
from llma_assets_tests.traffic import day_of_traces, write

DAY = date(2026, 11, 7)
NO_TIME = {"ops": {"trace_summaries": {"config": {"deadline_minutes": 0}}}}


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs work on the test's database."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMA_CHAT_MODEL", "LLMA_EMBEDDING_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the materialization of `trace_summaries` says."""
    (found,) = result.asset_materializations_for_node("trace_summaries")
    return {name: value.value for name, value in found.metadata.items()}


def test_a_run_without_time_leaves_everything_undone_and_the_next_one_takes_it_up(database: Database) -> None:
    write(database, day_of_traces(1, DAY, 3))
    with ChatServer() as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        told = metadata(pipeline.texts(1, DAY, DAY, run_config=NO_TIME))
        assert (told["items"], told["reason"], told["traces_undone"], told["traces_failed"]) == (0, "left_undone", 3, 0)
        assert {skip.reason for skip in list_skips(database, day=DAY, team_id=1)} == {"run_deadline"}
        assert server.calls() == []
        told = metadata(pipeline.texts(1, DAY, DAY))
        assert (told["items"], told["traces_undone"]) == (6, 0)
    assert list_skips(database, day=DAY, team_id=1) == []


def test_the_metadata_counts_dead_letters(database: Database) -> None:
    write(database, day_of_traces(1, DAY, 3))
    with ChatServer(judge=lambda request: REFUSAL if "(case 1)" in str(request.body) else None) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        told = [metadata(pipeline.texts(1, DAY, DAY)) for _ in range(MOST_FAILURES + 1)]
        asked = len(server.calls())
    assert [each["traces_dead_letters"] for each in told] == [0, 0, 0, 1]
    assert [each["traces_failed"] for each in told] == [1, 1, 1, 0]
    assert asked == 6 + 2 * (MOST_FAILURES - 1)


@pytest.mark.parametrize(
    ("tags", "root", "expected"),
    [({}, None, "mine"), ({}, "first", "mine"), ({RETRY_NUMBER: "1"}, "first", "first")],
)
def test_a_run_that_dagster_started_again_by_itself_counts_as_the_one_it_repeats(
    tags: dict[str, str], root: str | None, expected: str
) -> None:
    run = dg.DagsterRun(job_name="texts_job", run_id="mine", root_run_id=root, parent_run_id=root, tags=tags)
    assert delivery(run) == expected
