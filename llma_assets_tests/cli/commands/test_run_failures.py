"""`llma run` where models fail: the exit code, the status, the skips and the closing lines say so, and nothing is
published on what is left over.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.testing import REFUSAL, ChatServer, Fault, Request, Status, Vectors, day_of_traces, trace, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 7)
NAN = float("nan")
PUBLISHED = "SELECT count() FROM events FINAL WHERE event IN ('$ai_trace_clusters', '$ai_generation_clusters')"


@pytest.fixture
def traffic(database: Database, settings: Settings) -> Database:
    """A team with 24 traces of a day, and another one with the same ids."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("lookback_days = 2\n")
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, DAY, 24))
    return database


def use(monkeypatch: pytest.MonkeyPatch, server: ChatServer, *, embeds: bool = False) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("LLMA_CHAT_MODEL", "offline" if embeds else "gpt-4.1-nano")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "my-embedder" if embeds else "offline")


@pytest.mark.parametrize("fault", [Status(400, "who are you"), Status(503)], ids=["refused", "away"])
def test_a_run_that_got_nothing_of_its_model_has_failed(
    traffic: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    with ChatServer(always=fault) as server:
        use(monkeypatch, server)
        ran = llma_json("run", "--team", "1", "--date", str(DAY))
        assert len(server.calls()) <= 60
    (team,) = ran.document["teams"]
    assert (ran.code, team["status"]) == (1, "failed")
    assert {row["reason"] for row in team["left"]} <= {"summaries_failed", "server_error", "circuit_open"}
    assert team["left"]
    skips = llma_json("skips", "--date", str(DAY)).document["skips"]
    assert {row["team"] for row in skips if row["stage"] == "trace_summaries"} == {1}
    assert traffic.value("SELECT count() FROM summary_failures") == 0
    assert traffic.value(PUBLISHED) == 0
    with ChatServer() as server:
        use(monkeypatch, server)
        ran = llma_json("run", "--team", "1", "--date", str(DAY))
    (team,) = ran.document["teams"]
    assert (ran.code, team["status"], team["left"]) == (0, "done", [])
    assert traffic.value(PUBLISHED) == 2


def test_a_run_whose_vectors_are_all_nan_has_failed(
    traffic: Database, llma: Llma, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(request: Request) -> Fault:
        return Vectors(((NAN,) * 4,) * len(request.body["input"]))

    with ChatServer(judge=judge) as server:
        use(monkeypatch, server, embeds=True)
        result = llma("run", "--team", "1", "--date", str(DAY))
    assert result.exit_code == 1
    assert "24 of 24: the model my-embedder gave nothing that can be used" in result.stderr
    assert "embeddings_failed" in llma("skips", "--date", str(DAY)).stdout
    assert traffic.value(PUBLISHED) == 0


def test_a_day_whose_items_all_fail_by_themselves_does_not_block_the_day_after_it(
    traffic: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = DAY - timedelta(days=1)
    for number in range(3):
        noon = datetime.combine(before, time(12, number), tzinfo=UTC)
        write_events(traffic, trace(1, f"bad-{number}", noon, request=f"something forbidden, number {number}"))
    with ChatServer(judge=lambda request: REFUSAL if "forbidden" in request.prompt else None) as server:
        use(monkeypatch, server)
        ran = llma_json("run", "--team", "1", "--date", str(DAY))
    (team,) = ran.document["teams"]
    assert (ran.code, team["status"], team["reason"]) == (1, "failed", "all_failed")
    assert {row["date"] for row in team["left"]} == {str(before)}
    assert traffic.value(PUBLISHED) == 2


def test_a_run_that_left_everything_for_want_of_money_is_done_and_says_so(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_DAILY_BUDGET_USD", "0")
    with ChatServer() as server:
        use(monkeypatch, server)
        result = llma("run", "--team", "1", "--date", str(DAY))
        assert server.calls() == []
    assert result.exit_code == 0, result.output
    assert "trace_summaries, budget (2026-11-07): traces: 24 of 24 items deferred" in result.stderr
    assert traffic.value(PUBLISHED) == 0
