"""`llma run` looks for its models before it makes the texts of a week."""

from collections.abc import Callable
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import ChatServer, Fault, Request, Said, day_of_traces, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 7)
GONE = {"error": {"message": "The model `gpt-4.1-nano` has been deprecated", "code": "model_not_found"}}
RUN = ("run", "--team", "1", "--date", str(DAY))


@pytest.fixture
def traffic(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A day of two teams, with the same ids; there is no day before it."""
    monkeypatch.setenv("LLMA_OLDEST_DAY", str(DAY))
    write_events(database, day_of_traces(1, DAY, 24))
    write_events(database, day_of_traces(2, DAY, 24))
    return database


def shut_down(request: Request) -> Fault:
    return Said(404, GONE) if request.body["model"] == "gpt-4.1-nano" else None


def texts(database: Database) -> int:
    return int(database.value("SELECT count() FROM trace_texts"))


def test_a_model_that_is_gone_is_one_line_before_any_text_is_made(
    traffic: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChatServer(judge=shut_down, models=[{"id": "gpt-6-luna"}]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
        answer = llma_json(*RUN)
        assert len(server.calls()) == 1
    (team,) = answer.document["teams"]
    assert (answer.code, team["status"], texts(traffic)) == (1, "failed", 0)
    assert team["detail"] == (
        "LLMA_CHAT_MODEL is 'gpt-4.1-nano': 127.0.0.1 does not know the model 'gpt-4.1-nano'; it offers gpt-6-luna"
    )


def test_who_makes_texts_alone_needs_no_model(traffic: Database, llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(judge=shut_down) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
        assert llma(*RUN, "--texts-only").exit_code == 0
        assert server.requests == []
    assert texts(traffic) > 0
    assert traffic.value("SELECT uniqExact(team_id) FROM trace_texts") == 1
