"""Shares of all items out of those of a sample: weighted by chance, with intervals that hold the truth."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from llma_assets.clickhouse import Database
from llma_assets.reports.shares import Estimate, Shares, estimate, theme_shares
from llma_assets.themes import Theme

DAY = date(2026, 11, 7)
THEME = Theme(theme_id="failed", level="trace", prompt="?")


def store(
    database: Database,
    items: Iterable[tuple[str, float, bool, bool | None]],
    *,
    team_id: int = 1,
    day: date = DAY,
    theme: Theme = THEME,
) -> None:
    """Items by id, chance, whether the rule left them, and whether they are relevant, None where nobody knows."""
    key = {"team_id": team_id, "day": day, "theme_id": theme.theme_id}
    rows = list(items)
    database.insert_rows(
        "theme_items",
        [
            {
                **key,
                "item_id": item_id,
                "version": theme.version,
                "inclusion_probability": chance,
                "taken": True,
                "screened": screened,
            }
            for item_id, chance, screened, _ in rows
        ],
    )
    database.insert_rows(
        "trace_summaries",
        [
            {
                **key,
                "item_id": item_id,
                "status": "generated",
                "relevant": relevant,
                "theme_version": theme.version,
            }
            for item_id, _, _, relevant in rows
            if relevant is not None
        ],
    )


def shares(database: Database, theme: Theme = THEME, first: date = DAY) -> Shares:
    found = theme_shares(database, 1, first, DAY, theme)
    assert found is not None
    return found


def test_a_share_of_all_items_is_counted_and_no_estimate(database: Database) -> None:
    store(database, [("a", 1.0, True, True), ("b", 1.0, True, False), ("c", 1.0, False, None), ("d", 1.0, False, None)])
    found = shares(database)
    assert (found.items, found.decided) == (4.0, 4)
    assert (found.screened, found.relevant) == (Estimate.exact(0.5), Estimate.exact(0.25))
    assert not found.relevant.is_estimate


def test_each_item_of_a_sample_stands_for_as_many_as_its_chance_says(database: Database) -> None:
    store(database, [("quiet", 1.0, True, False), ("busy", 0.1, True, True)])
    found = shares(database)
    assert found.items == pytest.approx(11.0)
    assert found.relevant.value == pytest.approx(10 / 11)
    assert found.relevant.low < 10 / 11 < found.relevant.high
    assert found.relevant.is_estimate


def test_items_whose_relevance_nobody_knows_say_nothing(database: Database) -> None:
    store(database, [("a", 1.0, True, True), ("b", 1.0, True, False), ("c", 1.0, True, None)])
    found = shares(database)
    assert (found.decided, found.relevant.value) == (2, 0.5)


def test_other_teams_days_themes_and_versions_do_not_count(database: Database) -> None:
    store(database, [("a", 1.0, True, True)])
    store(database, [("a", 1.0, True, False)], team_id=2)
    store(database, [("a", 1.0, True, False)], day=DAY - timedelta(days=1))
    store(database, [("a", 1.0, True, False)], theme=replace(THEME, theme_id="other"))
    store(database, [("b", 1.0, True, False)], theme=replace(THEME, prompt="asked before"))
    assert shares(database).relevant.value == 1.0
    assert shares(database, first=DAY - timedelta(days=1)).relevant.value == 0.5


def test_nothing_decided_has_no_shares(database: Database) -> None:
    assert theme_shares(database, 1, DAY, DAY, THEME) is None
    store(database, [("a", 1.0, True, None)])
    assert theme_shares(database, 1, DAY, DAY, THEME) is None


@pytest.mark.parametrize("chances", [(0.1, 0.1), (1.0, 0.05)])
def test_nineteen_of_twenty_intervals_hold_the_share_of_the_whole(chances: tuple[float, float]) -> None:
    """Half of 2,000 items have each chance; a fifth of all are relevant."""
    random = Random(5)
    held = 0
    for _ in range(400):
        sample = [
            (chance, number % 5 == 0) for chance in chances for number in range(1_000) if random.random() < chance
        ]
        whole = sum(1 / chance for chance, _ in sample)
        spread = sum((1 - chance) / chance**2 for chance, _ in sample)
        found = estimate(sum(1 / chance for chance, relevant in sample if relevant) / whole, whole, spread)
        held += found.low <= 0.2 <= found.high
    assert held >= 0.92 * 400
