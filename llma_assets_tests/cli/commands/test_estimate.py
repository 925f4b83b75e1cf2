"""`llma estimate`: which themes are counted, what was relevant before, and the budgets of themes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import UsageLedger
from llma_assets.models import Usage
from llma_assets.team_day import TeamDay
from llma_assets.testing import numbered_texts, write_texts
from llma_assets.themes import Theme
from llma_assets.themes.changes import apply
from llma_assets.themes.document import document_of
from llma_assets_tests.cli.commands.test_trace import store_summary
from llma_assets_tests.cli.conftest import Answer, Llma

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
DATE = ("--team", "1", "--date", "2026-11-07")
REFUNDS = Theme(theme_id="refunds", level="trace", prompt="Say whether the user got the money back.")


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch, llma: Llma) -> None:
    """Models with prices; nobody is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-asked")
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "text-embedding-3-small")


def save(database: Database, *themes: Theme, team_id: int = 1) -> None:
    apply(database, team_id, document_of(themes), "a test")


def stages(document: dict[str, Any], stage: str) -> dict[str, dict[str, Any]]:
    return {row["theme"]: row for row in document["stages"] if row["stage"] == stage}


def test_every_theme_that_is_on_is_counted_and_no_other(database: Database, llma_json: Callable[..., Answer]) -> None:
    write_texts(database, TEAM, numbered_texts(10))
    save(database, REFUNDS, replace(REFUNDS, theme_id="off", enabled=False))
    save(database, replace(REFUNDS, theme_id="theirs"), team_id=2)
    document = llma_json("estimate", *DATE).document
    asked = stages(document, "trace_summaries")
    assert {name: row["calls"] for name, row in asked.items()} == {"traces": 10, "generations": 0, "refunds": 10}
    only = llma_json("estimate", *DATE, "--theme", "refunds").document
    assert set(stages(only, "trace_summaries")) == {"refunds"}


def test_a_theme_that_is_off_or_unknown_is_wrong_use(database: Database, llma: Llma) -> None:
    result = llma("estimate", *DATE, "--theme", "error_analysis")
    assert result.exit_code == 2
    assert "llma themes enable error_analysis" in result.stderr
    assert llma("estimate", *DATE, "--theme", "nothing").exit_code == 2


def test_as_many_are_expected_to_be_relevant_as_were_of_the_last_answers(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    write_texts(database, TEAM, numbered_texts(20))
    save(database, REFUNDS)
    before = llma_json("estimate", *DATE, "--theme", "refunds").document
    assert stages(before, "summary_embeddings")["refunds"]["items"] == 20
    assert "all counted as relevant" in stages(before, "summary_embeddings")["refunds"]["basis"]
    known: dict[str, Any] = {"day": DAY.replace(day=6), "theme_version": REFUNDS.version}
    for number in range(8):
        store_summary(database, "refunds", f"seen-{number}", relevant=number < 2, **known)
        store_summary(database, "refunds", f"offline-{number}", model="offline/extractive-1", **known)
        store_summary(database, "refunds", f"other-{number}", **{**known, "theme_version": "earlier"})
        store_summary(database, "refunds", f"theirs-{number}", team_id=2, **known)
    after = llma_json("estimate", *DATE, "--theme", "refunds").document
    row = stages(after, "summary_embeddings")["refunds"]
    assert row["items"] == 5
    assert "25% relevant, as of the last 8 answers" in row["basis"]
    assert stages(after, "trace_summaries")["refunds"]["calls"] == 20


def test_a_theme_is_counted_under_its_own_model_unless_another_is_named(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    save(database, replace(REFUNDS, model="gpt-4.1"))
    own = stages(llma_json("estimate", *DATE).document, "trace_summaries")
    assert {name: row["model"] for name, row in own.items()} == {
        "traces": "gpt-4.1-nano", "generations": "gpt-4.1-nano", "refunds": "gpt-4.1",
    }  # fmt: skip
    named = stages(llma_json("estimate", *DATE, "--model", "gpt-4.1-mini").document, "trace_summaries")
    assert {row["model"] for row in named.values()} == {"gpt-4.1-mini"}


def test_the_budget_of_a_theme_is_shown_with_what_is_left_of_it(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    write_texts(database, TEAM, numbered_texts(10))
    save(database, replace(REFUNDS, daily_budget_usd=0.001))
    with UsageLedger(database, TEAM, stage="trace_summaries", theme_id="refunds") as ledger:
        ledger.record("a", Usage("gpt-4.1-nano", 10, 1, 0.0006, 0.1))
    with UsageLedger(database, TEAM, stage="trace_summaries", theme_id="traces") as ledger:
        ledger.record("a", Usage("gpt-4.1-nano", 10, 1, 0.5, 0.1))
    (budget,) = llma_json("estimate", *DATE).document["theme_budgets"]
    assert list(budget) == [
        "theme", "daily_usd", "spent_of_day_usd", "spent_today_usd", "set_aside_usd", "left_usd", "fits",
    ]  # fmt: skip
    assert (budget["theme"], budget["daily_usd"], budget["spent_of_day_usd"]) == ("refunds", 0.001, 0.0006)
    assert budget["left_usd"] == pytest.approx(0.0004)
    assert budget["fits"] is False
    shown = llma("estimate", *DATE).stdout
    assert "daily budget of refunds 0.001 USD" in shown
    assert "does not fit: the theme will stop there, the others continue" in shown


def test_what_a_theme_before_is_still_to_find_is_said_not_to_be_counted(database: Database, llma: Llma) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    save(database, REFUNDS, replace(REFUNDS, theme_id="angry", after="refunds"))
    assert (
        "angry runs after refunds: items that refunds has yet to find are not counted" in llma("estimate", *DATE).stderr
    )
