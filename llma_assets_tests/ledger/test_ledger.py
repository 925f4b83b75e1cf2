"""Skips and usage: stored once, and by team."""

import threading
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import (
    Forecast,
    Skip,
    UsageLedger,
    clear_skip,
    list_item_skips,
    list_skips,
    note_deferred,
    predicted_and_actual,
    record_item_skips,
    record_skip,
    spending_metadata,
    usage_totals,
)
from llma_assets.models import Usage
from llma_assets.team_day import TeamDay

DAY = date(2026, 11, 7)


def skip(team_id: int, detail: str = "3 of 20") -> Skip:
    return Skip(team_id, DAY, "cluster_assignments", "traces", "too_few_items", detail)


def stored_rows(database: Database) -> int:
    return int(database.value("SELECT count() FROM skips"))


def test_a_skip_is_stored_once_and_listed_by_team(database: Database) -> None:
    record_skip(database, skip(1))
    record_skip(database, skip(1))
    record_skip(database, skip(2, 'it\'s "5" of 20; DROP TABLE skips'))
    assert stored_rows(database) == 2
    assert list_skips(database, day=DAY, team_id=1) == [skip(1)]
    assert [found.team_id for found in list_skips(database, day=DAY)] == [1, 2]
    assert list_skips(database, day=date(2026, 11, 6)) == []


def test_a_result_ends_a_skip_of_its_own_team_only(database: Database) -> None:
    record_skip(database, skip(1))
    record_skip(database, skip(2))
    clear_skip(database, team_id=1, day=DAY, stage="cluster_assignments", theme_id="traces")
    assert [found.team_id for found in list_skips(database, day=DAY)] == [2]


def test_clearing_where_nothing_was_skipped_writes_nothing(database: Database) -> None:
    clear_skip(database, team_id=1, day=DAY, stage="cluster_assignments")
    assert stored_rows(database) == 0


def test_usage_of_several_threads_is_added_up_for_the_team(database: Database) -> None:
    def work(ledger: UsageLedger) -> None:
        for number in range(150):
            ledger.record(str(number), Usage("gpt-x", 10, 2, 0.5, 0.1))

    for team_id in (1, 2):
        with UsageLedger(database, TeamDay(team_id, DAY), stage="trace_summaries", theme_id="traces") as ledger:
            threads = [threading.Thread(target=work, args=(ledger,)) for _ in range(team_id)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    totals = usage_totals(database, TeamDay(2, DAY), stage="trace_summaries")
    assert (totals.calls, totals.input_tokens, totals.cost_usd) == (300, 3000, 150.0)
    assert usage_totals(database, TeamDay(1, DAY), stage="trace_summaries").calls == 150


def test_usage_is_stored_although_the_stage_failed(database: Database) -> None:
    try:
        with UsageLedger(database, TeamDay(1, DAY), stage="trace_summaries", theme_id="traces") as ledger:
            ledger.record("a", Usage("gpt-x", 10, 0, None, 0.1, error="unavailable"))
            raise RuntimeError
    except RuntimeError:
        pass
    totals = usage_totals(database, TeamDay(1, DAY), stage="trace_summaries")
    assert (totals.calls, totals.failed_calls, totals.cost_usd) == (1, 1, 0.0)


def test_offline_calls_leave_no_row(database: Database) -> None:
    with UsageLedger(database, TeamDay(1, DAY), stage="trace_summaries", theme_id="traces") as ledger:
        ledger.record("a", Usage("offline/extractive-1", 0, 0, 0.0, 0.0))
    assert usage_totals(database, TeamDay(1, DAY), stage="trace_summaries").calls == 0


def test_a_stage_shows_what_it_spent_beside_its_forecast_and_its_budgets(database: Database) -> None:
    team_day = TeamDay(1, DAY)
    forecast = Forecast("trace_summaries", "traces", "gpt-4.1-nano", 4, 0, 4, 400, 40, "")
    with UsageLedger(database, team_day, stage="trace_summaries", theme_id="traces") as ledger:
        ledger.expect(forecast)
        ledger.record("a", Usage("gpt-4.1-nano", 100, 10, 0.25, 0.1))
        ledger.record("b", Usage("gpt-4.1-nano", 200, 20, 0.5, 0.1))
    with UsageLedger(database, team_day, stage="cluster_labels", theme_id="traces") as other:
        other.record("", Usage("gpt-4.1-nano", 1, 1, 0.125, 0.1))
    shown = spending_metadata(
        database, team_day, stage="trace_summaries", budget_usd=2.0, theme_budgets_usd={"traces": 1.0, "errors": None}
    )
    assert shown == {
        "input_tokens": 300,
        "output_tokens": 30,
        "cost_usd": 0.75,
        "traces_predicted_calls": 4,
        "traces_actual_calls": 2,
        "traces_predicted_input_tokens": 400,
        "traces_actual_input_tokens": 300,
        "traces_predicted_output_tokens": 40,
        "traces_actual_output_tokens": 30,
        "traces_predicted_cost_usd": pytest.approx(400 * 0.1e-6 + 40 * 0.4e-6),
        "traces_actual_cost_usd": 0.75,
        "budget_usd": 2.0,
        "spent_of_day_usd": 0.875,
        "spent_today_usd": 0.875,
        "set_aside_usd": 0.0,
        "traces_budget_usd": 1.0,
        "traces_spent_of_day_usd": 0.875,
        "traces_spent_today_usd": 0.875,
        "traces_set_aside_usd": 0.0,
    }


def test_of_a_long_run_that_was_killed_the_forecast_is_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = []
    for short_run_s in (60.0, -1.0):
        monkeypatch.setattr("llma_assets.ledger.usage.SHORT_RUN_S", short_run_s)
        killed = UsageLedger(database, TeamDay(1, DAY), stage="trace_summaries", theme_id="traces")
        killed.expect(Forecast("trace_summaries", "traces", "gpt-4.1-nano", 4, 0, 4, 400, 40, ""))
        killed.record("a", Usage("gpt-4.1-nano", 100, 10, 0.25, 0.1))
        killed.flush()
        compared = predicted_and_actual(database, TeamDay(1, DAY))
        unfinished.append([(each.runs, each.unfinished) for each in compared])
    assert unfinished == [[], [(0, 1)]]
    assert list(predicted_and_actual(database, TeamDay(2, DAY))) == []


def test_a_stage_without_calls_and_without_a_budget_shows_zeros(database: Database) -> None:
    shown = spending_metadata(database, TeamDay(1, DAY), stage="trace_summaries", budget_usd=None)
    assert shown == {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


def test_items_that_wait_for_money_leave_a_skip_until_none_waits(database: Database) -> None:
    def note(deferred: int, refusal: str) -> int:
        return note_deferred(
            database,
            TeamDay(1, DAY),
            stage="cluster_labels",
            theme_id="traces",
            deferred=deferred,
            items=5,
            refusal=refusal,
        )

    assert note(2, "the daily budget is spent") == 2
    (found,) = list_skips(database, day=DAY, team_id=1)
    assert (found.reason, found.theme_id) == ("budget", "traces")
    assert found.detail.startswith("2 of 5 items deferred; the next run takes them up")
    assert found.detail.endswith("the daily budget is spent")
    assert note(2, "") == 0
    assert list_skips(database, day=DAY, team_id=1) == []


def test_an_item_that_has_recovered_is_listed_no_longer(database: Database) -> None:
    def record(failed: dict[str, str], recovered: list[str]) -> list[str]:
        record_item_skips(
            database,
            TeamDay(1, DAY),
            stage="trace_texts",
            level="trace",
            failed=failed,
            reason="not_rendered",
            recovered=recovered,
        )
        return [skip.item_id for skip in list_item_skips(database, day=DAY, team_id=1)]

    assert record({"a": "boom", "b": "boom"}, ["c"]) == ["a", "b"]
    assert record({"b": "boom"}, ["a", "b", "c"]) == ["b"]
