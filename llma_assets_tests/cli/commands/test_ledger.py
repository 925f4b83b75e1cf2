"""`llma usage` and the edges of `llma skips`; what a run leaves there is in `test_run.py`."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, record_skip
from llma_assets.themes import Theme
from llma_assets.themes.changes import apply
from llma_assets.themes.document import document_of
from llma_assets_tests.cli.conftest import Answer, Llma

DAY = date(2026, 11, 7)


def store_call(
    database: Database,
    number: int,
    *,
    team_id: int = 1,
    theme_id: str = "traces",
    cost_usd: float | None = 0.25,
    error: str = "",
) -> None:
    row = {
        "team_id": team_id,
        "day": DAY,
        "stage": "trace_summaries",
        "theme_id": theme_id,
        "model": "gpt-4.1-nano",
        "call_id": UUID(int=number),
        "item_id": "t",
        "input_tokens": 1_000,
        "output_tokens": 10,
        "cost_usd": cost_usd,
        "duration_s": 0.5,
        "error": error,
    }
    database.insert_rows("model_usage", [row])


def test_usage_sums_by_stage_theme_and_model(database: Database, llma_json: Callable[..., Answer]) -> None:
    store_call(database, 1)
    store_call(database, 2, cost_usd=None)
    store_call(database, 3, cost_usd=None, error="rate_limited")
    store_call(database, 4, team_id=2, cost_usd=99.0)
    store_call(database, 1)
    document = llma_json("usage", "--team", "1", "--date", str(DAY)).document
    sums = {
        "calls": 3,
        "failed_calls": 1,
        "input_tokens": 3_000,
        "output_tokens": 30,
        "cached_tokens": 0,
        "cost_usd": 0.25,
        "unknown_cost_at_most_usd": 0.0,
        "calls_without_price": 1,
    }
    assert document == {
        "team": 1,
        "date": "2026-11-07",
        "usage": [{"stage": "trace_summaries", "theme": "traces", "model": "gpt-4.1-nano", **sums, "duration_s": 1.5}],
        "total": sums,
        "forecasts": [],
        "budget": None,
        "theme_budgets": [],
    }


def test_usage_prints_a_total(database: Database, llma: Llma) -> None:
    store_call(database, 1)
    store_call(database, 2, cost_usd=None)
    result = llma("usage", "--team", "1", "--date", str(DAY))
    assert result.stdout.splitlines()[-1].split() == ["total", "2", "0", "2,000", "20", "0.2500"]
    assert "1 calls of models without a known price" in result.stderr


def test_usage_shows_what_counts_against_the_budget_of_a_theme(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    theme = Theme(theme_id="refunds", level="trace", prompt="Was the money paid back?", daily_budget_usd=0.5)
    apply(database, 1, document_of([theme]), "a test")
    store_call(database, 1)
    store_call(database, 2, theme_id="refunds", cost_usd=0.125)
    store_call(database, 3, theme_id="refunds", team_id=2)
    (budget,) = llma_json("usage", "--team", "1", "--date", str(DAY)).document["theme_budgets"]
    assert (budget["theme"], budget["daily_usd"], budget["of_day"]) == ("refunds", 0.5, 0.125)
    shown = llma("usage", "--team", "1", "--date", str(DAY)).stdout
    assert "daily budget of refunds 0.5 USD: 0.1250 spent for 2026-11-07" in shown


def test_usage_of_nothing_says_so(llma: Llma, llma_json: Callable[..., Answer]) -> None:
    assert llma("usage", "--team", "1", "--date", str(DAY)).stdout == ""
    assert llma_json("usage", "--team", "1", "--date", str(DAY)).document["usage"] == []


def test_skips_of_one_team_show_no_other(database: Database, llma_json: Callable[..., Answer]) -> None:
    for team_id in (1, 2):
        record_skip(database, Skip(team_id, DAY, "cluster_assignments", "traces", "no_items", "0 of 20"))
    mine = llma_json("skips", "--date", str(DAY), "--team", "1").document["skips"]
    everybodys = llma_json("skips", "--date", str(DAY)).document["skips"]
    assert [row["team"] for row in mine] == [1]
    assert [row["team"] for row in everybodys] == [1, 2]


def test_skips_say_the_way_out_once_a_reason(database: Database, llma: Llma) -> None:
    for team_id in (1, 2):
        for reason, theme_id in (("too_few_items", "traces"), ("made up", "generations")):
            record_skip(database, Skip(team_id, DAY, "cluster_assignments", theme_id, reason, "3 of 20"))
    result = llma("skips", "--date", str(DAY), "--team", "1")
    assert result.stdout.count("3 of 20") == 2
    assert result.stderr.splitlines() == [
        "too_few_items: `clustering.min_items` of the theme is the minimum; a longer `lookback_days` finds more"
    ]
    assert result.stderr == llma("clusters", "--date", str(DAY), "--team", "1").stderr


def test_skips_of_a_quiet_day_say_so_on_stderr(llma: Llma) -> None:
    result = llma("skips", "--date", str(DAY))
    assert (result.stdout, result.exit_code) == ("", 0)
    assert result.stderr == "Nothing has been run for 2026-11-07. Nothing has been run yet\n"


def test_a_hostile_detail_cannot_steer_the_terminal(database: Database, llma: Llma) -> None:
    record_skip(database, Skip(1, DAY, "cluster_assignments", "traces", "no_items", "\x1b[2J[red]x[/red]\n2"))
    shown = llma("skips", "--date", str(DAY)).stdout
    assert "\\x1b[2J[red]x[/red]\\x0a2" in shown
