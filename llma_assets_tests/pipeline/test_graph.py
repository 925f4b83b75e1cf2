"""The whole graph: the three defects that once fed each other, the loop they made, and work done once."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.discovery import stored_decisions
from llma_assets.ledger import list_skips
from llma_assets.teams import LOOKBACK_DAYS
from llma_assets.testing import day_of_traces, event, trace, write_events
from llma_assets.testing.traffic import TOPICS
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.pipeline.runs import Pipeline

DAY = date(2026, 11, 7)
FIRST = DAY - timedelta(days=LOOKBACK_DAYS - 1)


SECRETS = ("jane.roe@example.org", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD", "DE89370400440532013000")


def a_published_day(database: Database) -> None:
    """Two teams with equal traces that hold private values; the first is taken through the whole graph."""
    topics = list(TOPICS.values())
    for team_id in (1, 2):
        for number in range(24):
            request = f"{topics[number % len(topics)]} (case {number}): " + ", ".join(SECRETS)
            when = datetime(2026, 11, 7, 8, tzinfo=UTC) + timedelta(minutes=10 * number)
            answer = f"I wrote to {SECRETS[0]}."
            write_events(database, trace(team_id, f"trace-{number}", when, request=request, answer=answer))
    pipeline = Pipeline(database)
    assert pipeline.discover(DAY) == {"1", "2"}
    pipeline.texts(1, DAY, DAY)
    pipeline.clusters(1, DAY)


@pytest.fixture
def published(pipeline: Pipeline, planted_once: PlantedOnce) -> Pipeline:
    """The graph on a database that holds `a_published_day`."""
    planted_once(a_published_day)
    return pipeline


def test_from_events_to_published_clusters_for_one_team_only(published: Pipeline) -> None:
    found = published.published()
    assert {(row["team_id"], row["event"]) for row in found} == {
        (1, "$ai_trace_clusters"),
        (1, "$ai_generation_clusters"),
    }
    for row in found:
        properties = json.loads(row["properties"])
        assert properties["$ai_total_items_analyzed"] == 24
        members = [member for cluster in properties["$ai_clusters"] for member in cluster["traces"]]
        assert len(members) == 24
        assert all(cluster["title"] for cluster in properties["$ai_clusters"])
        cost_usd = sum(cluster["metrics"]["total_cost"] for cluster in properties["$ai_clusters"])
        assert cost_usd == pytest.approx(24 * 0.002)


def test_private_values_are_in_nothing_that_the_pipeline_stores(published: Pipeline) -> None:
    texts = published.database.rows("SELECT text FROM trace_texts")
    assert len(texts) == 48
    assert all("[EMAIL_1]" in row["text"] for row in texts)
    stored = [
        str(published.database.rows("SELECT * FROM {table:Identifier}", table=table))
        for table in ("trace_texts", "trace_summaries", "document_embeddings", "clusters", "cluster_labels")
    ]
    events = [row["properties"] for row in published.published()]
    assert len(events) == 2
    for secret in SECRETS:
        assert not any(secret in text for text in (*stored, *events))


def test_a_team_with_nothing_to_cluster_gets_no_event(pipeline: Pipeline) -> None:
    """Defect 1: compute returned nothing, yet labels, aggregates and emission ran."""
    write_events(pipeline.database, day_of_traces(1, DAY, 3))
    write_events(pipeline.database, day_of_traces(2, DAY, 25))
    pipeline.texts(1, DAY, DAY)
    result = pipeline.clusters(1, DAY)

    assert result.success
    assert pipeline.published() == []
    assert pipeline.row_counts()["clustering_runs"] == 0
    assert pipeline.row_counts()["cluster_labels"] == 0
    skips = list_skips(pipeline.database, day=DAY, team_id=1)
    assert [(skip.stage, skip.theme_id, skip.reason) for skip in skips] == [
        ("cluster_assignments", "generations", "too_few_items"),
        ("cluster_assignments", "traces", "too_few_items"),
    ]
    assert "3 of 20" in skips[0].detail
    for asset in ("cluster_assignments", "cluster_labels", "cluster_events"):
        (event_,) = result.asset_materializations_for_node(asset)
        assert event_.metadata["items"].value == 0
        assert event_.metadata["status"].value == "skipped"


def test_events_that_the_pipeline_writes_make_no_team_eligible(pipeline: Pipeline) -> None:
    """Defect 2: counting the pipeline's own events keeps idle teams in for ever."""
    when = datetime(2026, 11, 6, 12, tzinfo=UTC)
    own = (
        "$ai_trace_summary",
        "$ai_generation_summary",
        "$ai_trace_clusters",
        "$ai_generation_clusters",
        "$ai_tag",
    )
    write_events(
        pipeline.database,
        [event(1, name, when, {"$ai_trace_id": f"t-{number}"}) for name in own for number in range(40)],
    )
    write_events(pipeline.database, day_of_traces(2, DAY, 25))
    assert pipeline.discover(DAY) == {"2"}
    assert [decision.team_id for decision in stored_decisions(pipeline.database, DAY) if decision.eligible] == [2]


@pytest.mark.slow
def test_discovery_looks_back_exactly_as_far_as_clustering(pipeline: Pipeline) -> None:
    """Defect 3: a longer look-back enrols teams whose data is then ignored."""
    write_events(pipeline.database, day_of_traces(1, FIRST, 25))
    write_events(pipeline.database, day_of_traces(2, FIRST - timedelta(days=1), 25))
    assert pipeline.discover(DAY) == {"1"}
    for team_id, day in ((1, FIRST), (2, FIRST - timedelta(days=1))):
        pipeline.texts(team_id, day, day)
        pipeline.clusters(team_id, DAY)
    assert {row["team_id"] for row in pipeline.published()} == {1}


@pytest.mark.slow
def test_the_loop_is_broken_a_team_that_stops_sending_leaves(pipeline: Pipeline) -> None:
    """Seven simulated days after a team's last event; on the first and last ones every stage is run for whoever is
    eligible."""
    write_events(pipeline.database, day_of_traces(1, FIRST, 25))
    write_events(pipeline.database, day_of_traces(2, FIRST, 3))
    eligible_by_day = {}
    for ahead in range(LOOKBACK_DAYS + 1):
        day = FIRST + timedelta(days=ahead)
        pipeline.now = datetime(2026, 11, 20, tzinfo=UTC)
        pipeline.discover(day)
        eligible = [row.team_id for row in stored_decisions(pipeline.database, day) if row.eligible]
        eligible_by_day[day] = eligible
        if ahead in (0, LOOKBACK_DAYS - 1, LOOKBACK_DAYS):
            for team_id in eligible:
                pipeline.texts(team_id, day, day)
                pipeline.clusters(team_id, day)
    assert eligible_by_day[FIRST] == [1]
    assert eligible_by_day[FIRST + timedelta(days=LOOKBACK_DAYS)] == []
    published = pipeline.published()
    assert all(eligible_by_day[FIRST + timedelta(days=ahead)] == [1] for ahead in range(LOOKBACK_DAYS))
    assert {row["day"] for row in published} == {FIRST + timedelta(days=ahead) for ahead in (0, LOOKBACK_DAYS - 1)}
    for row in published:
        assert json.loads(row["properties"])["$ai_total_items_analyzed"] == 25
    last = stored_decisions(pipeline.database, FIRST + timedelta(days=LOOKBACK_DAYS))
    assert [(row.team_id, row.reason) for row in last if row.team_id == 1] == [(1, "no_recent_events")]
    assert "1" in pipeline.instance.get_dynamic_partitions("teams")


@pytest.mark.slow
def test_a_second_run_of_a_finished_partition_writes_nothing(published: Pipeline) -> None:
    before = published.row_counts()
    assert before["clustering_runs"] == 2
    published.discover(DAY)
    published.texts(1, DAY - timedelta(days=1), DAY)
    published.clusters(1, DAY)
    assert published.row_counts() == before


@pytest.mark.slow
def test_new_traces_replace_the_published_event_of_the_day(published: Pipeline) -> None:
    before = published.row_counts()
    write_events(published.database, day_of_traces(1, DAY, 4, prefix="late", hour=20))
    published.texts(1, DAY, DAY)
    published.clusters(1, DAY)
    events = published.published()
    assert [json.loads(row["properties"])["$ai_total_items_analyzed"] for row in events] == [28, 28]
    after = published.row_counts()
    assert after["events"] == before["events"] + 4 * 3
    assert after["cluster_members"] == 2 * 28


@pytest.mark.slow
def test_two_runs_of_one_partition_at_the_same_time_publish_once(pipeline: Pipeline, database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 24))
    write_events(database, day_of_traces(2, DAY, 24))
    other = Pipeline(database)
    results: list[dg.ExecuteInProcessResult] = []

    def work(of: Pipeline) -> None:
        of.texts(1, DAY, DAY)
        results.append(of.clusters(1, DAY))

    threads = [threading.Thread(target=work, args=(of,)) for of in (pipeline, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.success for result in results] == [True, True]
    assert len(pipeline.published()) == 2
    for row in pipeline.published():
        properties = json.loads(row["properties"])
        assert sorted(
            member["trace_id"] for found in properties["$ai_clusters"] for member in found["traces"]
        ) == sorted(f"trace-{DAY}-{number}" for number in range(24))


@pytest.mark.slow
def test_hostile_ids_and_cycles_go_through_every_stage(pipeline: Pipeline) -> None:
    ids = [
        "'; DROP TABLE events; --",
        'double " quote',
        "per%cent %s %(x)s {team_id:Int64}",
        "emoji 🦜 and ünïcode",
        "back\\slash \\n tab\t",
        "<script>alert(1)</script>",
        "| pipe | *star* [link](javascript:alert(1))",
    ]
    when = datetime(2026, 11, 7, 9, tzinfo=UTC)
    names = [f"{text}{number}" for number in range(4) for text in ids]
    for number, trace_id in enumerate(names):
        moment = when + timedelta(minutes=10 * number)
        write_events(pipeline.database, trace(1, trace_id, moment, request=f"{trace_id} please"))
        loop = [
            {"$ai_trace_id": trace_id, "$ai_span_id": "a", "$ai_parent_id": "b", "$ai_span_name": "A"},
            {"$ai_trace_id": trace_id, "$ai_span_id": "b", "$ai_parent_id": "a", "$ai_span_name": "B"},
        ]
        write_events(pipeline.database, [event(1, "$ai_span", moment, properties) for properties in loop])
    write_events(pipeline.database, day_of_traces(-(2**63), DAY, 22))
    write_events(pipeline.database, day_of_traces(2, DAY, 22))
    pipeline.discover(DAY)
    for team_id in (1, -(2**63)):
        pipeline.texts(team_id, DAY, DAY)
        assert pipeline.clusters(team_id, DAY).success
    traces = [row for row in pipeline.published() if row["event"] == "$ai_trace_clusters"]
    assert [row["team_id"] for row in traces] == [-(2**63), 1]
    found = {
        trace_id for cluster in json.loads(traces[1]["properties"])["$ai_clusters"] for trace_id in cluster["trace_ids"]
    }
    assert found == set(names)


def test_a_trace_that_is_still_growing_waits(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 2))
    pipeline.now = datetime(2026, 11, 7, 8, 10, tzinfo=UTC)
    pipeline.texts(1, DAY, DAY, stages=["trace_texts"])
    assert pipeline.row_counts()["trace_texts"] == 0
    pipeline.now = datetime(2026, 11, 7, 8, 41, tzinfo=UTC)
    pipeline.texts(1, DAY, DAY, stages=["trace_texts"])
    assert pipeline.row_counts()["trace_texts"] == 4


def test_a_trace_across_midnight_is_read_once_and_whole(pipeline: Pipeline) -> None:
    when = datetime(2026, 11, 6, 23, 59, 59, tzinfo=UTC)
    write_events(pipeline.database, trace(1, "night", when))
    write_events(pipeline.database, trace(2, "night", when + timedelta(hours=1)))
    pipeline.texts(1, DAY - timedelta(days=1), DAY, stages=["trace_texts"])
    rows = pipeline.database.rows(
        "SELECT team_id, toString(day) AS day, event_count FROM trace_texts FINAL WHERE level = 'trace'"
    )
    assert rows == [{"team_id": 1, "day": "2026-11-06", "event_count": 3}]


@pytest.mark.slow
def test_events_may_be_read_from_another_database_and_are_published_in_our_own(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source as product analytics has it: no `inserted_at`, another sorting key, rows stored twice."""
    source = f"{pipeline.database.name}_source"
    pipeline.database.execute("CREATE DATABASE {name:Identifier}", name=source)
    try:
        pipeline.database.execute(
            "CREATE TABLE {name:Identifier}.traffic (uuid UUID, event String, team_id Int64, distinct_id String, "
            "timestamp DateTime64(6, 'UTC'), properties String) ENGINE = MergeTree ORDER BY timestamp",
            name=source,
        )
        write_events(pipeline.database, day_of_traces(1, DAY, 24))
        write_events(pipeline.database, day_of_traces(2, DAY, 24))
        for _ in range(2):
            pipeline.database.execute(
                "INSERT INTO {name:Identifier}.traffic "
                "SELECT uuid, event, team_id, distinct_id, timestamp, properties FROM events",
                name=source,
            )
        pipeline.database.execute("TRUNCATE TABLE events")
        monkeypatch.setenv("LLMA_EVENTS_TABLE", f"{source}.traffic")
        assert pipeline.discover(DAY) == {"1", "2"}
        pipeline.texts(1, DAY, DAY)
        pipeline.clusters(1, DAY)
        published = [json.loads(row["properties"]) for row in pipeline.published()]
        assert [properties["$ai_total_items_analyzed"] for properties in published] == [24, 24]
        events = pipeline.database.rows("SELECT event_count FROM trace_texts FINAL WHERE level = 'trace'")
        assert {row["event_count"] for row in events} == {3}
    finally:
        pipeline.database.execute("DROP DATABASE {name:Identifier} SYNC", name=source)
