"""`llma_assets.frames`: the figures of the command line as DataFrames, whose types are the same without a row."""

import importlib
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from llma_assets import frames
from llma_assets.clickhouse import Database
from llma_assets.testing import similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets_tests.cli.commands.test_trends import store_numbers
from llma_assets_tests.cli.conftest import Answer, Llma, llma, llma_json
from llma_assets_tests.clusters.planted import name_clusters, plant, run_day
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.tasks.passing import a_pass

__all__ = ["llma", "llma_json"]  # fixtures

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 3)
SUMMARY = {
    "team_id": 1,
    "day": LAST,
    "theme_id": "traces",
    "level": "trace",
    "item_id": f"A-{LAST}-0",
    "trace_id": f"A-{LAST}-0",
    "status": "generated",
    "title": "A refund",
    "flow_diagram": "ask → pay",
    "bullets": '[{"text": "Wants it back", "line_refs": "L1"}]',
    "interesting_notes": "[]",
    "relevant": True,
}
EMPTY: dict[str, Callable[[Database], pd.DataFrame]] = {
    "CLUSTERS": lambda database: frames.clusters(9, database=database),
    "ITEMS": lambda database: frames.items(9, LAST, database=database),
    "TRENDS": lambda database: frames.trends(9, database=database),
    "FUNNEL": lambda database: frames.funnel(9, database=database),
    "TASKS": lambda database: frames.tasks(9, database=database),
}
FILLED: dict[str, Callable[[Database], pd.DataFrame]] = {
    "CLUSTERS": lambda database: frames.clusters(1, database=database),
    "ITEMS": lambda database: frames.items(1, LAST, database=database),
    "TRENDS": lambda database: frames.trends(1, database=database),
    "FUNNEL": lambda database: frames.funnel(1, database=database),
    "TASKS": lambda database: frames.tasks(1, now=MONDAY + timedelta(days=1), database=database),
}


@pytest.fixture
def stored(database: Database, planted_once: PlantedOnce) -> Database:
    """The database with two days of two teams, and a task."""
    planted_once(two_days_and_a_task)
    return database


def two_days_and_a_task(database: Database) -> None:
    """Two days of two teams with the same ids, a summary, and a task of team 1."""
    for day in (FIRST, LAST):
        for team_id, sizes in ((1, {"A": 9, "B": 6}), (2, {"A": 5, "B": 7})):
            plant(database, team_id, day, sizes)
            for topic, count in sizes.items():
                store_numbers(database, team_id, day, topic, count, errors=1)
            run_day(database, team_id, day, 2)
            name_clusters(database, team_id, day)
    database.insert_rows("trace_summaries", [SUMMARY])
    write_segments(database, similar_segments("a", 0))
    a_pass(database, MONDAY + timedelta(hours=1))


@pytest.mark.parametrize("name", list(EMPTY))
def test_columns_and_their_types_are_the_same_in_an_empty_frame(stored: Database, name: str) -> None:
    empty, filled = EMPTY[name](stored), FILLED[name](stored)
    wanted = {column: pd.Series([], dtype=kind).dtype for column, kind in getattr(frames, name).items()}
    assert dict(empty.dtypes) == dict(filled.dtypes) == wanted
    assert len(filled) > 0
    assert len(empty) == (2 if name == "FUNNEL" and len(empty) else 0)


def test_clusters_are_those_of_the_command_line(stored: Database, llma_json: Callable[..., Answer]) -> None:
    (run,) = llma_json("clusters", "--team", "1", "--date", str(LAST)).document["runs"]
    found = frames.clusters(1, database=stored)
    for column in ("cluster_id", "lineage_id", "lineage_status", "title", "size"):
        assert found[column].tolist() == [each[column] for each in run["clusters"]]
    assert found.share.sum() == pytest.approx(1.0)
    assert set(found.day) == {pd.Timestamp(LAST)}
    assert frames.clusters(1, str(FIRST), database=stored)["size"].sum() == 15
    assert frames.clusters(1, theme="generations", database=stored).empty


def test_items_have_a_place_their_cluster_and_their_summary(stored: Database) -> None:
    found = frames.items(1, database=stored)
    clusters = frames.clusters(1, database=stored)
    assert found.groupby("cluster_id").size().to_dict() == dict(zip(clusters.cluster_id, clusters["size"], strict=True))
    assert {title for title in found.cluster_title if title != "Outliers"} == {
        "Topic A of team 1",
        "Topic B of team 1",
    }
    assert found[["x", "y"]].notna().all(axis=None)
    (told,) = found[found.title != ""].itertuples()
    assert (told.item_id, told.title, told.bullets, told.notes) == (
        SUMMARY["item_id"],
        "A refund",
        ("Wants it back",),
        (),
    )


def test_trends_are_those_of_the_command_line_a_row_for_each_day(
    stored: Database, llma_json: Callable[..., Answer]
) -> None:
    (theme,) = llma_json("trends", "--team", "1", "--date", str(LAST)).document["themes"]
    found = frames.trends(1, until=LAST, database=stored)
    wanted: list[tuple[Any, ...]] = [
        (each["lineage_id"], point["day"], point["items"], point["share"]["value"], point["error_rate"]["high"])
        for each in theme["trends"]
        for point in each["days"]
    ]
    columns = [found.lineage_id, found.day.dt.strftime("%Y-%m-%d"), found["items"], found.share, found.error_rate_high]
    assert list(zip(*columns, strict=True)) == wanted


def test_tasks_are_the_teams_own(stored: Database) -> None:
    (task,) = frames.tasks(1, now=MONDAY + timedelta(days=1), database=stored).itertuples()
    assert (task.user_count, task.occurrence_count, task.first_seen) == (3, 3, pd.Timestamp(MONDAY))
    assert pd.isna(task.actionable)
    assert frames.tasks(1, statuses=("ignored",), now=datetime.now(UTC), database=stored).empty
    assert frames.tasks(2, database=stored).empty


def test_without_a_database_that_of_the_settings_is_read(stored: Database, llma: Llma) -> None:
    pd.testing.assert_frame_equal(frames.clusters(2), frames.clusters(2, database=stored))
    assert set(frames.clusters(2).title) - {"Outliers"} == {"Topic A of team 2", "Topic B of team 2"}


def test_without_pandas_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "llma_assets.frames")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'llma-assets\[notebook\]'"):
        importlib.import_module("llma_assets.frames")
