"""Names for groups of clusters: from the names of their clusters, once, and again only when those change."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.labels import ClusterLabel
from llma_assets.labels.groups import groups_of, name_groups
from llma_assets.labels.queries import group_labels_of
from llma_assets.models import OfflineChat, ignore_usage
from llma_assets.testing import ChatServer
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.labels.stored import (
    TOPICS,
    answering,
    chat_of,
    cluster_day,
    data_of,
    embedder_of,
    name_run,
    plant,
    unchanged,
)

DAY = date(2026, 11, 7)
LABELS = {
    number: ClusterLabel(number, f"{topic.capitalize()} questions: {words}", f"- About {topic}", "generated", "", "m")
    for number, (topic, words) in enumerate(TOPICS.items())
}


def five_clusters(database: Database) -> Run:
    """Five clusters of team 1 in groups of two, two, and one."""
    plant(database, 1, DAY, dict.fromkeys(TOPICS, 8))
    return replace(cluster_day(database, 1, DAY, 5), quality=json.dumps({"groups": [0, 1, 0, 1, 2]}))


@pytest.fixture
def run(planted_once: PlantedOnce) -> Run:
    return planted_once(five_clusters)


@pytest.fixture
def model() -> Iterator[ChatServer]:
    with ChatServer(answering(unchanged)) as opened:
        yield opened


def name(database: Database, run: Run, server: ChatServer, labels: dict[int, ClusterLabel] = LABELS) -> None:
    name_groups(database, run, groups_of(run, clusters_of(database, run), labels), chat_of(server), ignore_usage)


def test_one_call_names_the_groups_from_the_names_of_their_clusters(
    database: Database, run: Run, model: ChatServer
) -> None:
    name(database, run, model)
    (request,) = model.calls()
    shown = {
        group["cluster_id"]: {name["title"] for name in group["summaries"]} for group in data_of(request)["clusters"]
    }
    assert shown == {0: {LABELS[0].title, LABELS[2].title}, 1: {LABELS[1].title, LABELS[3].title}}
    stored = {row["group_id"]: row for row in group_labels_of(database, run)}
    assert {key: sorted(row["cluster_ids"]) for key, row in stored.items()} == {0: [0, 2], 1: [1, 3], 2: [4]}
    assert stored[2]["title"] == LABELS[4].title  # a group of one is called as its cluster


def test_groups_that_have_names_are_not_asked_about_again(database: Database, run: Run, model: ChatServer) -> None:
    name(database, run, model)
    rows = database.value("SELECT count() FROM cluster_group_labels")
    name(database, run, model)
    assert len(model.calls()) == 1
    assert database.value("SELECT count() FROM cluster_group_labels") == rows


def test_a_group_of_the_same_names_keeps_its_name_on_another_day(
    database: Database, run: Run, model: ChatServer
) -> None:
    name(database, run, model)
    later = replace(run, day=DAY + timedelta(days=1), attempt_id=UUID(int=1))
    groups = groups_of(run, clusters_of(database, run), LABELS)
    name_groups(database, later, groups, chat_of(model), ignore_usage)
    assert len(model.calls()) == 1
    assert [row["title"] for row in group_labels_of(database, later)] == [
        row["title"] for row in group_labels_of(database, run)
    ]


def test_a_name_does_not_cross_to_another_team(database: Database, run: Run, model: ChatServer) -> None:
    name(database, run, model)
    groups = groups_of(run, clusters_of(database, run), LABELS)
    name_groups(database, replace(run, team_id=2), groups, chat_of(model), ignore_usage)
    assert len(model.calls()) == 2
    assert len(group_labels_of(database, replace(run, team_id=2))) == 3


def test_a_group_whose_clusters_are_called_otherwise_is_asked_about(
    database: Database, run: Run, model: ChatServer
) -> None:
    name(database, run, model)
    renamed = {**LABELS, 0: replace(LABELS[0], title="Something else by now")}
    name(database, run, model, renamed)
    assert [group["cluster_id"] for group in data_of(model.calls()[1])["clusters"]] == [0]


def test_a_bad_name_costs_that_group_alone_and_is_asked_for_again(database: Database, run: Run) -> None:
    def spoil(items: list[dict[str, Any]], _data: dict[str, Any]) -> None:
        items[0]["title"] = "bad"

    with ChatServer(answering(spoil)) as server:
        name(database, run, server)
    assert next(row["title"] for row in group_labels_of(database, run)) == "Group 0"
    with ChatServer(answering(unchanged)) as server:
        name(database, run, server)
        assert [group["cluster_id"] for group in data_of(server.calls()[0])["clusters"]] == [0]
    assert {row["status"] for row in group_labels_of(database, run)} == {"generated"}


@pytest.mark.parametrize("groups", [None, [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
def test_a_run_without_an_upper_level_has_no_groups(database: Database, run: Run, groups: list[int] | None) -> None:
    flat = replace(run, quality=json.dumps({"groups": groups} if groups else {}))
    assert groups_of(flat, clusters_of(database, flat), LABELS) == []


def test_a_group_waits_for_the_names_of_its_clusters(database: Database, run: Run) -> None:
    labels = {key: label for key, label in LABELS.items() if key != 3}
    found = groups_of(run, clusters_of(database, run), labels)
    assert [group.group_id for group in found] == [0, 2]


def test_offline_titles_are_what_the_largest_clusters_open_with(
    database: Database, run: Run, model: ChatServer
) -> None:
    name_run(database, run, OfflineChat(), embedder_of(model))
    assert {row["status"] for row in group_labels_of(database, run)} == {"generated"}
    name_groups(database, run, groups_of(run, clusters_of(database, run), LABELS), OfflineChat(), ignore_usage)
    assert {row["title"] for row in group_labels_of(database, run)} >= {
        "Refund questions, delivery questions",
        "Password questions, invoice questions",
    }
