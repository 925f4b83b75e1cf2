"""The budget of a team's day against a real server, which keeps its own bill of all that it worked on."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips, spending
from llma_assets.models import ModelConfigurationError, OfflineChat, OpenAIChat, PriceUnknown, RetryPolicy, price_of
from llma_assets.settings import Settings
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import (
    INVALID_JSON,
    ChatServer,
    Content,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Request,
    Reset,
    Status,
    numbered_texts,
    real_bill,
    write_texts,
)
from llma_assets.themes import TRACES
from llma_assets_tests import copies

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
MODEL = "gpt-4.1"
POLICY = RetryPolicy(
    attempts=3, deadline_s=5.0, attempt_timeout_s=0.3, first_delay_s=0.01, longest_delay_s=0.02, most_failures=10_000
)


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def run(
    database: Database, server: ChatServer, budget_usd: float | None, team_day: TeamDay = TEAM, model: str = MODEL
) -> "Counter[str]":
    chat = OpenAIChat(model, base_url=server.url, policy=POLICY)
    limits = RunLimits("run", concurrency=5, budget_usd=budget_usd)
    return store_theme(database, team_day, TRACES, chat, limits=limits, progress=unseen)


def billed_usd(server: ChatServer) -> float:
    """What the server would charge for all that it worked on."""
    total = 0.0
    for model, spoken, said in server.billed:
        price = price_of(model)
        assert price is not None
        total += price.cost_usd(input_tokens=spoken, output_tokens=said)
    return total


def cost_of_one(database: Database) -> float:
    """What a summary costs here, as seen by one that another team had made."""
    other = TeamDay(9, DAY)
    write_texts(database, other, numbered_texts(1))
    with ChatServer(bill=real_bill) as server:
        assert run(database, server, None, other)["generated"] == 1
        return billed_usd(server)


def today_of(database: Database, team_day: TeamDay = TEAM) -> float:
    return spending(database, team_day, datetime.now(UTC).date()).of_day


def test_the_budget_stops_the_work_before_it_is_passed_and_the_rest_waits(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(30))
    write_texts(database, TeamDay(2, DAY), numbered_texts(30))
    budget_usd = 20 * cost_of_one(database)
    with ChatServer(bill=real_bill) as server:
        counts = run(database, server, budget_usd)
        spent = billed_usd(server)
    assert counts["failed"] == 0
    assert counts["undone"] == counts["undone_for_budget"] == 30 - counts["generated"]
    assert 1 <= counts["generated"] <= 18
    assert spent <= 0.9 * budget_usd
    assert today_of(database) == pytest.approx(spent)
    (skip,) = list_skips(database, day=DAY, team_id=1)
    assert (skip.stage, skip.reason) == ("trace_summaries", "budget")
    assert f"{counts['undone']} of 30 items deferred" in skip.detail
    assert f"daily budget of team 1 is {budget_usd:.4f} USD" in skip.detail
    assert list_skips(database, day=DAY, team_id=2) == []


def test_a_theme_stops_at_its_own_budget_and_says_so_while_the_team_has_more(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(40))
    one = cost_of_one(database)
    theme = replace(TRACES, theme_id="errors", daily_budget_usd=20 * one)
    with ChatServer(bill=real_bill) as server:
        chat = OpenAIChat(MODEL, base_url=server.url, policy=POLICY)
        limits = RunLimits("run", budget_usd=1_000 * one)
        counts = store_theme(database, TEAM, theme, chat, limits=limits, progress=unseen)
        assert billed_usd(server) <= 0.9 * 20 * one
        assert 1 <= counts["generated"] <= 18
        assert counts["undone_for_budget"] == 40 - counts["generated"]
        (skip,) = list_skips(database, day=DAY, team_id=1)
        assert (skip.theme_id, skip.reason) == ("errors", "budget")
        assert "daily budget of theme 'errors' of team 1 is" in skip.detail
        assert run(database, server, 1_000 * one)["stored"] == 40


def test_a_run_with_more_money_goes_on_where_the_last_one_stopped(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(40))
    one = cost_of_one(database)
    with ChatServer(bill=real_bill) as server:
        first = run(database, server, 25 * one)
        again = run(database, server, 25 * one)
        assert again["skipped"] == first["generated"]
        # What the first one set aside for calls and did not need may be enough for another one.
        assert again["undone_for_budget"] > 0
        assert billed_usd(server) <= 0.9 * 25 * one
        last = run(database, server, 1_000 * one)
    done = first["generated"] + again["generated"]
    assert (last["generated"], last["stored"], last["undone"]) == (40 - done, 40, 0)
    assert list_skips(database, day=DAY, team_id=1) == []


def test_the_budget_holds_whatever_goes_wrong_on_the_way(database: Database) -> None:
    """Retries, repairs, broken-off and hung calls cost money that no answer tells of; the server's bill has them."""
    write_texts(database, TEAM, numbered_texts(80))
    budget_usd = 60 * cost_of_one(database)
    random = Random(7)
    kinds: list[Fault] = [
        None, None, None, RateLimited(), Status(500), Garbage(), INVALID_JSON, Hang(), Reset(), Content("", usage=False)
    ]  # fmt: skip
    faults = [random.choice(kinds) for _ in range(200)]
    with ChatServer(bill=real_bill, faults=faults) as server:
        counts = run(database, server, budget_usd)
        spent = billed_usd(server)
    assert counts["undone_for_budget"] > 0
    assert 0 < spent <= budget_usd
    assert spent <= today_of(database) <= budget_usd


@pytest.mark.slow
def test_two_processes_for_one_team_do_not_pass_it_together(database: Database) -> None:
    days = [TEAM, TEAM.back(1), TEAM.back(2)]
    for n, team_day in enumerate(days):
        write_texts(database, team_day, {f"{name}-{n}": f"{text} {n}" for name, text in numbered_texts(60).items()})
    budget_usd = 45 * cost_of_one(database)
    with ChatServer(bill=real_bill, latency_s=0.005) as server, ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda team_day: run(database, server, budget_usd, team_day), days))
        spent = billed_usd(server)
    assert sum(each["undone_for_budget"] for each in counts) > 0
    assert 0 < spent <= budget_usd
    assert sum(each["failed"] for each in counts) == 0


KILLED_AT = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import Database, connect
from llma_assets.models import OpenAIChat
from llma_assets.settings import Settings
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES

insert, seen = Database.insert_rows, []

def insert_or_die(self, table, rows):
    seen.append(table)
    if seen.count(sys.argv[2]) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows)

Database.insert_rows = insert_or_die
settings = Settings.from_env()
chat = OpenAIChat("gpt-4.1", base_url=settings.openai_base_url)
limits = RunLimits("killed", budget_usd=float(sys.argv[1]))
store_theme(connect(settings), TeamDay(1, date(2026, 11, 7)), TRACES, chat, limits=limits, progress=lambda *_: None)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("table", "write"), [("model_usage", 1), ("trace_summaries", 1), ("budget_holds", 3)])
def test_a_killed_run_does_not_let_the_next_one_pass_the_budget(
    table: str, write: int, settings: Settings, database: Database
) -> None:
    write_texts(database, TEAM, numbered_texts(60))
    budget_usd = 40 * cost_of_one(database)
    with ChatServer(bill=real_bill) as server:
        environment = {
            **os.environ,
            "CLICKHOUSE_URL": str(settings.clickhouse_url),
            "OPENAI_BASE_URL": server.url,
        }
        killed = copies.run(KILLED_AT, str(budget_usd), table, str(write), environment=environment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        counts = run(database, server, budget_usd)
        spent = billed_usd(server)
        assert counts["failed"] == 0
        assert 0 < spent <= budget_usd
        finished = run(database, server, 1_000 * budget_usd)
    assert finished["stored"] == 60


def test_a_model_without_a_price_is_refused_before_anything_is_sent(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer() as server:
        with pytest.raises(PriceUnknown, match="LLMA_PRICES_FILE"):
            run(database, server, 5.0, model="my-own-model")
        assert server.requests == []
        assert run(database, server, None, model="my-own-model")["generated"] == 3
    assert issubclass(PriceUnknown, ModelConfigurationError)


def test_the_offline_model_is_free_also_with_a_budget_of_nothing(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    counts = store_theme(
        database,
        TEAM,
        TRACES,
        OfflineChat(),
        limits=RunLimits("run", budget_usd=0.0),
        progress=unseen,
    )
    assert counts["generated"] == 3


def test_a_finished_theme_asks_for_no_money(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer(bill=real_bill) as server:
        run(database, server, 5.0)
        held = database.value("SELECT count() FROM budget_holds")
        assert run(database, server, 5.0)["skipped"] == 3
    assert database.value("SELECT count() FROM budget_holds") == held


def test_answers_are_bounded_so_that_a_call_cannot_cost_more_than_was_set_aside(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(1))
    asked: list[Request] = []
    with ChatServer(judge=asked.append) as server:  # type: ignore[func-returns-value]
        run(database, server, 5.0)
    assert [request.body["max_completion_tokens"] for request in asked] == [4_096]
