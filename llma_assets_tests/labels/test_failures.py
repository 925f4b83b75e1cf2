"""Names that fail: clusters called by nothing but their numbers are never published as a result."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import Edit
from llma_assets.clusters.store.cluster_edits import store_edit
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.events.partition import publish_events
from llma_assets.labels.partition import store_labels
from llma_assets.labels.queries import labels_of
from llma_assets.ledger import list_skips
from llma_assets.models import ModelConfigurationError, NothingUsable
from llma_assets.stage import ThemesFailed, silent
from llma_assets.team_day import TeamDay
from llma_assets.testing import EMPTY, INVALID_JSON, REFUSAL, ChatServer, Fault, Request, Status
from llma_assets.themes import TRACES
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.labels.stored import (
    TOPICS,
    answering,
    chat_of,
    cluster_day,
    data_of,
    embedder_of,
    plant,
    unchanged,
)

DAY = date(2026, 11, 7)
TEAM, OTHER = TeamDay(1, DAY), TeamDay(2, DAY)
EVENTS = "SELECT team_id, properties FROM events FINAL ORDER BY team_id"


def five_clusters(database: Database) -> Run:
    """Five clusters of team 1, and of team 2 with the same ids."""
    for team_day in (OTHER, TEAM):
        plant(database, team_day.team_id, DAY, dict.fromkeys(TOPICS, 12))
        found = cluster_day(database, team_day.team_id, DAY, 5)
    return found


@pytest.fixture
def run(planted_once: PlantedOnce) -> Run:
    return planted_once(five_clusters)


def name(database: Database, server: ChatServer, team_day: TeamDay = TEAM) -> None:
    store_labels(database, team_day, lambda _: chat_of(server), embedder_of(server), themes=(TRACES,), progress=silent)


def publish(database: Database, team_day: TeamDay = TEAM) -> None:
    publish_events(database, team_day, themes=(TRACES,), progress=silent)


def skips(database: Database) -> dict[str, tuple[str, str]]:
    return {skip.stage: (skip.reason, skip.detail) for skip in list_skips(database, day=DAY, team_id=1)}


def broken(fault: Fault) -> Callable[[Request], Fault]:
    """The fault for chat alone."""
    return lambda request: fault if "messages" in request.body else None


@pytest.mark.parametrize("fault", [INVALID_JSON, EMPTY, REFUSAL, Status(400, "who are you")], ids=lambda _: "")
def test_clusters_without_any_name_are_not_published_and_the_next_run_names_them(
    database: Database, run: Run, fault: Fault
) -> None:
    with ChatServer(judge=broken(fault)) as server:
        with pytest.raises(NothingUsable):
            name(database, server)
        # A refusal that says nothing has two questions asked in six plainer forms, which cost nothing.
        assert len(server.calls()) <= 2 * (4 + 1) + 2 * 6
    reason, detail = skips(database)["cluster_labels"]
    assert (reason, detail[:7]) == ("labels_failed", "5 of 5:")
    with pytest.raises(ThemesFailed, match="5 of 5 clusters have no name"):
        publish(database)
    assert skips(database)["cluster_events"][0] == "failed"
    assert database.rows(EVENTS) == []
    with ChatServer(answering(unchanged)) as server:
        name(database, server)
        name(database, server, OTHER)
    publish(database)
    publish(database, OTHER)
    assert skips(database) == {}
    published = database.rows(EVENTS)
    assert [row["team_id"] for row in published] == [1, 2]
    assert "Cluster 0" not in published[0]["properties"]


def test_clusters_that_the_model_will_not_name_are_distinguished_from_a_set_up_that_cannot_work(
    database: Database, run: Run
) -> None:
    def judge(request: Request) -> Fault:
        return REFUSAL if "messages" in request.body and "team1" in request.prompt else None

    with ChatServer(answering(unchanged), judge=judge) as server, pytest.raises(ThemesFailed, match="NoNames"):
        name(database, server)
    assert skips(database)["cluster_labels"] == ("labels_failed", "5 of 5: no usable answer: refusal")


def test_a_server_that_is_away_while_names_are_asked_for_fails_the_stage(database: Database, run: Run) -> None:
    with (
        ChatServer(judge=broken(Status(503))) as server,
        pytest.raises(ThemesFailed, match="the model test-model answered nothing"),
    ):
        name(database, server)
    assert skips(database)["cluster_labels"][0] == "labels_failed"


def test_some_names_that_failed_are_said_and_the_others_published(database: Database, run: Run) -> None:
    def two_empty(items: list[dict[str, Any]], _: dict[str, Any]) -> None:
        for item in items:
            if item["cluster_id"] in (1, 3):
                item["title"] = ""

    with ChatServer(answering(two_empty)) as server:
        name(database, server)
    assert skips(database)["cluster_labels"] == ("labels_failed", "2 of 5: the title is empty")
    publish(database)
    (row,) = database.rows(EVENTS)
    titles = {cluster["cluster_id"]: cluster["title"] for cluster in json.loads(row["properties"])["$ai_clusters"]}
    assert (titles[1], titles[3]) == ("Cluster 1", "Cluster 3")


def test_a_title_that_people_gave_is_a_name(database: Database, run: Run) -> None:
    with ChatServer(judge=broken(INVALID_JSON)) as server, pytest.raises(NothingUsable):
        name(database, server)
    lineage = clusters_of(database, run)[0]["lineage_id"]
    when = datetime(2026, 11, 8, tzinfo=UTC)
    store_edit(database, 1, Edit("traces", lineage, "rename", "Money back", "", "someone", when))
    publish(database)
    assert "Money back" in database.rows(EVENTS)[0]["properties"]


def test_a_summary_that_cannot_be_read_costs_no_cluster_its_name(database: Database, run: Run) -> None:
    database.execute(
        "INSERT INTO trace_summaries SELECT * REPLACE('[1]' AS bullets, now64(6) AS inserted_at) "
        "FROM trace_summaries FINAL WHERE team_id = 1 AND endsWith(item_id, '-0')"
    )
    with ChatServer(answering(unchanged)) as server:
        name(database, server)
    assert {label.status for label in labels_of(database, run).values()} == {"generated"}


def test_half_a_surrogate_pair_in_a_title_costs_nobody_anything(database: Database, run: Run) -> None:
    def odd(items: list[dict[str, Any]], _: dict[str, Any]) -> None:
        items[0]["title"] = "\ud83d planes and their wings"

    with ChatServer(answering(odd)) as server:
        name(database, server)
    assert {label.status for label in labels_of(database, run).values()} == {"generated"}


def test_names_that_came_before_a_stop_are_stored(
    database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clusters a call; the second call finds the account empty."""
    monkeypatch.setattr("llma_assets.labels.labelling.CLUSTERS_PER_CALL", 2)
    chats: list[str] = []

    def judge(request: Request) -> Fault:
        chats.extend([""] if "messages" in request.body else [])
        return Status(402) if len(chats) > 1 else None

    with ChatServer(answering(unchanged), judge=judge) as server, pytest.raises(ModelConfigurationError):
        name(database, server)
    assert [label.status for label in labels_of(database, run).values()] == ["generated"] * 2
    with ChatServer(answering(unchanged)) as server:
        name(database, server)
        asked = [cluster["cluster_id"] for request in server.calls() for cluster in data_of(request)["clusters"]]
    assert len(asked) == 3
