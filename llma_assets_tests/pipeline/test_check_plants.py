"""The checks find what was changed by hand in a run that the whole pipeline made, each by its name."""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from llma_assets.alerts.blocked import suspected_runs
from llma_assets.clickhouse import Database
from llma_assets.findings import Finding
from llma_assets.reports import all_checks
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, write_events
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.pipeline.runs import Pipeline

DAY = date(2026, 11, 7)
DAY_BEFORE = DAY - timedelta(days=1)
ROWS = "SELECT * FROM {table:Identifier} FINAL WHERE team_id = 1 ORDER BY ALL"
WRITTEN_AT = ("inserted_at", "committed_at")


@pytest.fixture
def stored(environment: Settings, database: Database, planted_once: PlantedOnce) -> Database:
    """Two teams with equal traces of two days, taken through the whole graph."""

    def run(database: Database) -> None:
        pipeline = Pipeline(database)
        for team_id in (1, 2):
            for day in (DAY_BEFORE, DAY):
                write_events(database, day_of_traces(team_id, day, 12))
        pipeline.discover(DAY)
        for team_id in (1, 2):
            pipeline.texts(team_id, DAY_BEFORE, DAY)
            pipeline.clusters(team_id, DAY)

    planted_once(run)
    return database


def rows_of(database: Database, table: str, **values: Any) -> list[dict[str, Any]]:
    """Team 1's rows of a table that have these values, as they can be stored again; of the theme `traces`."""
    values = {"theme_id": "traces"} | values
    return [
        {key: value for key, value in row.items() if key not in WRITTEN_AT}
        for row in database.rows(ROWS, table=table)
        if all(row.get(key, value) == value for key, value in values.items())
    ]


def change(database: Database, table: str, rows: Sequence[dict[str, Any]], **changes: Any) -> None:
    database.insert_rows(table, [{**row, **changes} for row in rows])


def members(database: Database, cluster_id: int) -> list[dict[str, Any]]:
    return rows_of(database, "cluster_members", cluster_id=cluster_id)


def closest(database: Database, cluster_id: int) -> dict[str, Any]:
    (row,) = [row for row in members(database, cluster_id) if row["rank"] == 0]
    return row


def resized(database: Database, cluster_id: int, by: int) -> None:
    (row,) = rows_of(database, "clusters", cluster_id=cluster_id)
    change(database, "clusters", [row], size=row["size"] + by)


def event_of(database: Database) -> dict[str, Any]:
    """Team 1's event of traces."""
    (row,) = [row for row in rows_of(database, "events") if row["event"] == "$ai_trace_clusters"]
    return row


def republished(database: Database, alter: Callable[[dict[str, Any]], object]) -> None:
    event = event_of(database)
    properties = json.loads(event["properties"])
    alter(properties)
    change(database, "events", [event], properties=json.dumps(properties))


def sizes_off_by_five(database: Database) -> None:
    resized(database, 0, 5)
    resized(database, 1, -5)


def a_cluster_without_members(database: Database) -> None:
    """All members of one are another's now, and the sizes add up."""
    moved = members(database, 1)
    change(database, "cluster_members", moved, cluster_id=0)


def a_cluster_moved_whole(database: Database) -> None:
    """As before, and whoever did it has left no trace in sizes, ranks and counts."""
    moved, there = members(database, 1), members(database, 0)
    by_distance = sorted([*there, *moved], key=lambda row: row["distance"])
    for rank, row in enumerate(by_distance):
        change(database, "cluster_members", [row], cluster_id=0, rank=rank)
    resized(database, 0, len(moved))
    database.execute("DELETE FROM clusters WHERE team_id = 1 AND theme_id = 'traces' AND cluster_id = 1")
    (run,) = rows_of(database, "clustering_runs")
    change(database, "clustering_runs", [run], clusters=run["clusters"] - 1)


def two_clusters_swapped(database: Database) -> None:
    """Each has the other's members; sizes are right."""
    first, second = members(database, 0), members(database, 1)
    change(database, "cluster_members", first, cluster_id=1)
    change(database, "cluster_members", second, cluster_id=0)
    resized(database, 0, len(second) - len(first))
    resized(database, 1, len(first) - len(second))


def one_member_swapped(database: Database) -> None:
    """Two members of the same rank; every size and rank is right."""
    one, other = closest(database, 0), closest(database, 1)
    change(database, "cluster_members", [one], cluster_id=1, distance=other["distance"])
    change(database, "cluster_members", [other], cluster_id=0, distance=one["distance"])


def a_distance_of_another(database: Database) -> None:
    change(database, "cluster_members", [closest(database, 0)], distance=1.9)


def a_rank_twice(database: Database) -> None:
    change(database, "cluster_members", [closest(database, 0)], rank=1)


def a_member_twice(database: Database) -> None:
    """The same trace under two item ids; counts and sizes are right."""
    row = members(database, 0)[0]
    size = len(members(database, 0))
    change(database, "cluster_members", [row], item_id="another", rank=size)
    resized(database, 0, 1)
    (run,) = rows_of(database, "clustering_runs")
    change(database, "clustering_runs", [run], items=run["items"] + 1)


def fewer_outliers(database: Database) -> None:
    (run,) = rows_of(database, "clustering_runs")
    change(database, "clustering_runs", [run], noise_items=run["noise_items"] + 3)


def spoiled_vector(database: Database, first: float, day: date = DAY_BEFORE) -> None:
    rows = [
        row
        for row in rows_of(database, "document_embeddings", document_type="llm-trace-summary")
        if row["timestamp"].date() == day
    ]
    change(database, "document_embeddings", rows[:1], embedding=[first] + [0.0] * (len(rows[0]["embedding"]) - 1))


def event_twice(database: Database) -> None:
    change(database, "events", [event_of(database)], uuid=UUID(int=7))


def event_missing(database: Database) -> None:
    database.execute("DELETE FROM events WHERE team_id = 1 AND event = '$ai_trace_clusters'")


def event_of_another_run(database: Database) -> None:
    republished(database, lambda event: event.update({"$ai_clustering_run_id": "team_1_2026-11-06T00:00:00Z"}))


def event_of_an_earlier_attempt(database: Database) -> None:
    """The run was made again with another map, and nobody has published that."""
    row = closest(database, 0)
    change(database, "cluster_members", [row], x=row["x"] + 0.25)


def event_sizes_off(database: Database) -> None:
    def alter(event: dict[str, Any]) -> None:
        event["$ai_clusters"][0]["size"] += 5
        event["$ai_clusters"][1]["size"] -= 5

    republished(database, alter)


def event_member_moved(database: Database) -> None:
    republished(
        database, lambda event: event["$ai_clusters"][1]["traces"].append(event["$ai_clusters"][0]["traces"].pop())
    )


def event_without_a_cluster(database: Database) -> None:
    republished(database, lambda event: event["$ai_clusters"].pop(0))


def event_of_something_else(database: Database) -> None:
    properties = '{"$ai_analysis_theme_id": "traces", "$ai_clusters": 7}'
    change(database, "events", [event_of(database)], properties=properties)


def foreign_title(database: Database) -> None:
    republished(database, lambda event: event["$ai_clusters"][0].update(title="Something else"))


def titles_swapped(database: Database) -> None:
    def alter(event: dict[str, Any]) -> None:
        one, other = event["$ai_clusters"][:2]
        one["title"], other["title"] = other["title"], one["title"]

    republished(database, alter)


def foreign_description(database: Database) -> None:
    republished(database, lambda event: event["$ai_clusters"][0].update(description="- Something else"))


PLANTS: list[tuple[Callable[[Database], None], str, str]] = [
    (sizes_off_by_five, "sizes_match_members", "'{0}': size {more}, {size} members"),
    (a_cluster_without_members, "sizes_match_members", "'{1}': size {size1}, 0 members"),
    (a_cluster_moved_whole, "members_match_vectors", "away from the mean of the members"),
    (two_clusters_swapped, "members_match_vectors", "lie elsewhere than their distance says"),
    (one_member_swapped, "members_match_vectors", "'{0}': 1 of {size} members lie elsewhere"),
    (a_distance_of_another, "members_match_vectors", "'{0}': 1 of {size} members lie elsewhere"),
    (a_distance_of_another, "ranks_follow_distances", "'{0}': 0 ranks twice or missing, 1 out of order"),
    (a_rank_twice, "ranks_follow_distances", "ranks twice or missing"),
    (a_member_twice, "items_counted_once", "2 members"),
    (fewer_outliers, "sizes_match_members", "outliers: 3 of the run, 0 stored"),
    (partial(spoiled_vector, first=float("inf")), "sound_vectors", "1 not finite, 0 zero"),
    (partial(spoiled_vector, first=float("nan")), "sound_vectors", "on 2026-11-06"),
    (partial(spoiled_vector, first=0.0), "sound_vectors", "0 not finite, 1 zero"),
    (event_twice, "published_once", "found 2: "),
    (event_missing, "events_match_runs", "found no event"),
    (event_of_another_run, "events_match_runs", "$ai_clustering_run_id team_1_2026-11-06T00:00:00Z, stored"),
    (event_of_an_earlier_attempt, "events_match_runs", "'{0}': other members than the {size} that are stored"),
    (event_sizes_off, "events_match_runs", "'{0}': size {more}, stored {size}"),
    (event_member_moved, "events_match_runs", "'{0}': other members"),
    (event_without_a_cluster, "events_match_runs", "'{0}' is not in it"),
    (event_of_something_else, "events_match_runs", "$ai_clustering_run_id None"),
    (foreign_title, "event_titles_match_labels", "'Something else' for '{0}'"),
    (titles_swapped, "event_titles_match_labels", "'{1}' for '{0}'"),
    (foreign_description, "event_titles_match_labels", "another description of '{0}'"),
]

BLOCKING = {each.name for each in all_checks() if each.blocking and each.asset.startswith("cluster_")}


def failed(database: Database, name: str, team_id: int) -> list[Finding]:
    (check,) = [each for each in all_checks() if each.name == name]
    return [each for each in check.findings(database, TeamDay(team_id, DAY)) if not each.passed]


def ids() -> list[str]:
    return [f"{getattr(plant, 'func', plant).__name__}-{name}" for plant, name, _ in PLANTS]


@pytest.mark.parametrize(("plant", "name", "told"), PLANTS, ids=ids())
def test_a_plant_is_found_by_name_for_the_team_that_has_it_alone(
    stored: Database, plant: Callable[[Database], None], name: str, told: str
) -> None:
    titles = {row["cluster_id"]: row["title"] for row in rows_of(stored, "cluster_labels")}
    sizes = [len(members(stored, cluster_id)) for cluster_id in (0, 1)]
    plant(stored)
    (found,) = failed(stored, name, 1)
    assert found.outcome.theme_id == "traces"
    assert told.format(titles[0], titles[1], size=sizes[0], size1=sizes[1], more=sizes[0] + 5) in found.sentence
    assert failed(stored, name, 2) == []
    first = next(other for other, of_check, _ in PLANTS if of_check == name)
    if plant is first and name in BLOCKING:
        assert set(suspected_runs(stored, DAY, [1, 2])) == {(1, "traces")}, "alerts ask the checks about it"


def test_the_checks_find_no_fault_with_what_the_pipeline_made(stored: Database) -> None:
    names = sorted({name for _, name, _ in PLANTS})
    assert [each.sentence for name in names for team_id in (1, 2) for each in failed(stored, name, team_id)] == []
    assert set(suspected_runs(stored, DAY, [1, 2])) == set()
