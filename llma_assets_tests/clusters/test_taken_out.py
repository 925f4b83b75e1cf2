"""A member that people took out of a cluster: what is published and what names are made from follow."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import RunOptions, clusters_of, decide_about, members_of
from llma_assets.clusters.partition import store_clusters
from llma_assets.clusters.store.clustering_runs import Run, committed_run
from llma_assets.events.checks import CHECKS
from llma_assets.events.partition import publish_events
from llma_assets.labels.label_inputs import read_label_inputs
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.labels.stored import MODEL, plant

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 3, tzinfo=UTC)
EVENT = "SELECT properties FROM events FINAL WHERE team_id = {team_id:Int64} AND event LIKE '%clusters'"
COUNTS = {"refund": 12, "password": 11, "warranty": 10}


def clustered(database: Database, team_id: int) -> Run:
    plant(database, team_id, DAY, COUNTS)
    store_clusters(
        database,
        TeamDay(team_id, DAY),
        model_name=MODEL,
        lookback_days=7,
        options=RunOptions(method="kmeans", min_k=3, max_k=3, min_items=5),
        themes=(TRACES,),
        progress=silent,
    )
    run = committed_run(database, TeamDay(team_id, DAY), TRACES.theme_id)
    assert run is not None
    return run


def published(database: Database, team_id: int) -> dict[int, dict[str, Any]]:
    """The clusters of the day's event after one more run of its stage."""
    publish_events(database, TeamDay(team_id, DAY), themes=(TRACES,), progress=silent)
    (row,) = database.rows(
        "SELECT properties FROM events FINAL WHERE team_id = {t:Int64} AND event LIKE '%clusters'", t=team_id
    )
    return {each["cluster_id"]: each for each in orjson.loads(row["properties"])["$ai_clusters"]}


def failed(database: Database, team_id: int) -> list[str]:
    """Checks of published events that say no."""
    return [
        finding.sentence
        for check in CHECKS
        for finding in check.findings(database, TeamDay(team_id, DAY))
        if not finding.passed
    ]


def test_the_event_of_a_day_follows_with_the_next_run(database: Database) -> None:
    run = clustered(database, 1)
    other = clustered(database, 2)
    before, theirs = published(database, 1), published(database, 2)
    cluster = next(row for row in clusters_of(database, run) if row["cluster_id"] == 0)
    wrong = members_of(database, run, [0])[0]
    decide = {"author": "me", "at": NOW, "item_id": wrong["item_id"]}
    decide_about(database, 1, "take_out", [cluster["lineage_id"]], **decide)
    # The event is older than the decision, which is no fault.
    assert failed(database, 1) == []
    after = published(database, 1)
    assert failed(database, 1) == []
    assert after[0]["size"] == before[0]["size"] - 1
    assert wrong["trace_id"] not in after[0]["trace_ids"]
    assert (after[-1]["title"], after[-1]["trace_ids"]) == ("Outliers", [wrong["trace_id"]])
    assert {number: each for number, each in after.items() if number > 0} == {
        number: each for number, each in before.items() if number > 0
    }
    # Names are made from these.
    assert wrong["item_id"] not in {each["item_id"] for each in members_of(database, run, [0])}
    assert read_label_inputs(database, run, TRACES, clusters_of(database, run), members_of(database, run)).evidence
    assert published(database, 2) == theirs
    assert len(members_of(database, other, [0])) == theirs[0]["size"]
    decide_about(database, 1, "put_back", [cluster["lineage_id"]], **decide | {"at": NOW + timedelta(seconds=1)})
    assert failed(database, 1) == []
    assert published(database, 1) == before
