"""What a clustering reads of a window, and that everything in it is counted though a sample is clustered."""

from datetime import date, timedelta

import numpy as np
import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.checks import members_match_vectors
from llma_assets.clusters.store.attempts import invariants_of
from llma_assets.clusters.store.cluster_members import earlier_clusters, earlier_map, homes_of, members_of
from llma_assets.clusters.store.clustering_runs import earlier_resolution
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.clusters.store.window import Window, read_window, rest_embeddings
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.clusters.planted import MODEL, plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)


def window(database: Database, team_id: int = 1, *, max_samples: int = 1000) -> Window:
    return read_window(
        database, TeamDay(team_id, DAY), TRACES, lookback_days=7, model_name=MODEL, max_samples=max_samples
    )


def five_windows(database: Database) -> None:
    plant(database, 1, DAY, {"A": 30, "B": 20})
    plant(database, 1, DAY - timedelta(days=3), {"A": 10})
    plant(database, 1, DAY - timedelta(days=7), {"C": 10})
    plant(database, 1, DAY, {"D": 5}, model="another")
    plant(database, 2, DAY, {"A": 3, "X": 4})


@pytest.fixture
def planted(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(five_windows)
    return database


def test_the_window_has_the_teams_own_items_of_seven_days_by_id_with_their_vectors(planted: Database) -> None:
    read = window(planted)
    assert read.item_ids == sorted(read.item_ids)
    assert {item[0] for item in read.item_ids} == {"A", "B"}
    assert (len(read.item_ids), read.rest, read.available) == (60, [], 60)
    assert read.embeddings.dtype == np.float32
    stored = {
        row["document_id"]: row["embedding"]
        for row in planted.rows("SELECT document_id, embedding FROM document_embeddings WHERE team_id = 1")
    }
    for item, vector in zip(read.item_ids, read.embeddings, strict=True):
        assert np.array_equal(vector, np.array(stored[item], dtype=np.float32))
    assert {item[0] for item in window(planted, 2).item_ids} == {"A", "X"}
    assert len(window(planted, 2).item_ids) == 7


def test_the_day_and_the_trace_of_each_item_are_numbered(planted: Database) -> None:
    for team_id, items in ((1, 60), (2, 7)):
        read = window(planted, team_id)
        days, traces = read.arrivals.T.tolist()
        assert len(days) == items
        assert days == [row["timestamp"].toordinal() for row in read.rows]
        assert set(days) <= {(DAY - timedelta(days=back)).toordinal() for back in (0, 3)}
        number_of = dict(zip((row["trace_id"] for row in read.rows), traces, strict=True))
        assert [number_of[row["trace_id"]] for row in read.rows] == traces
        assert len(set(traces)) == len(number_of)


def test_a_window_without_items_is_empty(planted: Database) -> None:
    read = window(planted, 3)
    assert (read.item_ids, read.rest, read.embeddings.size, read.available) == ([], [], 0, 0)
    assert list(rest_embeddings(planted, read)) == []


def test_the_sample_is_the_same_every_time_and_the_rest_is_the_rest(planted: Database) -> None:
    whole, part, again = window(planted), window(planted, max_samples=20), window(planted, max_samples=20)
    assert part.item_ids == again.item_ids
    assert len(part.item_ids) == 20
    rest = [row["document_id"] for row in part.rest]
    assert sorted(part.item_ids + rest) == whole.item_ids
    found = np.full((40, part.embeddings.shape[1]), np.nan, dtype=np.float32)
    for places, vectors in rest_embeddings(planted, part):
        found[places] = vectors
    by_id = dict(zip(whole.item_ids, whole.embeddings, strict=True))
    assert np.array_equal(found, np.array([by_id[item] for item in rest]))


def test_above_the_sample_everything_is_assigned_and_counted(planted: Database) -> None:
    run_day(planted, 1, DAY, 2, method="graph", target_clusters=2, max_samples=40)
    run = stored_run(planted, 1, DAY)
    counts = invariants_of(planted, run)
    assert (run.items, run.window_items, counts["members"], counts["total_size"]) == (60, 60, 60, 60)
    homes: dict[int, set[str]] = {}
    for member in members_of(planted, run):
        homes.setdefault(member["cluster_id"], set()).add(member["item_id"][0])
    assert all(len(topics) == 1 for label, topics in homes.items() if label >= 0)
    assert {frozenset(homes[0]), frozenset(homes[1])} == {frozenset("A"), frozenset("B")}
    ranks = [member["rank"] for member in members_of(planted, run) if member["cluster_id"] == 0]
    assert ranks == list(range(len(ranks)))
    assert sum(row["size"] for row in clusters_of(planted, run)) == 60
    before = planted.value("SELECT count() FROM cluster_members")
    run_day(planted, 1, DAY, 2, method="graph", target_clusters=2, max_samples=40)
    assert planted.value("SELECT count() FROM cluster_members") == before
    assert stored_run(planted, 1, DAY).attempt_id == run.attempt_id


def test_the_map_begins_where_the_items_lay_on_the_last_one_of_the_same_team(planted: Database) -> None:
    yesterday = DAY - timedelta(days=1)
    plant(planted, 1, yesterday, {"A": 20, "B": 20})
    plant(planted, 2, yesterday, {"A": 20, "B": 20})
    run_day(planted, 1, yesterday, 2)
    read = window(planted)
    found = earlier_map(planted, TeamDay(1, DAY), TRACES, read, MODEL)
    old = {
        member["item_id"]: (member["x"], member["y"])
        for member in members_of(planted, stored_run(planted, 1, yesterday))
    }
    for item, position in zip(read.item_ids, found.tolist(), strict=True):
        assert tuple(position) == old[item] if item in old else np.isnan(position).all()
    assert np.isfinite(found).any()
    assert np.isnan(earlier_map(planted, TeamDay(2, DAY), TRACES, window(planted, 2), MODEL)).all()
    assert np.isnan(earlier_map(planted, TeamDay(1, DAY), TRACES, read, "another")).all()


def test_the_resolution_of_the_last_graph_of_the_same_team_is_known(planted: Database) -> None:
    for number, method in ((2, "kmeans"), (1, "graph")):
        day = DAY - timedelta(days=number)
        plant(planted, 1, day, {"A": 20, "B": 20})
        run_day(planted, 1, day, 2, method=method)
    yesterday = stored_run(planted, 1, DAY - timedelta(days=1))
    read = window(planted)
    given = {"since": read.start.date(), "first_item": read.first_item}
    found = earlier_resolution(planted, TeamDay(1, DAY), TRACES, MODEL, **given)
    assert found is not None
    assert found == orjson.loads(yesterday.quality)["resolution"]
    assert earlier_resolution(planted, TeamDay(2, DAY), TRACES, MODEL, **given) is None
    assert earlier_resolution(planted, TeamDay(1, DAY), TRACES, "another", **given) is None
    before = TeamDay(1, DAY - timedelta(days=1))
    assert earlier_resolution(planted, before, TRACES, MODEL, **given) is None, "of k-means"


def test_the_resolution_of_a_window_that_was_filling_does_not_bind_the_first_full_one(database: Database) -> None:
    for back in range(7):
        for team_id in (1, 2):
            plant(database, team_id, DAY - timedelta(days=back), {"A": 20, "B": 15})
    for day, team_id in ((DAY - timedelta(days=2), 1), (DAY - timedelta(days=1), 2)):
        run_day(database, team_id, day, 2, method="graph")
    read = window(database)
    full = {"since": read.start.date(), "first_item": read.first_item}
    assert read.first_item == read.start.date()
    # Team 1's last run is of two days before, with five of seven days; team 2's is of the day before, with six.
    assert earlier_resolution(database, TeamDay(1, DAY), TRACES, MODEL, **full) is None
    assert earlier_resolution(database, TeamDay(2, DAY), TRACES, MODEL, **full) is not None
    filling = {"since": read.start.date() - timedelta(days=2), "first_item": read.first_item}
    assert earlier_resolution(database, TeamDay(1, DAY), TRACES, MODEL, **filling) is not None


def test_the_clusters_of_the_last_two_graphs_of_the_same_team_are_known(planted: Database) -> None:
    first, second = DAY - timedelta(days=2), DAY - timedelta(days=1)
    for day in (DAY - timedelta(days=3), first, second):
        for team_id in (1, 2):
            plant(planted, team_id, day, {"A": 30, "B": 20}, first=50)
    for day in (first, second):
        run_day(planted, 1, day, 2, method="graph")
    read = window(planted)
    theme_day = (planted, TeamDay(1, DAY), TRACES, read)
    found = earlier_clusters(*theme_day, MODEL)
    assert found is not None
    stored = [
        {each["item_id"]: each["cluster_id"] for each in members_of(planted, stored_run(planted, 1, day))}
        for day in (first, second)
    ]
    assert found.tolist() == [[run.get(item, -1) for run in stored] for item in read.item_ids]
    assert len(set(found[:, 1].tolist())) > 1
    run_day(planted, 1, DAY, 2, method="graph")
    assert np.array_equal(earlier_clusters(*theme_day, MODEL), found), "a day's own run says nothing about it"
    assert earlier_clusters(planted, TeamDay(2, DAY), TRACES, window(planted, 2), MODEL) is None
    assert earlier_clusters(*theme_day, "another") is None
    plant(planted, 1, DAY, {"A": 90}, first=50)
    theme_day = (planted, TeamDay(1, DAY), TRACES, window(planted))
    assert earlier_clusters(*theme_day, MODEL) is None, "the first of the two saw less than half"


def test_a_day_that_is_run_again_has_the_same_clusters(planted: Database) -> None:
    for number in (3, 2, 1):
        day = DAY - timedelta(days=number)
        for team_id, topics in ((1, {"A": 30, "B": 20, "X": 10}), (2, {"A": 9, "C": 15})):
            plant(planted, team_id, day, topics, first=50)
            run_day(planted, team_id, day, 2, method="graph")
    said = run_day(planted, 1, DAY, 2, method="graph").details
    assert said["traces_held_items"] > 40
    first = homes_of(planted, stored_run(planted, 1, DAY)).sort_by("item_id")
    planted.execute("DELETE FROM clustering_runs WHERE team_id = 1 AND day = {day:Date}", day=DAY)
    assert run_day(planted, 1, DAY, 2, method="graph").details == said
    assert homes_of(planted, stored_run(planted, 1, DAY)).sort_by("item_id") == first


def test_above_the_sample_of_hdbscan_the_rest_is_placed_by_density_and_counted(planted: Database) -> None:
    run_day(planted, 1, DAY, 2, method="hdbscan", max_samples=40)
    run = stored_run(planted, 1, DAY)
    assert run.method == "hdbscan"
    assert orjson.loads(run.quality)["assigned_items"] == 20
    counts = invariants_of(planted, run)
    assert (run.items, counts["members"], counts["total_size"]) == (60, 60, 60)
    homes: dict[int, set[str]] = {}
    for member in members_of(planted, run):
        homes.setdefault(member["cluster_id"], set()).add(member["item_id"][0])
    assert all(len(topics) == 1 for label, topics in homes.items() if label >= 0)
    assert {frozenset(topics) for label, topics in homes.items() if label >= 0} == {frozenset("A"), frozenset("B")}


def test_of_one_trace_a_few_items_are_in_the_sample_and_all_are_counted(database: Database) -> None:
    plant(database, 1, DAY, {"A": 30, "B": 20})
    rows = database.rows("SELECT * EXCEPT (inserted_at) FROM document_embeddings FINAL")
    for row in rows:
        topic, number = row["document_id"][0], int(row["document_id"].rsplit("-", 1)[1])
        trace_id = "long" if topic == "A" and number < 25 else row["document_id"]
        row["metadata"] = orjson.dumps({"trace_id": trace_id}).decode()
    database.insert_rows("document_embeddings", rows)
    space = {"lookback_days": 7, "model_name": MODEL, "max_samples": 1000}
    read = read_window(database, TeamDay(1, DAY), TRACES, **space, items_per_trace=4)
    assert sum(row["trace_id"] == "long" for row in read.rows) == 4
    assert (len(read.rows), len(read.rest), read.available) == (29, 21, 50)
    assert {row["trace_id"] for row in read.rest} == {"long"}
    run_day(database, 1, DAY, 2, method="graph", target_clusters=2, items_per_trace=4)
    run = stored_run(database, 1, DAY)
    members = members_of(database, run)
    assert len(members) == 50
    for row in clusters_of(database, run):
        traces = {member["trace_id"] for member in members if member["cluster_id"] == row["cluster_id"]}
        assert row["traces"] == len(traces)
        assert row["traces"] < row["size"] or "long" not in traces or row["cluster_id"] == -1
    assert [outcome.found for outcome in members_match_vectors(database, TeamDay(1, DAY)) if not outcome.passed] == []


def test_traces_of_runs_from_before_they_were_stored_are_counted(planted: Database) -> None:
    run_day(planted, 1, DAY, 2)
    run = stored_run(planted, 1, DAY)
    before = clusters_of(planted, run)
    rows = planted.rows("SELECT * EXCEPT (inserted_at) FROM clusters FINAL")
    planted.insert_rows("clusters", [{**row, "traces": 0} for row in rows])
    assert [row["traces"] for row in clusters_of(planted, run)] == [row["traces"] for row in before]
