"""The clusters of a day's runs beside their members, and whether a theme was clustered on other days; by team."""

from datetime import date, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.attempts import invariants_of
from llma_assets.clusters.store.clustering_runs import has_runs
from llma_assets.clusters.store.parts import parts_of_day
from llma_assets.team_day import TeamDay
from llma_assets_tests.clusters.planted import plant, run_day
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
THREE = timedelta(days=3)


def two_teams(database: Database) -> None:
    for team_id, day in ((1, DAY), (1, DAY - THREE), (2, DAY + THREE)):
        plant(database, team_id, day, {"A": 12, "B": 8})
        run_day(database, team_id, day, 2)


@pytest.fixture
def planted(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_teams)
    return database


def test_the_parts_of_a_sound_run_add_up_to_it(planted: Database) -> None:
    ((run, parts),) = parts_of_day(planted, TeamDay(1, DAY))
    counts = invariants_of(planted, run)
    assert sum(part.members for part in parts) == counts["members"] == run.items
    assert sum(part.size for part in parts) == counts["total_size"]
    assert sum(not part.is_noise for part in parts) == run.clusters
    faults = ("counted_twice", "misplaced", "out_of_order", "infinite_members", "infinite_clusters")
    assert [getattr(part, fault) for part in parts for fault in faults] == [0] * len(parts) * len(faults)
    assert parts_of_day(planted, TeamDay(2, DAY)) == []


def test_runs_on_other_days_are_of_the_team_and_the_theme(planted: Database) -> None:
    def near(team_id: int, first: date, last: date, theme_id: str = "traces") -> bool:
        return has_runs(planted, TeamDay(team_id, DAY), theme_id, first, last)

    assert near(1, DAY - THREE, DAY - timedelta(days=1))
    assert not near(1, DAY - timedelta(days=2), DAY - timedelta(days=1))
    assert near(1, DAY, DAY)
    assert not near(1, DAY + timedelta(days=1), DAY + 2 * THREE), "team 2 alone"
    assert near(2, DAY, DAY + THREE)
    assert not near(2, DAY - THREE, DAY)
    assert not near(1, DAY - THREE, DAY, "generations")
