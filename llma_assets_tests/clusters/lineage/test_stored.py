"""Lineages in the database: linked when a run is stored, the same when it is stored again, never across teams."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.lineage.stored import CarriedName, carried_names
from llma_assets.clusters.store.clustering_runs import committed_run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.team_day import TeamDay
from llma_assets_tests.clusters.planted import lineages, name_clusters, plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

FIRST = date(2026, 11, 2)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def three_days_of_two_teams(database: Database) -> None:
    """Three days of A, B and C for team 1, and the same ids with other topics for team 2."""
    for number in range(3):
        plant(database, 1, day(number), {"A": 12, "B": 9, "C": 6})
        plant(database, 2, day(number), {"A": 6, "B": 9, "C": 12, "X": 8})


@pytest.fixture
def two_teams(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(three_days_of_two_teams)
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


@pytest.mark.slow
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
    assert {row["lineage_status"] for row in lineages(two_teams, 1, day(1)).values()} == {"continued"}
    run_day(two_teams, 1, day(2), 2)
    merged = [row for row in lineages(two_teams, 1, day(2)).values() if row["lineage_status"] == "merged"]
    assert len(merged) == 1
    names = carried_names(two_teams, TeamDay(1, day(2)), "traces")
    assert not names[merged[0]["cluster_id"]].keep
    assert names[1 - merged[0]["cluster_id"]].keep


def test_without_a_run_or_without_earlier_names_nothing_is_carried(two_teams: Database) -> None:
    assert carried_names(two_teams, TeamDay(1, day(0)), "traces") == {}
    run_day(two_teams, 1, day(0), 3)
    name_clusters(two_teams, 1, day(0))
    assert carried_names(two_teams, TeamDay(1, day(0)), "traces") == {}


def ids(database: Database, team_id: int, when: date) -> dict[str, str]:
    """Lineage ids by topic."""
    return {topic: row["lineage_id"] for topic, row in lineages(database, team_id, when).items()}


def stored_rows(database: Database) -> list[tuple[object, ...]]:
    """All cluster rows as they are, older versions too."""
    rows = database.rows("SELECT team_id, day, cluster_id, lineage_id, inserted_at FROM clusters ORDER BY ALL")
    return [tuple(row.values()) for row in rows]


def test_a_second_run_of_a_day_writes_nothing(two_teams: Database) -> None:
    for number in (0, 1):
        run_day(two_teams, 1, day(number), 3)
    before = stored_rows(two_teams)
    for number in (0, 1):
        run_day(two_teams, 1, day(number), 3)
    assert stored_rows(two_teams) == before


def test_a_day_that_is_clustered_again_keeps_its_ids_and_later_days_stay_as_they_are(two_teams: Database) -> None:
    for number in range(3):
        run_day(two_teams, 1, day(number), 3)
    first, later = ids(two_teams, 1, day(0)), [row for row in stored_rows(two_teams) if row[1] != day(0)]
    plant(two_teams, 1, day(0), {"A": 3, "C": 9}, first=100)
    run_day(two_teams, 1, day(0), 3)
    assert stored_run(two_teams, 1, day(0)).items == 39
    assert ids(two_teams, 1, day(0)) == first == ids(two_teams, 1, day(2))
    assert [row for row in stored_rows(two_teams) if row[1] != day(0)] == later
    assert {row["lineage_status"] for row in lineages(two_teams, 1, day(0)).values()} == {"new"}


def test_days_that_are_run_in_the_wrong_order_have_the_same_lineages(two_teams: Database) -> None:
    for number in (2, 0, 1):
        run_day(two_teams, 1, day(number), 3)
    assert ids(two_teams, 1, day(0)) == ids(two_teams, 1, day(1)) == ids(two_teams, 1, day(2))


def test_a_gap_longer_than_the_window_is_bridged_by_centroids(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    plant(two_teams, 1, day(12), {"A": 10, "B": 10, "X": 10})
    plant(two_teams, 2, day(12), {"C": 10, "B": 10, "X": 10})
    run_day(two_teams, 1, day(12), 3)
    before, after = ids(two_teams, 1, day(0)), lineages(two_teams, 1, day(12))
    assert {topic: row["lineage_id"] for topic, row in after.items() if topic != "X"} == {
        "A": before["A"],
        "B": before["B"],
    }
    assert after["X"]["lineage_status"] == "new"
    said = orjson.loads(stored_run(two_teams, 1, day(12)).lineage)
    assert (said["previous_day"], said["note"]) == (day(0).isoformat(), "")
    assert [each["lineage_id"] for each in said["missing"]] == [before["C"]]
    plant(two_teams, 1, day(24), {"A": 10, "B": 10, "X": 10})
    run_day(two_teams, 1, day(24), 3)
    said = orjson.loads(stored_run(two_teams, 1, day(24)).lineage)
    assert ([each["lineage_id"] for each in said["ended"]], said["missing"]) == ([before["C"]], [])


def test_a_run_that_is_older_than_four_weeks_is_not_looked_for(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    plant(two_teams, 1, day(29), {"A": 10, "B": 10})
    run_day(two_teams, 1, day(29), 2)
    assert not set(ids(two_teams, 1, day(29)).values()) & set(ids(two_teams, 1, day(0)).values())


def test_another_embedding_model_begins_new_lineages_and_says_so(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    plant(two_teams, 1, day(1), {"A": 12, "B": 9, "C": 6}, model="openai/other")
    run_day(two_teams, 1, day(1), 3, model="openai/other")
    before, after = ids(two_teams, 1, day(0)), ids(two_teams, 1, day(1))
    assert not set(before.values()) & set(after.values())
    said = orjson.loads(stored_run(two_teams, 1, day(1)).lineage)
    assert said["note"] == "embedding model: offline/planted before, openai/other now"
    assert {each["lineage_id"] for each in said["ended"]} == set(before.values())


def test_a_day_with_another_method_in_between_breaks_no_lineage(two_teams: Database) -> None:
    for number, method in enumerate(("kmeans", "hdbscan", "kmeans")):
        run_day(two_teams, 1, day(number), 3, method=method)
    assert ids(two_teams, 1, day(2)) == ids(two_teams, 1, day(0))
    assert not set(ids(two_teams, 1, day(1)).values()) & set(ids(two_teams, 1, day(0)).values())


def test_a_run_that_dies_before_its_commit_shows_nothing_and_is_done_alike_by_the_next(
    two_teams: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_day(two_teams, 1, day(0), 3)
    insert = Database.insert_rows
    for table in ("cluster_members", "clusters", "clustering_runs"):

        def dies(self: Database, name: str, rows: Sequence[Mapping[str, Any]], *, at: str = table) -> None:
            if name == at:
                raise KeyboardInterrupt
            insert(self, name, rows)

        with monkeypatch.context() as patched:
            patched.setattr(Database, "insert_rows", dies)
            with pytest.raises(KeyboardInterrupt):
                run_day(two_teams, 1, day(1), 3)
        assert committed_run(two_teams, TeamDay(1, day(1)), "traces") is None
    run_day(two_teams, 1, day(1), 3)
    assert ids(two_teams, 1, day(1)) == ids(two_teams, 1, day(0))
    assert len(clusters_of(two_teams, stored_run(two_teams, 1, day(1)))) == 3
    # What the dead attempts wrote is invisible, and the next clustering of the day removes it once it is old enough.
    counts = "SELECT uniqExact(attempt_id) FROM cluster_members WHERE team_id = 1 AND day = {day:Date}"
    assert two_teams.value(counts, day=day(1)) == 3
    old = "toUUID('00000000-0000-0000-0000-000000000001') AS attempt_id, inserted_at - INTERVAL 2 DAY AS inserted_at"
    two_teams.execute(f"INSERT INTO cluster_members SELECT * REPLACE ({old}) FROM cluster_members WHERE team_id = 1")
    assert two_teams.value(counts, day=day(1)) == 4
    run_day(two_teams, 1, day(1), 2)
    assert two_teams.value(counts, day=day(1)) == 3, "the old one and the one before are gone"


def test_runs_from_before_lineages_hand_on_ids_of_their_own(two_teams: Database) -> None:
    run_day(two_teams, 1, day(0), 3)
    columns = "team_id, day, theme_id, attempt_id, cluster_id, size, centroid, centroid_x, centroid_y"
    rows = two_teams.rows(f"SELECT {columns} FROM clusters FINAL")
    two_teams.insert_rows("clusters", [row | {"lineage_id": ""} for row in rows])
    run_day(two_teams, 1, day(1), 3)
    run_day(two_teams, 1, day(2), 3)
    assert {row["lineage_status"] for row in lineages(two_teams, 1, day(1)).values()} == {"continued"}
    assert ids(two_teams, 1, day(1)) == ids(two_teams, 1, day(2))
