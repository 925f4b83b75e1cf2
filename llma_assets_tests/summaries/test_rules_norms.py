"""What is usual for a team: its own drawn items of one level, within the window."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.summaries.rules import Norms, Spread, read_norms
from llma_assets.team_day import TeamDay

DAY = TeamDay(1, date(2026, 11, 7))


def write(database: Database, team_day: TeamDay, costs: list[float], **other: Any) -> None:
    """Store an item for each cost, whose other numbers follow from it."""
    database.insert_rows(
        "trace_texts",
        [
            {
                "team_id": team_day.team_id,
                "day": team_day.day,
                "level": "trace",
                "item_id": f"item-{n}-{other}",
                "trace_id": f"item-{n}",
                "generation_id": "",
                "text": "L1: ",
                "text_hash": "h",
                "loss": "{}",
                "line_count": 1,
                "event_count": n + 1,
                "trace_timestamp": datetime.combine(team_day.day, time(8), tzinfo=UTC),
                "cost_usd": cost,
                "latency_s": 10 * cost,
                "tokens": int(100 * cost),
                "error_count": 0,
                "renderer": "tests",
                "drawn": True,
                **other,
            }
            for n, cost in enumerate(costs)
        ],
    )


def test_a_number_is_spread_over_the_items_that_have_it(database: Database) -> None:
    write(database, DAY, [float(n) for n in range(101)])
    norms = read_norms(database, DAY, "trace")
    assert norms.cost_usd == Spread(100, 51.0, 96.0)
    assert norms.latency_s == Spread(100, 510.0, 960.0)
    assert norms.tokens == Spread(100, 5_100.0, 9_600.0)
    assert norms.event_count.items == 101


def test_only_the_days_of_the_window_count(database: Database) -> None:
    for back, cost in ((0, 1.0), (6, 2.0), (7, 50.0), (-1, 60.0)):
        write(database, DAY.back(back), [cost])
    assert read_norms(database, DAY, "trace").cost_usd.items == 2
    assert read_norms(database, DAY, "trace", lookback_days=8).cost_usd.items == 3


def test_items_of_another_team_another_level_or_a_themes_own_choice_do_not_count(database: Database) -> None:
    write(database, DAY, [1.0])
    write(database, replace(DAY, team_id=2), [90.0, 90.0])
    write(database, DAY, [80.0, 80.0], level="generation")
    write(database, DAY, [70.0, 70.0], drawn=False)
    assert read_norms(database, DAY, "trace").cost_usd == Spread(1, 1.0, 1.0)
    assert read_norms(database, DAY, "generation").cost_usd == Spread(2, 80.0, 80.0)


def test_an_item_that_was_rendered_anew_counts_once(database: Database) -> None:
    write(database, DAY, [1.0, 2.0])
    write(database, DAY, [3.0, 4.0])
    assert read_norms(database, DAY, "trace").cost_usd == Spread(2, 4.0, 4.0)


def test_without_items_there_are_no_norms(database: Database) -> None:
    assert read_norms(database, DAY, "trace") == Norms()
