"""`llma clusters --audit` on a stored run: each name beside what was measured of it, one team."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import lineages, name_clusters, plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 2)
HITS = {1: {"A": 9, "B": 4}, 2: {"A": 2, "B": 7}}


def two_named_teams(database: Database) -> None:
    """Two teams with the same items, whose names fit each other's clusters."""
    for team_id, hits in HITS.items():
        plant(database, team_id, DAY, {"A": 12, "B": 14})
        run_day(database, team_id, DAY, 2)
        name_clusters(database, team_id, DAY)
        run, found = stored_run(database, team_id, DAY), lineages(database, team_id, DAY)
        database.insert_rows(
            "cluster_name_tests",
            [
                {
                    "team_id": team_id,
                    "day": DAY,
                    "theme_id": run.theme_id,
                    "attempt_id": run.attempt_id,
                    "cluster_id": found[topic]["cluster_id"],
                    "title": f"Topic {topic} of team {team_id}",
                    "held_out": 10,
                    "hits": hits[topic],
                    "centroid_hits": 10,
                    "nearest_cluster_id": found[other]["cluster_id"],
                    "nearest_distance": 0.25,
                    "model": "test",
                }
                for topic, other in (("A", "B"), ("B", "A"))
            ],
        )


@pytest.fixture
def named(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_named_teams)
    return database


def audited(llma_json: Callable[..., Answer], team_id: int, *more: str) -> list[dict[str, Any]]:
    document = llma_json("clusters", "--team", str(team_id), "--date", str(DAY), "--audit", *more).document
    return [each for run in document["runs"] for each in run["clusters"]]


@pytest.mark.usefixtures("named")
def test_the_least_fitting_name_stands_first_beside_its_evidence(llma_json: Callable[..., Answer]) -> None:
    worst, best = audited(llma_json, 1)
    assert (worst["title"], worst["right"], worst["held_out"], worst["right_by_centroid"]) == (
        "Topic B of team 1",
        4,
        10,
        10,
    )
    assert (worst["nearest_title"], worst["nearest_distance"]) == ("Topic A of team 1", 0.25)
    assert (best["title"], best["size"], len(best["members"]), len(best["edge"])) == ("Topic A of team 1", 12, 3, 1)


@pytest.mark.usefixtures("named")
def test_another_team_has_its_own_names_and_tests(llma_json: Callable[..., Answer]) -> None:
    assert [(each["title"], each["right"]) for each in audited(llma_json, 2)] == [
        ("Topic A of team 2", 2),
        ("Topic B of team 2", 7),
    ]


def test_a_name_that_was_not_tested_says_so_and_comes_last(named: Database, llma: Llma) -> None:
    found = lineages(named, 1, DAY)["B"]["cluster_id"]
    named.execute(
        "DELETE FROM cluster_name_tests WHERE team_id = {team:Int64} AND cluster_id = {id:Int32}", team=1, id=found
    )
    text = llma("clusters", "--team", "1", "--date", str(DAY), "--audit").stdout
    assert text.index("Topic A of team 1") < text.rindex("Topic B of team 1")
    assert "9/10" in text
    assert "4/10" not in text


def test_without_clusters_it_says_so(llma: Llma) -> None:
    result = llma("clusters", "--team", "7", "--date", str(DAY), "--audit")
    assert result.exit_code == 0
    assert "Team 7 has no clusters yet" in result.stderr
