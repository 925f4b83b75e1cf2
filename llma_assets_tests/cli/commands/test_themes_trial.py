"""`llma themes try`: what it shows, what it asks for, what it costs, and that it stores nothing but that."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, day_of_traces, real_bill, write_events
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.reports.test_trial import COUNTS, yes

DAY = date(2026, 11, 7)
FILE = """
themes:
  - theme_id: refunds
    level: trace
    name: Refunds
    prompt: Say whether the user got the money back.
    rule: keywords
    keywords: [refund]
"""


@pytest.fixture
def traffic(database: Database) -> Database:
    write_events(database, day_of_traces(1, DAY, 12))
    return database


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "themes.yaml"
    path.write_text(FILE)
    return str(path)


def test_a_theme_of_a_file_is_tried_and_neither_it_nor_anything_else_is_stored(
    traffic: Database, llma_json: Callable[..., Answer], file: str
) -> None:
    before = traffic.rows(COUNTS)
    answer = llma_json("themes", "try", "--team", "1", "--date", "2026-11-07", "--file", file)
    assert answer.code == 0
    assert traffic.rows(COUNTS) == before
    assert list(answer.document) == [
        "team", "theme", "version", "level", "from", "until", "model", "matched", "sampled", "read",
        "left_out_by_rule", "asked", "relevant", "calls", "input_tokens", "output_tokens", "cost_usd",
        "not_asked_because", "items",
    ]  # fmt: skip
    assert (answer.document["theme"], answer.document["asked"], answer.document["relevant"]) == ("refunds", 12, 3)
    assert list(answer.document["items"][0]) == [
        "id", "trace_id", "day", "status", "error", "known", "relevant", "rule", "title", "flow_diagram", "bullets",
        "interesting_notes",
    ]  # fmt: skip


def test_a_file_that_is_wrong_is_refused_with_each_mistake_on_its_line(
    traffic: Database, llma: Llma, file: str
) -> None:
    Path(file).write_text(FILE.replace("rule: keywords", "rule: keyword").replace("prompt", "promt"))
    result = llma("themes", "try", "--team", "1", "--date", "2026-11-07", "--file", file)
    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        "themes[0].rule",
        "themes[0].promt",
        file,
    ]


def test_a_theme_that_is_switched_off_can_be_tried(traffic: Database, llma: Llma) -> None:
    result = llma("themes", "try", "--team", "1", "--theme", "error_analysis", "--date", "2026-11-07", "--sample", "3")
    assert result.exit_code == 0
    assert "12 traces match, a run would select 12" in result.stdout
    assert "rule:" in result.stdout
    assert "Nothing was stored; it cost nothing." in result.stderr


def test_paid_calls_are_kept_and_nothing_else_is(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {row["name"]: row["rows"] for row in traffic.rows(COUNTS)}
    with ChatServer(yes, bill=real_bill) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
        shown = llma("themes", "try", "--team", "1", "--date", "2026-11-07", "--file", file, "--sample", "5")
        assert len(server.calls()) == 5
    assert "5 of 5 are relevant by gpt-4.1-nano" in shown.stdout
    assert "5 calls" in shown.stderr
    after = {row["name"]: row["rows"] for row in traffic.rows(COUNTS)}
    assert {name for name in after if after[name] != before[name]} == {"model_usage"}
    (row,) = llma_json("usage", "--team", "1", "--date", "2026-11-07").document["usage"]
    assert (row["stage"], row["theme"], row["calls"]) == ("theme_trial", "refunds", 5)
    assert row["cost_usd"] > 0


def test_a_trial_stops_at_the_teams_budget_and_says_so(
    traffic: Database, llma: Llma, file: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("[teams.1]\ndaily_budget_usd = 0.000001\n")
    with ChatServer(yes, bill=real_bill) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
        result = llma("themes", "try", "--team", "1", "--date", "2026-11-07", "--file", file)
        assert server.calls() == []
    assert result.exit_code == 0
    assert "Not all questions were asked: the daily budget of team 1 is 0.000001 USD" in result.stderr
    assert traffic.value("SELECT count() FROM model_usage") == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a theme by --theme"),
        (("--theme", "error_analysys"), "did you mean 'error_analysis'"),
        (("--file", "FILE", "--theme", "other"), "has no theme 'other'"),
        (("--theme", "error_analysis", "--sample", "0"), "--sample"),
    ],
)
def test_wrong_use_names_the_way_out(
    database: Database, llma: Llma, file: str, arguments: tuple[str, ...], told: str
) -> None:
    result = llma("themes", "try", "--team", "1", *(file if each == "FILE" else each for each in arguments))
    assert result.exit_code == 2
    assert told in result.stderr


def test_no_traffic_is_said_and_no_failure(database: Database, llma: Llma) -> None:
    result = llma("themes", "try", "--team", "1", "--theme", "ux_issues", "--date", "2026-11-07")
    assert result.exit_code == 0
    assert "Nothing matches on these days" in result.stderr
