"""Events of several themes: each its own, one that cannot be published leaving the others, and history staying."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from llma_assets.clickhouse import Database
from llma_assets.events.partition import publish_events
from llma_assets.stage import ThemesFailed, silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES, Theme
from llma_assets_tests.clusters.planted import name_clusters, plant, run_day
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 2)
OWN = Theme("own", "trace", "Say what broke.", name="What broke")

EVENTS = "SELECT team_id, properties FROM events FINAL ORDER BY team_id, properties"


def two_clustered_teams(database: Database) -> None:
    """Two teams with equal items and a run for each of two themes."""
    for team_id in (1, 2):
        for theme in (TRACES, OWN):
            plant(database, team_id, DAY, {"A": 12, "B": 9}, theme=theme, version=theme.version)
            run_day(database, team_id, DAY, 2, theme=theme)


@pytest.fixture
def clustered(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_clustered_teams)
    return database


def publish(database: Database, *themes: Theme) -> None:
    publish_events(database, TeamDay(1, DAY), themes=themes, progress=silent)


def published(database: Database) -> dict[tuple[int, str], tuple[str, str]]:
    """Version and name by team and theme."""
    found = {}
    for row in database.rows(EVENTS):
        event = json.loads(row["properties"])
        key = (row["team_id"], event["$ai_analysis_theme_id"])
        found[key] = (event["$ai_analysis_theme_version"], event["$ai_analysis_theme_name"])
    return found


def test_each_theme_is_an_event_of_its_own_with_its_version_and_name(clustered: Database) -> None:
    publish(clustered, TRACES, OWN)
    expected = {(1, "traces"): (TRACES.version, "Traces"), (1, "own"): (OWN.version, "What broke")}
    assert published(clustered) == expected


def test_groups_of_clusters_are_published_by_their_names(clustered: Database) -> None:
    (run,) = clustered.rows("SELECT attempt_id FROM clustering_runs FINAL WHERE team_id = 1 AND theme_id = 'own'")
    for team_id, title in ((1, "Both"), (2, "of another team")):
        row = {
            "team_id": team_id,
            "day": DAY,
            "theme_id": "own",
            "attempt_id": run["attempt_id"],
            "group_id": 0,
            "cluster_ids": [0, 1],
            "title": title,
            "description": "- both",
            "status": "generated",
            "error": "",
            "model": "m",
            "content": "",
        }
        clustered.insert_rows("cluster_group_labels", [row])
    publish(clustered, OWN)
    (event,) = clustered.rows(EVENTS)
    named = {"group": 0, "title": "Both", "description": "- both", "cluster_ids": [0, 1]}
    assert json.loads(event["properties"])["$ai_cluster_groups"] == [named]


def test_what_a_theme_published_stays_when_it_is_not_run_any_more(clustered: Database) -> None:
    publish(clustered, TRACES, OWN)
    name_clusters(clustered, 1, DAY)
    publish(clustered, TRACES)
    assert set(published(clustered)) == {(1, "traces"), (1, "own")}


def test_a_theme_with_an_empty_run_publishes_nothing_and_leaves_the_others(clustered: Database) -> None:
    empty = {
        "team_id": 1,
        "day": DAY,
        "theme_id": "own",
        "level": "trace",
        "attempt_id": UUID(int=7),
        "run_id": "r",
        "method": "kmeans",
        "params": '{"version": "v1"}',
        "quality": "{}",
        "window_start": datetime(2026, 11, 1, tzinfo=UTC),
        "window_end": datetime(2026, 11, 3, tzinfo=UTC),
    }
    clustered.insert_rows("clustering_runs", [empty])
    with pytest.raises(ThemesFailed, match=r"own \(EmptyClusteringError"):
        publish(clustered, OWN, TRACES)
    assert set(published(clustered)) == {(1, "traces")}


def test_an_event_is_of_the_newest_clustering_also_where_two_are_published_at_once(
    clustered: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, entered = Database.insert_rows, list[str]()

    def other_is_faster(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table == "events" and not entered:
            entered.append(table)
            plant(self, 1, DAY, {"C": 10}, theme=OWN, version=OWN.version)
            run_day(self, 1, DAY, 3, theme=OWN)
            publish(self, OWN)
        insert(self, table, rows, **options)

    monkeypatch.setattr(Database, "insert_rows", other_is_faster)
    publish(clustered, OWN)
    (event,) = clustered.rows(EVENTS)
    assert json.loads(event["properties"])["$ai_total_items_analyzed"] == 31
