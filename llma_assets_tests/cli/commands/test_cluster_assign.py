"""`llma clusters assign`: new items in the clusters of the run before them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import TRACES
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import item_id, lineages, name_clusters, plant, run_day
from llma_assets_tests.databases import PlantedOnce

pytestmark = pytest.mark.slow

FIRST = date(2026, 11, 2)
NEXT = FIRST + timedelta(days=1)


def clusters_and_new_items(database: Database) -> None:
    """Two teams with clusters of A, B and C, and new items on the next day: other ones for each team."""
    for team_id, new in ((1, {"A": 5, "B": 3, "X": 2}), (2, {"C": 4})):
        plant(database, team_id, FIRST, {"A": 20, "B": 20, "C": 20})
        run_day(database, team_id, FIRST, 3)
        name_clusters(database, team_id, FIRST)
        plant(database, team_id, NEXT, new)


@pytest.fixture
def clustered(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(clusters_and_new_items)
    return database


def assigned(answer: Answer) -> dict[str, list[str]]:
    (run,) = answer.document["runs"]
    assert run["items"] == sum(each["items"] for each in run["clusters"])
    return {each["title"]: each["item_ids"] for each in run["clusters"]}


def test_new_items_go_to_their_topic_and_strange_ones_to_the_outliers(
    clustered: Database, llma_json: Callable[..., Answer]
) -> None:
    found = assigned(llma_json("clusters", "assign", "--team", "1", "--date", NEXT.isoformat()))
    assert set(found["Outliers"]) >= {item_id("X", NEXT, number) for number in range(2)}
    assert set(found["Topic A of team 1"]) <= {item_id("A", NEXT, number) for number in range(5)}
    assert len(found["Topic A of team 1"]) >= 4
    assert len(found["Topic B of team 1"]) >= 2
    assert found["Topic C of team 1"] == []


def test_a_team_sees_only_its_own_new_items(clustered: Database, llma_json: Callable[..., Answer]) -> None:
    found = assigned(llma_json("clusters", "assign", "--team", "2", "--date", NEXT.isoformat()))
    assert sorted(item for items in found.values() for item in items) == [item_id("C", NEXT, n) for n in range(4)]


def test_late_items_of_the_window_count_and_those_of_later_days_do_not(
    clustered: Database, llma_json: Callable[..., Answer]
) -> None:
    plant(clustered, 1, FIRST, {"C": 1}, first=500)
    found = assigned(llma_json("clusters", "assign", "--team", "1", "--date", FIRST.isoformat()))
    assert [item for items in found.values() for item in items] == [item_id("C", FIRST, 500)]


def test_items_under_another_version_of_the_theme_are_not_held_against_its_clusters(
    clustered: Database, llma_json: Callable[..., Answer]
) -> None:
    plant(clustered, 1, NEXT, {"B": 4}, first=700, version="another")
    plant(clustered, 1, NEXT, {"B": 1}, first=800, version=TRACES.version)
    found = assigned(llma_json("clusters", "assign", "--team", "1", "--date", NEXT.isoformat()))
    items = {item for items in found.values() for item in items}
    assert item_id("B", NEXT, 800) in items
    assert not items & {item_id("B", NEXT, number) for number in range(700, 704)}


def test_a_theme_that_the_team_does_not_have_is_refused(clustered: Database, llma: Llma) -> None:
    page = llma("clusters", "assign", "--team", "1", "--date", NEXT.isoformat(), "--theme", "trace")
    assert page.exit_code == 2
    assert "did you mean 'traces'?" in page.stderr


def test_nothing_is_stored(clustered: Database, llma: Llma) -> None:
    tables = ("clusters", "cluster_members", "clustering_runs")
    before = [clustered.value("SELECT count() FROM {table:Identifier}", table=table) for table in tables]
    assert llma("clusters", "assign", "--team", "1", "--date", NEXT.isoformat()).exit_code == 0
    assert [clustered.value("SELECT count() FROM {table:Identifier}", table=table) for table in tables] == before


def test_nothing_new_and_no_run_are_said(clustered: Database, llma: Llma) -> None:
    page = llma("clusters", "assign", "--team", "1", "--date", FIRST.isoformat())
    assert "0 items newer than the run of 2026-11-02" in page.stdout
    page = llma("clusters", "assign", "--team", "1", "--date", "2026-11-01")
    assert (page.stdout, page.exit_code) == ("", 0)
    assert "no clusters up to 2026-11-01" in page.stderr


def test_a_run_without_stored_radii_takes_them_from_its_members(
    clustered: Database, llma_json: Callable[..., Answer]
) -> None:
    before = assigned(llma_json("clusters", "assign", "--team", "1", "--date", NEXT.isoformat()))
    columns = "team_id, day, theme_id, attempt_id, cluster_id, lineage_id, size, centroid, centroid_x, centroid_y"
    clustered.insert_rows("clusters", clustered.rows(f"SELECT {columns} FROM clusters FINAL"))
    assert {row["radius"] for row in lineages(clustered, 1, FIRST).values()} == {0.0}
    assert assigned(llma_json("clusters", "assign", "--team", "1", "--date", NEXT.isoformat())) == before


def test_a_run_that_is_all_noise_takes_nothing(clustered: Database, llma_json: Callable[..., Answer]) -> None:
    clustered.execute("DELETE FROM clusters WHERE team_id = 1")
    found = assigned(llma_json("clusters", "assign", "--team", "1", "--date", NEXT.isoformat()))
    assert list(found) == ["Outliers"]
    assert len(found["Outliers"]) == 10
