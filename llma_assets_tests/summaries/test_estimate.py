"""Estimates of a theme's summaries: from stored texts alone, counting only what is new, beside what it really took."""

from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import Forecast, UsageLedger, predicted_and_actual
from llma_assets.models import OpenAIChat, Usage
from llma_assets.summaries.estimate import ANSWER_TOKENS, forecast_summaries
from llma_assets.summaries.pending import pending
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import INVALID_JSON, ChatServer, numbered_texts, real_bill, write_texts
from llma_assets.themes import TRACES, Theme

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
MODEL = "gpt-4.1-nano"


REFUNDS = Theme("refunds", "trace", "Say which refund was refused, and why.")


def estimate(database: Database, team_day: TeamDay = TEAM, model: str = MODEL, theme: Theme = TRACES) -> Forecast:
    return forecast_summaries(database, team_day, theme, model, pending(database, team_day, theme, model))


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def run(
    database: Database,
    server: ChatServer,
    team_day: TeamDay = TEAM,
    budget_usd: float | None = None,
    theme: Theme = TRACES,
) -> None:
    chat = OpenAIChat(MODEL, base_url=server.url)
    store_theme(database, team_day, theme, chat, limits=RunLimits("run", budget_usd=budget_usd), progress=unseen)


@pytest.mark.parametrize("theme", [TRACES, REFUNDS], ids=["general", "judged"])
def test_prompts_are_counted_as_the_server_counts_them(database: Database, theme: Theme) -> None:
    write_texts(database, TEAM, numbered_texts(12))
    expected = estimate(database, theme=theme)
    with ChatServer(bill=real_bill) as server:
        run(database, server, theme=theme)
    actual = sum(spoken for _, spoken, _ in server.billed)
    assert (expected.calls, expected.items, expected.done) == (12, 12, 0)
    assert expected.input_tokens == pytest.approx(actual, rel=0.02)


def test_nothing_is_asked_and_nothing_is_written_by_an_estimate(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    estimate(database)
    for table in ("model_usage", "usage_forecasts", "trace_summaries"):
        assert database.value("SELECT count() FROM {table:Identifier}", table=table) == 0


def test_without_earlier_calls_answers_are_as_long_as_the_mode_asks_for(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(5))
    expected = estimate(database)
    assert expected.output_tokens == 5 * ANSWER_TOKENS["detailed"]
    assert "because there are no earlier calls" in expected.basis


def test_answers_are_as_long_as_those_of_earlier_calls_of_the_same_team(database: Database) -> None:
    for team_id, tokens in ((1, 100), (2, 9_000)):
        yesterday = TeamDay(team_id, DAY).back(1)
        with UsageLedger(database, yesterday, stage="trace_summaries", theme_id=TRACES.theme_id) as ledger:
            for n in range(4):
                ledger.record(f"item-{n}", Usage(MODEL, 500, tokens, 0.1, 0.1))
            ledger.record("item-0", Usage(MODEL, 500, tokens, 0.1, 0.1, "schema"))
            ledger.record("item-1", Usage(MODEL, 0, 0, 0.0, 0.1, "rate_limited"))
    write_texts(database, TEAM, numbered_texts(8))
    expected = estimate(database)
    assert expected.output_tokens == 8 * 5 * 100 / 4
    assert expected.calls == 10  # a repair for every fourth item
    assert "last 5 calls" in expected.basis


def test_what_is_done_is_shown_and_not_counted(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(6))
    write_texts(database, TeamDay(2, DAY), numbered_texts(6))
    with ChatServer(bill=real_bill) as server:
        run(database, server)
    write_texts(database, TEAM, {**numbered_texts(6), "item-2": "L1: another text", "item-new": "L1: a new one"})
    expected = estimate(database)
    assert (expected.items, expected.done) == (2, 5)
    assert estimate(database, TeamDay(2, DAY)).items == 6


def test_another_model_has_everything_to_do_and_another_price(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer(bill=real_bill) as server:
        run(database, server)
    here, other = estimate(database), estimate(database, model="gpt-4.1")
    assert (here.calls, here.cost_usd) == (0, 0.0)
    assert other.calls == 3
    assert other.cost_usd is not None
    assert other.cost_usd == pytest.approx((other.input_tokens * 2 + other.output_tokens * 8) / 1e6, rel=0.01)
    assert other.batch_cost_usd == pytest.approx(other.cost_usd / 2)


def test_equal_texts_are_paid_once(database: Database) -> None:
    write_texts(database, TEAM, {f"item-{n}": "L1: the same words" for n in range(4)})
    expected = estimate(database)
    assert (expected.items, expected.calls) == (4, 1)


def test_a_model_without_a_price_has_tokens_and_no_cost(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(2))
    expected = estimate(database, model="my-own-model")
    assert expected.input_tokens > 0
    assert (expected.cost_usd, expected.batch_cost_usd) == (None, None)
    assert "3 bytes a token" in expected.basis


def test_no_texts_and_the_offline_model_cost_nothing(database: Database) -> None:
    assert estimate(database).cost_usd == 0.0
    write_texts(database, TEAM, numbered_texts(2))
    offline = estimate(database, model="offline/extractive-1")
    assert (offline.items, offline.calls, offline.cost_usd) == (2, 0, 0.0)


def test_predicted_and_actual_stand_side_by_side_after_the_run(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(10))
    write_texts(database, TeamDay(2, DAY), numbered_texts(4))
    expected = estimate(database)
    with ChatServer(bill=real_bill, faults=[INVALID_JSON]) as server:
        run(database, server)
        run(database, server, TeamDay(2, DAY))
    (compared,) = predicted_and_actual(database, TEAM)
    assert (compared.runs, compared.unfinished) == (1, 0)
    assert (compared.calls, compared.actual_calls, compared.actual_items) == (10, 11, 10)
    assert compared.input_tokens == expected.input_tokens
    assert compared.actual_input_tokens >= compared.input_tokens
    assert compared.cost_usd == pytest.approx(expected.cost_usd)
    assert compared.actual_cost_usd is not None


def test_a_run_with_nothing_to_ask_predicts_nothing(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(2))
    with ChatServer(bill=real_bill) as server:
        run(database, server)
        run(database, server)
    assert [each.runs for each in predicted_and_actual(database, TEAM)] == [1]


def test_a_second_day_is_predicted_from_the_first(database: Database) -> None:
    write_texts(
        database, TEAM.back(1), {f"y-{n}": f"{text} of yesterday" for n, text in enumerate(numbered_texts(20).values())}
    )
    write_texts(database, TEAM, numbered_texts(20))
    with ChatServer(bill=real_bill) as server:
        run(database, server, TEAM.back(1))
        run(database, server)
    (compared,) = predicted_and_actual(database, TEAM)
    assert compared.actual_cost_usd is not None
    assert compared.cost_usd == pytest.approx(compared.actual_cost_usd, rel=0.1)
