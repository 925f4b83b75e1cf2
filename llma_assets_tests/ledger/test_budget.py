"""A team's daily budget: never passed, by threads, processes, days or crashes, and not wasted either."""

import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import (
    DailyBudget,
    UsageLedger,
    budget_metadata,
    release_hold,
    spending,
    spending_within_budget,
    theme_spending_within_budget,
)
from llma_assets.models import BudgetExhausted, PriceUnknown, Usage
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
MODEL = "gpt-4.1-nano"


def budget(
    database: Database,
    limit_usd: float,
    team_day: TeamDay = TEAM,
    *,
    now: datetime = NOW,
    stage: str = "cluster_labels",
) -> DailyBudget:
    return DailyBudget(database, team_day, stage=stage, limit_usd=limit_usd, clock=lambda: now, max_wait_s=5.0)


def store_call(
    database: Database,
    cost_usd: float | None,
    team_day: TeamDay = TEAM,
    *,
    at: datetime = NOW,
    most: float | None = None,
    theme_id: str = "traces",
) -> None:
    """A call as an earlier run left it behind."""
    with UsageLedger(database, team_day, stage="trace_summaries", theme_id=theme_id) as ledger:
        ledger.record("a", Usage(MODEL, 10, 1, cost_usd, 0.1, "" if cost_usd is not None else "timeout", 0, most, at))


def row_count(database: Database) -> int:
    return int(database.value("SELECT count() FROM budget_holds"))


@contextmanager
def paid_calls(
    database: Database, limit_usd: float, team_day: TeamDay = TEAM
) -> Iterator[tuple[UsageLedger, DailyBudget]]:
    """A ledger with a budget, as a stage uses it."""
    with UsageLedger(database, team_day, stage="cluster_labels", theme_id="traces", limit_usd=limit_usd) as ledger:
        assert isinstance(ledger.allowance, DailyBudget)
        yield ledger, ledger.allowance


def pay(ledger: UsageLedger, allowance: DailyBudget, *, most: float, cost: float) -> None:
    """One call: allowed, made, written down."""
    hold = allowance.hold(MODEL, most)
    hold.settle(cost)
    ledger.record("a", Usage(MODEL, 10, 1, cost, 0.1, at=hold.at))


def test_calls_are_allowed_until_the_next_could_pass_the_budget(database: Database) -> None:
    allowance = budget(database, 1.0)
    for _ in range(3):
        allowance.hold(MODEL, 0.3).settle(0.3)
    with pytest.raises(BudgetExhausted, match=r"1\.0000 USD.*may cost 0\.3000"):
        allowance.hold(MODEL, 0.3)
    allowance.hold(MODEL, 0.1)


def test_what_a_call_did_not_use_is_free_for_the_next(database: Database) -> None:
    allowance = budget(database, 1.0)
    for _ in range(50):
        allowance.hold(MODEL, 0.5).settle(0.01)
    with pytest.raises(BudgetExhausted):
        allowance.hold(MODEL, 0.51)


def test_what_was_spent_before_counts_over_all_stages(database: Database) -> None:
    store_call(database, 0.8)
    with pytest.raises(BudgetExhausted, match=r"0\.8000 is spent for 2026-11-07"):
        budget(database, 1.0).hold(MODEL, 0.3)
    assert row_count(database) == 0


def test_a_call_of_unknown_cost_counts_with_the_most(database: Database) -> None:
    store_call(database, None, most=0.9)
    with pytest.raises(BudgetExhausted):
        budget(database, 1.0).hold(MODEL, 0.2)


def test_another_team_of_the_same_day_does_not_count(database: Database) -> None:
    store_call(database, 5.0, TeamDay(2, DAY))
    other = budget(database, 1.0, TeamDay(2, DAY))
    with pytest.raises(BudgetExhausted):
        other.hold(MODEL, 0.1)
    budget(database, 1.0).hold(MODEL, 0.9)
    assert spending(database, TeamDay(2, DAY), TODAY).held_of_day == 0.0


def test_a_backfill_of_many_days_does_not_spend_many_budgets_on_one_day(database: Database) -> None:
    spent = 0.0
    for back in range(10):
        allowance = budget(database, 1.0, TEAM.back(back))
        try:
            for _ in range(5):
                allowance.hold(MODEL, 0.1).settle(0.1)
                spent += 0.1
        except BudgetExhausted:
            pass
        allowance.close()
    assert spent == pytest.approx(1.0)


def test_a_day_costs_no_more_than_its_budget_whenever_it_is_worked_on(database: Database) -> None:
    store_call(database, 0.7, at=NOW - timedelta(days=3))
    with pytest.raises(BudgetExhausted, match=r"0\.7000 is spent for 2026-11-07, .*: 1\.1000 in all"):
        budget(database, 1.0).hold(MODEL, 0.4)
    budget(database, 1.0, TEAM.back(1)).hold(MODEL, 0.4)


def test_more_budget_lets_the_same_day_go_on(database: Database) -> None:
    store_call(database, 1.0)
    with pytest.raises(BudgetExhausted):
        budget(database, 1.0).hold(MODEL, 0.1)
    budget(database, 2.0).hold(MODEL, 0.1)


def test_a_budget_of_zero_allows_only_what_is_free(database: Database) -> None:
    allowance = budget(database, 0.0)
    allowance.hold("my-free-model", 0.0).settle(0.0)
    with pytest.raises(BudgetExhausted):
        allowance.hold(MODEL, 0.000001)


def test_a_model_without_a_price_is_refused_with_the_way_out(database: Database) -> None:
    with pytest.raises(PriceUnknown, match=r"'llama'.*LLMA_PRICES_FILE.*daily_budget_usd = inf"):
        budget(database, 1.0).hold("llama", None)


def test_summaries_leave_a_tenth_to_embed_and_to_name(database: Database) -> None:
    allowance = budget(database, 1.0, stage="trace_summaries")
    allowance.hold(MODEL, 0.9).settle(0.9)
    with pytest.raises(BudgetExhausted, match=r"of which trace_summaries may use 0\.9000"):
        allowance.hold(MODEL, 0.01)
    budget(database, 1.0).hold(MODEL, 0.1)


def test_threads_of_one_run_together_never_pass_it_and_leave_little(database: Database) -> None:
    spent: list[float] = []
    most_at_once: list[float] = []
    under_way = 0.0
    lock = threading.Lock()

    def work(seed: int, ledger: UsageLedger, allowance: DailyBudget) -> None:
        nonlocal under_way
        random = Random(seed)
        while True:
            most = random.uniform(0.005, 0.02)
            cost = most * random.uniform(0.1, 1.0)
            try:
                hold = allowance.hold(MODEL, most)
            except BudgetExhausted:
                return
            with lock:
                under_way += most
                most_at_once.append(sum(spent) + under_way)
            with lock:
                under_way -= most
                spent.append(cost)
            hold.settle(cost)
            ledger.record("a", Usage(MODEL, 1, 1, cost, 0.0, at=hold.at))

    with paid_calls(database, 0.5) as (ledger, allowance):
        threads = [threading.Thread(target=work, args=(seed, ledger, allowance)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(most_at_once) <= 0.5 + 1e-9
    assert 0.48 <= sum(spent) <= 0.5
    left = spending(database, TEAM, datetime.now(UTC).date())
    assert left.of_day == pytest.approx(sum(spent))
    assert (left.held_of_day, left.held_on_date) == (0.0, 0.0)


def test_two_processes_see_what_the_other_has_set_aside(database: Database) -> None:
    one, two = budget(database, 1.0), budget(database, 1.0)
    one.hold(MODEL, 0.6)
    with pytest.raises(BudgetExhausted):
        two.hold(MODEL, 0.5)
    two.hold(MODEL, 0.3)


def test_two_processes_that_race_for_the_last_of_it_do_not_both_get_it(database: Database) -> None:
    for round_number in range(8):
        team_day = TeamDay(100 + round_number, DAY)
        allowed: list[int] = []
        start = threading.Barrier(2)

        def race(
            number: int,
            team_day: TeamDay = team_day,
            allowed: list[int] = allowed,
            start: threading.Barrier = start,
        ) -> None:
            allowance = budget(database, 1.0, team_day)
            start.wait()
            try:
                allowance.hold(MODEL, 0.6)
            except BudgetExhausted:
                return
            allowed.append(number)

        racers = [threading.Thread(target=race, args=(number,)) for number in range(2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(allowed) <= 1


KILLED = """
import os, signal
from datetime import date
from llma_assets.clickhouse import connect
from llma_assets.ledger import UsageLedger
from llma_assets.models import Usage
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay

team_day = TeamDay(1, date(2026, 11, 7))
database = connect(Settings.from_env())
ledger = UsageLedger(database, team_day, stage="cluster_labels", theme_id="traces", limit_usd=1.0)
for n in range(5):
    hold = ledger.allowance.hold("gpt-4.1-nano", 0.1)
    hold.settle(0.1)
    ledger.record("a", Usage("gpt-4.1-nano", 1, 1, 0.1, 0.0, at=hold.at))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_spent_is_not_forgotten(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    killed = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    today = datetime.now(UTC).date()
    assert spending(database, TEAM, today).of_day == 0.0  # its five calls are in no table
    left = spending(database, TEAM, today)
    assert (left.held_of_day, left.lost_of_day) == (0.0, pytest.approx(0.5))
    with paid_calls(database, 1.0) as (_, allowance):
        allowance.hold(MODEL, 0.4).settle(0.4)
        with pytest.raises(BudgetExhausted):
            allowance.hold(MODEL, 0.11)


def test_a_run_past_midnight_is_paid_by_the_day_of_each_call(database: Database) -> None:
    clock = [datetime(2026, 11, 21, 23, 59, tzinfo=UTC)]
    allowance = DailyBudget(database, TEAM, stage="x", limit_usd=1.0, clock=lambda: clock[0])
    late = allowance.hold(MODEL, 0.3)
    clock[0] += timedelta(minutes=2)
    early = allowance.hold(MODEL, 0.2)
    assert (late.at.date(), early.at.date()) == (TODAY, TODAY + timedelta(days=1))
    late.settle(0.3)
    early.settle(0.2)
    allowance.stored({TODAY: 0.3})
    allowance.close()
    assert spending(database, TEAM, TODAY).held_on_date == 0.0
    assert spending(database, TEAM, TODAY + timedelta(days=1)).held_on_date == pytest.approx(0.2)


def test_a_finished_run_holds_nothing_and_one_without_calls_writes_nothing(database: Database) -> None:
    with paid_calls(database, 1.0) as (ledger, allowance):
        pay(ledger, allowance, most=0.3, cost=0.1)
    left = spending(database, TEAM, datetime.now(UTC).date())
    assert (left.of_day, left.held_of_day) == (pytest.approx(0.1), 0.0)
    before = row_count(database)
    with paid_calls(database, 1.0):
        pass
    assert row_count(database) == before


def test_a_call_that_ends_after_its_stage_is_stored_all_the_same(database: Database) -> None:
    with paid_calls(database, 1.0) as (ledger, allowance):
        hold = allowance.hold(MODEL, 0.3)
    assert spending(database, TEAM, datetime.now(UTC).date()).held_of_day >= 0.3
    hold.settle(0.2)
    ledger.record("a", Usage(MODEL, 1, 1, 0.2, 0.0, at=hold.at))
    left = spending(database, TEAM, datetime.now(UTC).date())
    assert (left.of_day, left.held_of_day) == (pytest.approx(0.2), 0.0)


def outcomes(database: Database, team_day: TeamDay = TEAM) -> list[tuple[bool, str]]:
    return [(each.passed, each.expected) for each in spending_within_budget(database, team_day)]


def test_the_check_sees_spending_within_and_past_the_budget(database: Database) -> None:
    today = datetime.now(UTC).date()
    for team_day in (TEAM, TeamDay(2, DAY)):
        with paid_calls(database, 1.0, team_day) as (ledger, allowance):
            pay(ledger, allowance, most=0.3, cost=0.2)
    expected = [f"at most 1.0000 USD on {today}", f"at most 1.0000 USD for {DAY}"]
    assert outcomes(database) == [(True, each) for each in expected]
    store_call(database, 0.9, at=datetime.now(UTC))  # a call that was made without asking
    assert outcomes(database) == [(False, each) for each in expected]
    assert outcomes(database, TeamDay(2, DAY)) == [(True, each) for each in expected]


def test_the_check_has_nothing_to_say_where_there_never_was_a_budget(database: Database) -> None:
    store_call(database, 100.0)
    assert outcomes(database) == []


def test_without_a_limit_there_is_no_allowance(database: Database) -> None:
    with UsageLedger(database, TEAM, stage="x", theme_id="") as ledger:
        assert ledger.allowance is None


def theme_budget(
    database: Database,
    theme_limit_usd: float | None,
    limit_usd: float | None = None,
    *,
    theme_id: str = "errors",
    team_day: TeamDay = TEAM,
    stage: str = "cluster_labels",
) -> DailyBudget:
    return DailyBudget(
        database,
        team_day,
        stage=stage,
        limit_usd=limit_usd,
        theme_id=theme_id,
        theme_limit_usd=theme_limit_usd,
        clock=lambda: NOW,
        max_wait_s=5.0,
    )


def test_a_theme_stops_at_its_own_budget_and_another_theme_goes_on(database: Database) -> None:
    allowance = theme_budget(database, 0.5, 1.0)
    allowance.hold(MODEL, 0.4).settle(0.4)
    with pytest.raises(BudgetExhausted, match=r"theme 'errors' of team 1 is 0\.5000 USD"):
        allowance.hold(MODEL, 0.2)
    theme_budget(database, 0.5, 1.0, theme_id="ux").hold(MODEL, 0.5)


def test_a_theme_with_money_of_its_own_stops_where_the_team_has_none_left(database: Database) -> None:
    store_call(database, 0.8, theme_id="ux")
    with pytest.raises(BudgetExhausted, match=r"^the daily budget of team 1 is 1\.0000 USD"):
        theme_budget(database, 0.5, 1.0).hold(MODEL, 0.3)
    theme_budget(database, 0.5, 1.0).hold(MODEL, 0.2)


def test_what_a_theme_sets_aside_counts_against_the_team_too(database: Database) -> None:
    theme_budget(database, 0.7, 1.0).hold(MODEL, 0.7)
    with pytest.raises(BudgetExhausted):
        budget(database, 1.0).hold(MODEL, 0.31)
    assert spending(database, TEAM, TODAY, theme_id="errors").held_of_day == pytest.approx(0.7)
    assert spending(database, TEAM, TODAY, theme_id="ux").held_of_day == 0.0


def test_a_theme_has_a_budget_though_its_team_has_none(database: Database) -> None:
    allowance = theme_budget(database, 0.5)
    allowance.hold(MODEL, 0.5)
    with pytest.raises(BudgetExhausted, match="theme 'errors'"):
        allowance.hold(MODEL, 0.1)
    with pytest.raises(PriceUnknown, match="remove daily_budget_usd from the theme"):
        allowance.hold("llama", None)
    assert outcomes(database) == []  # a team without a budget has passed none


def test_a_theme_of_another_team_does_not_count(database: Database) -> None:
    other = TeamDay(2, DAY)
    store_call(database, 0.5, other, theme_id="errors")
    with pytest.raises(BudgetExhausted):
        theme_budget(database, 0.5, team_day=other).hold(MODEL, 0.1)
    theme_budget(database, 0.5).hold(MODEL, 0.5)
    assert spending(database, other, TODAY, theme_id="errors").held_of_day == 0.0


def test_a_backfill_does_not_spend_many_budgets_of_a_theme_on_one_day(database: Database) -> None:
    theme_budget(database, 0.5).hold(MODEL, 0.4)
    with pytest.raises(BudgetExhausted, match="theme 'errors'"):
        theme_budget(database, 0.5, team_day=TEAM.back(1)).hold(MODEL, 0.2)


def test_summaries_of_a_theme_leave_a_tenth_of_its_budget_for_its_other_stages(database: Database) -> None:
    allowance = theme_budget(database, 1.0, stage="trace_summaries")
    allowance.hold(MODEL, 0.9).settle(0.9)
    with pytest.raises(BudgetExhausted, match=r"of which trace_summaries may use 0\.9000"):
        allowance.hold(MODEL, 0.01)
    theme_budget(database, 1.0).hold(MODEL, 0.1)


@pytest.mark.slow
def test_two_processes_that_race_for_the_last_of_a_theme_do_not_both_get_it(database: Database) -> None:
    for round_number in range(4):
        team_day = TeamDay(200 + round_number, DAY)
        allowed: list[int] = []
        start = threading.Barrier(2)

        def race(
            number: int,
            team_day: TeamDay = team_day,
            allowed: list[int] = allowed,
            start: threading.Barrier = start,
        ) -> None:
            allowance = theme_budget(database, 1.0, 5.0, team_day=team_day)
            start.wait()
            try:
                allowance.hold(MODEL, 0.6)
            except BudgetExhausted:
                return
            allowed.append(number)

        racers = [threading.Thread(target=race, args=(number,)) for number in range(2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(allowed) <= 1


def test_what_is_freed_by_its_id_is_freed_for_the_theme_too(database: Database) -> None:
    hold_id = uuid.uuid4()
    allowance = DailyBudget(
        database,
        TEAM,
        stage="x",
        limit_usd=1.0,
        theme_id="errors",
        theme_limit_usd=0.5,
        new_id=lambda: hold_id,
        clock=lambda: NOW,
    )
    allowance.hold(MODEL, 0.5)
    assert spending(database, TEAM, TODAY, theme_id="errors").held_of_day == pytest.approx(0.5)
    release_hold(database, TEAM, hold_id)
    assert spending(database, TEAM, TODAY, theme_id="errors").held_of_day == 0.0
    theme_budget(database, 0.5, 1.0).hold(MODEL, 0.5)


def test_the_check_of_themes_sees_spending_within_and_past_their_budgets(database: Database) -> None:
    today = datetime.now(UTC).date()
    for team_day in (TEAM, TeamDay(2, DAY)):
        with UsageLedger(
            database, team_day, stage="x", theme_id="errors", limit_usd=5.0, theme_limit_usd=0.5
        ) as ledger:
            assert isinstance(ledger.allowance, DailyBudget)
            pay(ledger, ledger.allowance, most=0.3, cost=0.2)
    expected = [("errors", f"at most 0.5000 USD on {today}"), ("errors", f"at most 0.5000 USD for {DAY}")]

    def seen(team_day: TeamDay) -> list[tuple[bool, tuple[str, str]]]:
        found = theme_spending_within_budget(database, team_day)
        return [(each.passed, (each.theme_id, each.expected)) for each in found]

    assert seen(TEAM) == [(True, each) for each in expected]
    store_call(database, 0.9, at=datetime.now(UTC), theme_id="ux")  # another theme's
    assert seen(TEAM) == [(True, each) for each in expected]
    store_call(database, 0.4, at=datetime.now(UTC), theme_id="errors")  # a call that was made without asking
    assert seen(TEAM) == [(False, each) for each in expected]
    assert seen(TeamDay(2, DAY)) == [(True, each) for each in expected]
    assert [each.passed for each in spending_within_budget(database, TEAM)] == [True, True]


def test_what_people_look_at_names_the_budgets_of_themes(database: Database) -> None:
    store_call(database, 0.25, theme_id="errors")
    store_call(database, 0.5, theme_id="ux")
    seen = budget_metadata(database, TEAM, None, {"errors": 0.75, "ux": None}, now=NOW)
    assert seen == {
        "errors_budget_usd": 0.75,
        "errors_spent_of_day_usd": 0.25,
        "errors_spent_today_usd": 0.25,
        "errors_set_aside_usd": 0.0,
    }
    seen = budget_metadata(database, TEAM, 1.0, {"errors": 0.75}, now=NOW)
    assert (seen["spent_of_day_usd"], seen["errors_spent_of_day_usd"]) == (0.75, 0.25)
