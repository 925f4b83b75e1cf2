"""What is not fit to be published is blocked, and what should be looked at is a finding."""

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.checks import CHECKS
from llma_assets.findings import Outcome
from llma_assets.team_day import TeamDay
from llma_assets_tests.clusters.planted import plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
BY_NAME = {check.name: check for check in CHECKS}


def two_clustered_teams(database: Database) -> None:
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"A": 30, "B": 30, "C": 20})
        run_day(database, team_id, DAY, 3, method="graph")


@pytest.fixture
def clustered(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_clustered_teams)
    return database


def outcome(database: Database, name: str) -> Outcome:
    (found,) = BY_NAME[name].judge(database, TeamDay(1, DAY))
    return found


def change(database: Database, quality: dict[str, Any], **columns: Any) -> None:
    """Store team 1's run again with other columns; the newest row counts."""
    row = {**asdict(stored_run(database, 1, DAY)), **columns}
    row["quality"] = orjson.dumps(orjson.loads(row["quality"]) | quality).decode()
    del row["committed_at"]
    database.insert_rows("clustering_runs", [row])


@pytest.mark.parametrize(
    "name", ["no_giant_cluster", "no_dominant_cluster", "finite_values", "little_noise", "confirmed_by_resamples"]
)
def test_a_good_run_passes(clustered: Database, name: str) -> None:
    assert outcome(clustered, name).passed


@pytest.mark.parametrize(
    "options", [{"method": "graph"}, {"method": "kmeans"}, {"method": "hdbscan"}, {"max_samples": 50}]
)
def test_what_every_method_stores_agrees_with_its_vectors(database: Database, options: dict[str, Any]) -> None:
    """Also of items that were assigned to the clusters of a sample, and of nearly equal ones, which count as one."""
    plant(database, 1, DAY, {"A": 30, "B": 30, "C": 20})
    (row,) = database.rows(
        "SELECT * EXCEPT (inserted_at) FROM document_embeddings WHERE document_id = 'A-2026-11-07-3'"
    )
    copies = [
        {**row, "document_id": f"copy-{number}", "metadata": orjson.dumps({"trace_id": f"copy-{number}"}).decode()}
        | {"embedding": [value * 7 + 0.01 * number for value in row["embedding"]]}
        for number in range(5)
    ]
    database.insert_rows("document_embeddings", copies)
    run_day(database, 1, DAY, 3, **options)
    for name in ("sizes_match_members", "items_counted_once", "ranks_follow_distances", "members_match_vectors"):
        assert outcome(database, name).passed, outcome(database, name)
    clustered = 85 - stored_run(database, 1, DAY).noise_items
    assert outcome(database, "members_match_vectors").found == f"{clustered} of {clustered} members compared"


def test_a_vector_that_was_made_anew_since_is_not_compared(clustered: Database) -> None:
    (row, *_) = clustered.rows("SELECT * EXCEPT (inserted_at) FROM document_embeddings WHERE team_id = 1 LIMIT 1")
    clustered.insert_rows("document_embeddings", [{**row, "embedding": [-value for value in row["embedding"]]}])
    found = outcome(clustered, "members_match_vectors")
    assert found.passed
    assert found.found == "79 of 80 members compared"


def test_one_giant_cluster_of_different_items_is_blocked_and_one_of_equal_items_is_not(clustered: Database) -> None:
    assert BY_NAME["no_giant_cluster"].blocking
    change(clustered, {"largest_share": 0.95, "collapse": "it collapsed", "mended_by": "nothing"})
    found = outcome(clustered, "no_giant_cluster")
    assert not found.passed
    assert "95%" in str(found.found)
    assert "it collapsed" in str(found.found)
    change(clustered, {"largest_share": 0.95, "distinct_items": 3})
    assert list(BY_NAME["no_giant_cluster"].judge(clustered, TeamDay(1, DAY))) == []
    (other,) = BY_NAME["no_giant_cluster"].judge(clustered, TeamDay(2, DAY))
    assert other.passed


@pytest.mark.parametrize(
    ("clusters", "share", "passes"),
    [(7, 0.55, False), (20, 0.65, False), (2, 0.9, False), (2, 0.56, True), (3, 0.6, True), (20, 0.3, True)],
)
def test_a_cluster_of_far_more_than_its_share_is_a_finding(
    clustered: Database, clusters: int, share: float, passes: bool
) -> None:
    assert not BY_NAME["no_dominant_cluster"].blocking
    change(clustered, {"largest_share": share, "distinct_items": 80}, clusters=clusters)
    found = outcome(clustered, "no_dominant_cluster")
    assert found.passed == passes
    assert f"{share:.0%}" in str(found.found)


def test_random_directions_are_blocked_with_both_reasons(database: Database) -> None:
    plant(database, 1, DAY, {"A": 120})
    rng = np.random.default_rng(0)
    rows = database.rows("SELECT * EXCEPT (inserted_at) FROM document_embeddings WHERE team_id = 1")
    for row in rows:
        row["embedding"] = rng.normal(size=256).astype(np.float32).tolist()
    database.insert_rows("document_embeddings", rows)
    run_day(database, 1, DAY, 3, method="graph")
    assert stored_run(database, 1, DAY).clusters == 1
    found = outcome(database, "no_giant_cluster")
    assert not found.passed
    assert "no structure that a resample confirms" in str(found.found)
    assert "no closer together than chance puts them" in str(found.found)


@pytest.mark.parametrize("column", ["distance", "strength", "x"])
def test_a_value_that_is_no_number_is_blocked(clustered: Database, column: str) -> None:
    assert BY_NAME["finite_values"].blocking
    (row, *_) = clustered.rows("SELECT * EXCEPT (inserted_at) FROM cluster_members WHERE team_id = 1 LIMIT 1")
    clustered.insert_rows("cluster_members", [{**row, column: float("nan")}])
    assert outcome(clustered, "finite_values").found == {"members": 1, "clusters": 0}
    (other,) = BY_NAME["finite_values"].judge(clustered, TeamDay(2, DAY))
    assert other.passed


def test_much_noise_and_low_stability_are_findings_and_block_nothing(clustered: Database) -> None:
    change(clustered, {"stability": 0.2}, noise_items=40)
    for name in ("little_noise", "confirmed_by_resamples"):
        assert not BY_NAME[name].blocking
        assert not outcome(clustered, name).passed


def test_a_stability_that_was_not_measured_is_no_finding(clustered: Database) -> None:
    change(clustered, {"stability": None})
    assert list(BY_NAME["confirmed_by_resamples"].judge(clustered, TeamDay(1, DAY))) == []


def test_the_stored_quality_tells_the_whole_story(clustered: Database) -> None:
    quality = orjson.loads(stored_run(clustered, 1, DAY).quality)
    assert quality["sampled_items"] == 80
    assert quality["assigned_items"] == 0
    assert 0.5 < quality["stability"] <= 1
    assert quality["groups"] == [0, 1, 2]
    assert quality["resolution_curve"]
    assert np.isfinite(quality["silhouette"])
