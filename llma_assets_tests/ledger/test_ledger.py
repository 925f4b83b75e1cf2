"""Skips and usage: written once, told apart by team."""

import threading
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, UsageLedger, clear_skip, list_skips, record_skip, usage_totals
from llma_assets.models import Usage
from llma_assets.team_day import TeamDay

DAY = date(2026, 11, 7)


def skip(team_id: int, detail: str = "3 of 20") -> Skip:
    return Skip(team_id, DAY, "cluster_assignments", "traces", "too_few_items", detail)


def stored_rows(database: Database) -> int:
    return int(database.value("SELECT count() FROM skips"))


def test_a_skip_is_stored_once_and_told_by_team(database: Database) -> None:
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
