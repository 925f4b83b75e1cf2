"""Lineages in the database: linked when a run is stored, the same when it is stored again, never across teams."""

from datetime import date, timedelta

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.lineage_queries import CarriedName, carried_names
from llma_assets.team_day import TeamDay
from llma_assets_tests.clusters.planted import lineages, name_clusters, plant, run_day, stored_run

FIRST = date(2026, 11, 2)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def two_teams(database: Database) -> Database:
    """Three days of A, B and C for team 1, and the same ids with other topics for team 2."""
    for number in range(3):
        plant(database, 1, day(number), {"A": 12, "B": 9, "C": 6})
        plant(database, 2, day(number), {"A": 6, "B": 9, "C": 12, "X": 8})
    return database


def test_a_cluster_has_the_same_lineage_on_the_next_day(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    run_day(two_teams, 1, day(1), 3)
    before, after = lineages(two_teams, 1, day(0)), lineages(two_teams, 1, day(1))
    assert {row["lineage_status"] for row in before.values()} == {"new"}
    assert {row["lineage_status"] for row in after.values()} == {"continued"}
    for topic in "ABC":
        assert after[topic]["lineage_id"] == before[topic]["lineage_id"] != ""
        assert after[topic]["lineage_parents"] == [before[topic]["lineage_id"]]
        assert after[topic]["radius"] > 0


def test_no_lineage_crosses_to_another_team(two_teams: Database) -> None:
    for team_id, clusters in ((1, 3), (2, 4)):
        for number in range(3):
            run_day(two_teams, team_id, day(number), clusters)
    mine = {row["lineage_id"] for number in range(3) for row in lineages(two_teams, 1, day(number)).values()}
    theirs = {row["lineage_id"] for number in range(3) for row in lineages(two_teams, 2, day(number)).values()}
    assert (len(mine), len(theirs), mine & theirs) == (3, 4, set())
    assert orjson.loads(stored_run(two_teams, 2, day(0)).lineage)["note"] == "no run before it"


def carried(database: Database, team_id: int, when: date) -> dict[str, CarriedName]:
    """Carried names by topic."""
    names = carried_names(database, TeamDay(team_id, when), "traces")
    topics = {row["cluster_id"]: topic for topic, row in lineages(database, team_id, when).items()}
    return {topics[cluster_id]: found for cluster_id, found in names.items()}


def test_names_carry_over_while_the_content_stays(two_teams: Database) -> None:
    for team_id, clusters in ((1, 3), (2, 4)):
        run_day(two_teams, team_id, day(0), clusters)
        name_clusters(two_teams, team_id, day(0))
        run_day(two_teams, team_id, day(1), clusters)
    found = carried(two_teams, 1, day(1))
    assert {topic: each.title for topic, each in found.items()} == {t: f"Topic {t} of team 1" for t in "ABC"}
    for each in found.values():
        assert each.keep
        assert each.unchanged
        assert each.drift is not None
        assert each.drift < 0.2
        assert (each.named_on, each.description[:7], each.model) == (day(0), "- about", "offline/labels")


def test_a_carried_name_remembers_when_it_was_thought_of(two_teams: Database) -> None:
    for number in range(3):
        run_day(two_teams, 1, day(number), 3)
        name_clusters(two_teams, 1, day(number), origin="asked" if number == 0 else "carried")
    assert {each.named_on for each in carried(two_teams, 1, day(2)).values()} == {day(0)}


def test_content_that_drifts_is_found_though_each_day_is_like_the_last(database: Database) -> None:
    shares = ((20, 0), (16, 4), (10, 10), (4, 16), (0, 20), (0, 20), (0, 20), (0, 20), (0, 20), (0, 20))
    for number, (old, new) in enumerate(shares):
        plant(database, 1, day(number), {"A": old, "X": new, "B": 20})
        run_day(database, 1, day(number), 2)
        name_clusters(database, 1, day(number), origin="asked" if number == 0 else "carried")
    drifted = [found for found in carried(database, 1, day(9)).values() if not found.unchanged]
    assert len(drifted) == 1
    assert drifted[0].drift is not None
    assert drifted[0].drift > 0.5
    assert not drifted[0].keep
    assert all(found.unchanged for found in carried(database, 1, day(1)).values())


def test_a_merged_cluster_is_named_anew(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    name_clusters(two_teams, 1, day(0))
    run_day(two_teams, 1, day(1), 2)
    merged = [row for row in lineages(two_teams, 1, day(1)).values() if row["lineage_status"] == "merged"]
    assert len(merged) == 1
    names = carried_names(two_teams, TeamDay(1, day(1)), "traces")
    assert not names[merged[0]["cluster_id"]].keep
    assert names[1 - merged[0]["cluster_id"]].keep


def test_without_a_run_or_without_earlier_names_nothing_is_carried(two_teams: Database) -> None:
    assert carried_names(two_teams, TeamDay(1, day(0)), "traces") == {}
    run_day(two_teams, 1, day(0), 3)
    name_clusters(two_teams, 1, day(0))
    assert carried_names(two_teams, TeamDay(1, day(0)), "traces") == {}
