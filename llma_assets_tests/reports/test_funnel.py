"""The funnel counts what was stored: of one team, one theme, its present version, and the days that are asked for."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.reports.funnel import Funnel, funnel
from llma_assets.themes import Filter, Theme

DAY = date(2026, 11, 7)
THEME = Theme(theme_id="failed", level="trace", prompt="?", theme_filters=(Filter("$ai_is_error", "exact", True),))
ITEMS = 8


def store(database: Database, team_id: int = 1, day: date = DAY, theme: Theme = THEME, *, last_day: date = DAY) -> None:
    """A day of 10 that match, 8 sampled, 6 screened, 5 answered, 4 relevant, 2 in a cluster, 1 among the outliers."""
    key = {"team_id": team_id, "day": day, "theme_id": theme.theme_id}
    numbers = {"matched": 10, "sampled": ITEMS, "screened": 6, "sample_rate": 0.8}
    database.insert_rows("theme_days", [{**key, "version": theme.version, **numbers}])
    database.insert_rows(
        "theme_items",
        [
            {**key, "item_id": f"i{number}", "version": theme.version, "taken": True, "screened": number < 6}
            for number in range(ITEMS)
        ],
    )
    database.insert_rows(
        "trace_summaries",
        [
            {
                **key,
                "item_id": f"i{number}",
                "status": "generated" if number < 5 else "failed",
                "relevant": number < 4,
                "theme_version": theme.version,
            }
            for number in range(6)
        ],
    )
    run(database, team_id, last_day, day, theme)


def run(database: Database, team_id: int, day: date, item_day: date, theme: Theme) -> None:
    """Three items of a day more in a committed run, and as many in one that was never committed."""
    attempt = {"team_id": team_id, "day": day, "theme_id": theme.theme_id}
    committed = database.rows(
        "SELECT attempt_id FROM clustering_runs WHERE team_id = {team_id:Int64} AND day = {day:Date}",
        team_id=team_id,
        day=day,
    )
    attempt_id = committed[0]["attempt_id"] if committed else uuid4()
    for each in (attempt_id, uuid4()):
        members: list[dict[str, Any]] = [
            {**attempt, "attempt_id": each, "item_id": f"{item_day}-i{n}", "item_day": item_day, "cluster_id": cluster}
            for n, cluster in enumerate((0, 1, -1))
        ]
        database.insert_rows("cluster_members", members)
    params = f'{{"theme_version": "{theme.version}"}}'
    if not committed:
        database.insert_rows("clustering_runs", [{**attempt, "attempt_id": attempt_id, "params": params}])


def test_each_step_counts_what_came_so_far(database: Database) -> None:
    store(database)
    assert funnel(database, 1, DAY, DAY, THEME) == Funnel(10, 8, 6, 5, 4, 2, 1, 1)


def test_days_add_up_and_others_are_left_out(database: Database) -> None:
    for back in range(3):
        store(database, day=DAY - timedelta(days=back))
    assert funnel(database, 1, DAY - timedelta(days=1), DAY, THEME) == Funnel(20, 16, 12, 10, 8, 4, 2, 2)


def test_another_team_with_equal_ids_counts_for_itself(database: Database) -> None:
    for team_id in (1, 2):
        store(database, team_id)
    store(database, 2, DAY - timedelta(days=1))
    assert funnel(database, 1, DAY - timedelta(days=6), DAY, THEME) == Funnel(10, 8, 6, 5, 4, 2, 1, 1)


def test_what_was_selected_or_answered_under_another_version_does_not_count(database: Database) -> None:
    store(database)
    other = replace(THEME, prompt="another question")
    assert funnel(database, 1, DAY, DAY, other) == Funnel()
    key = {"team_id": 1, "day": DAY, "theme_id": "failed", "item_id": "i0", "status": "generated"}
    database.insert_rows("trace_summaries", [{**key, "theme_version": "old"}])
    assert funnel(database, 1, DAY, DAY, THEME).summarised == 4


def test_what_is_no_longer_selected_does_not_count(database: Database) -> None:
    store(database)
    key = {"team_id": 1, "day": DAY, "theme_id": "failed", "item_id": "i0", "version": THEME.version}
    database.insert_rows("theme_items", [{**key, "taken": False, "screened": False}])
    assert (funnel(database, 1, DAY, DAY, THEME).summarised, funnel(database, 1, DAY, DAY, THEME).relevant) == (4, 3)


def test_nothing_stored_is_nothing(database: Database) -> None:
    assert funnel(database, 1, DAY, DAY, THEME) == Funnel()
