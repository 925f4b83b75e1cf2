"""Published clusters are out of date where their theme has let an item go since."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.stale import STALE_RUNS
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.team_day import midnight

DAY = date(2026, 11, 7)
COMMITTED = datetime(2026, 11, 8, 3, tzinfo=UTC)
LATER = COMMITTED + timedelta(hours=2)


def commit(database: Database, team_id: int, theme_id: str) -> None:
    row = {
        "team_id": team_id,
        "day": DAY,
        "theme_id": theme_id,
        "embedding_model": "m",
        "params": '{"theme_version": "then"}',
        "items": 20,
        "window_start": midnight(DAY - timedelta(days=6)),
        "window_end": midnight(DAY + timedelta(days=1)),
        "committed_at": COMMITTED,
    }
    database.insert_rows("clustering_runs", [row])


def item(team_id: int, theme_id: str, day: date, at: datetime, **kept: Any) -> dict[str, Any]:
    return {"team_id": team_id, "theme_id": theme_id, "day": day, "item_id": "a", "inserted_at": at, **kept}


def stale(database: Database) -> list[tuple[int, date, str]]:
    """Team, day and theme of what is stale; the version of each is known."""
    rows = database.rows(
        STALE_RUNS,
        since=DAY - timedelta(days=30),
        today=DAY + timedelta(days=2),
        oldest=midnight(DAY - timedelta(days=60)),
        product=PRODUCT,
        rendering_prefix="llm_traces_summary_",
    )
    assert {row["theme_version"] for row in rows} == {"then"}
    return [(row["team_id"], row["day"], row["theme_id"]) for row in rows]


def test_an_item_that_a_theme_no_longer_selects_makes_the_runs_of_its_window_stale(database: Database) -> None:
    for team_id in (1, 2):
        for theme_id in ("own", "traces"):
            commit(database, team_id, theme_id)
    rows = [
        item(1, "own", DAY - timedelta(days=6), LATER, taken=False, screened=False),
        item(2, "own", DAY - timedelta(days=6), LATER, taken=True, screened=True),
        item(2, "own", DAY - timedelta(days=7), LATER, taken=False, screened=False),
        item(2, "traces", DAY, COMMITTED - timedelta(hours=1), taken=True, screened=False),
    ]
    database.insert_rows("theme_items", rows)
    assert stale(database) == [(1, DAY, "own")]


def test_an_item_that_turned_out_to_be_irrelevant_makes_the_runs_of_its_window_stale(database: Database) -> None:
    for team_id in (1, 2):
        commit(database, team_id, "own")
    database.insert_rows(
        "trace_summaries",
        [item(1, "own", DAY, LATER, relevant=True), item(2, "own", DAY, LATER, relevant=False)],
    )
    assert stale(database) == [(2, DAY, "own")]
