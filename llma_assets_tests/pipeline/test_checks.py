"""Each asset check passes on what the pipeline makes and fails on what it must never make."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.checks import CHECKS as CLUSTER_CHECKS
from llma_assets.discovery.checks import CHECKS as DISCOVERY_CHECKS
from llma_assets.embeddings.checks import CHECKS as EMBEDDING_CHECKS
from llma_assets.events.checks import CHECKS as EVENT_CHECKS
from llma_assets.labels.checks import CHECKS as LABEL_CHECKS
from llma_assets.summaries.checks import CHECKS as SUMMARY_CHECKS
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, write_events
from llma_assets_tests.pipeline.runs import Pipeline

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
CHECKS = {
    check.name: check
    for check in (*DISCOVERY_CHECKS, *SUMMARY_CHECKS, *EMBEDDING_CHECKS, *CLUSTER_CHECKS, *LABEL_CHECKS, *EVENT_CHECKS)
}
ATTEMPT = UUID(int=7)
KEY = {"team_id": 1, "day": DAY, "theme_id": "traces", "attempt_id": ATTEMPT}


def commit(database: Database, *, items: int, clusters: int = 1, team_id: int = 1) -> None:
    row = {
        **KEY,
        "team_id": team_id,
        "level": "trace",
        "run_id": "team_1_2026-11-07T00:00:00Z",
        "method": "kmeans",
        "params": '{"version": "v1"}',
        "items": items,
        "window_items": items,
        "clusters": clusters,
        "noise_items": 0,
        "silhouette": None,
        "inertia": None,
        "quality": "{}",
        "embedding_model": "m",
        "window_start": datetime(2026, 11, 1, tzinfo=UTC),
        "window_end": datetime(2026, 11, 8, tzinfo=UTC),
    }
    database.insert_rows("clustering_runs", [row])


def member(item: str, cluster_id: int) -> dict[str, Any]:
    return {
        **KEY,
        "item_id": item,
        "trace_id": item,
        "generation_id": "",
        "item_day": DAY,
        "cluster_id": cluster_id,
        "distance": 0.1,
        "rank": 0,
        "strength": 1.0,
        "x": 0.0,
        "y": 0.0,
        "timestamp": datetime(2026, 11, 7, tzinfo=UTC),
    }


def cluster(cluster_id: int, size: int) -> dict[str, Any]:
    return {
        **KEY,
        "cluster_id": cluster_id,
        "lineage_id": "",
        "size": size,
        "centroid": [1.0],
        "centroid_x": 0.0,
        "centroid_y": 0.0,
    }


def empty_run(database: Database) -> None:
    commit(database, items=0, clusters=0)


def homeless_member(database: Database) -> None:
    commit(database, items=2)
    database.insert_rows("cluster_members", [member("a", 0), member("b", 5)])
    database.insert_rows("clusters", [cluster(0, 2)])


def wrong_sizes(database: Database) -> None:
    commit(database, items=2)
    database.insert_rows("cluster_members", [member("a", 0), member("b", 0)])
    database.insert_rows("clusters", [cluster(0, 1)])


def empty_event(database: Database) -> None:
    database.insert_rows(
        "events",
        [
            {
                "uuid": ATTEMPT,
                "event": "$ai_trace_clusters",
                "team_id": 1,
                "distinct_id": "x",
                "timestamp": datetime(2026, 11, 7, tzinfo=UTC),
                "properties": '{"$ai_total_items_analyzed": 0, "$ai_clusters": [], "$ai_analysis_theme_id": "traces"}',
            }
        ],
    )


def unpublished_run(database: Database) -> None:
    commit(database, items=1)
    database.insert_rows("cluster_members", [member("a", 0)])
    database.insert_rows("clusters", [cluster(0, 1)])


def failed_summaries(database: Database) -> None:
    rows = [
        {
            "team_id": 1,
            "day": DAY,
            "theme_id": "traces",
            "level": "trace",
            "item_id": str(number),
            "trace_id": str(number),
            "generation_id": "",
            "content_hash": "",
            "status": "failed" if number < 3 else "generated",
            "error": "",
            "model": "",
            "mode": "detailed",
            "title": "",
            "flow_diagram": "",
            "bullets": "[]",
            "interesting_notes": "[]",
            "text_length": 1,
            "event_count": 1,
            "trace_timestamp": datetime(2026, 11, 7, tzinfo=UTC),
            "batch_run_id": "",
        }
        for number in range(10)
    ]
    database.insert_rows("trace_summaries", rows)


def dead_letter(database: Database) -> None:
    failed_summaries(database)
    rows = [
        {
            "team_id": 1,
            "day": DAY,
            "theme_id": "traces",
            "item_id": "0",
            "content_hash": "",
            "run_id": f"run-{number}",
            "reason": "refusal",
            "retried": False,
            "failed_at": datetime(2026, 11, 7, tzinfo=UTC),
        }
        for number in range(3)
    ]
    database.insert_rows("summary_failures", rows)


def vectors(*rows: list[float]) -> Callable[[Database], None]:
    def store(database: Database) -> None:
        database.insert_rows(
            "document_embeddings",
            [
                {
                    "team_id": 1,
                    "product": "llm-analytics",
                    "document_type": "llm-trace-summary",
                    "model_name": "m",
                    "rendering": "llm_traces_summary_traces",
                    "document_id": str(number),
                    "timestamp": datetime(2026, 11, 7, tzinfo=UTC),
                    "content": "",
                    "metadata": "{}",
                    "embedding": row,
                }
                for number, row in enumerate(rows)
            ],
        )

    return store


def eligible_by_own_events(database: Database) -> None:
    database.insert_rows(
        "eligible_teams",
        [
            {
                "team_id": 1,
                "day": DAY,
                "eligible": True,
                "reason": "active",
                "detail": "",
                "traces": 40,
                "events": 40,
                "window_start": datetime(2026, 11, 1, tzinfo=UTC),
                "window_end": datetime(2026, 11, 8, tzinfo=UTC),
            }
        ],
    )
    empty_event(database)


@pytest.mark.parametrize(
    ("name", "spoil", "found"),
    [
        ("no_empty_runs", empty_run, "0 items"),
        ("members_in_one_cluster", homeless_member, "'homeless_members': 1"),
        ("sizes_add_up", wrong_sizes, "'total_size': 1"),
        ("no_empty_events", empty_event, "0 items"),
        ("sizes_match_members", wrong_sizes, "cluster 0: size 1, 2 members"),
        ("events_match_runs", unpublished_run, "no event"),
        ("events_match_runs", empty_event, "'items': 0"),
        ("few_failures", failed_summaries, "3 of 10 failed"),
        ("no_dead_letters", dead_letter, "found 1 (`llma retry --team 1 --date 2026-11-07 --list`)"),
        ("sound_vectors", vectors([1.0, 0.0], [1.0]), "dimensions [1, 2]"),
        ("sound_vectors", vectors([1.0, 0.0], [float("nan"), 0.0]), "1 not finite"),
        ("sound_vectors", vectors([1.0, 0.0], [0.0, 0.0]), "1 zero"),
        ("own_events_do_not_count", eligible_by_own_events, "0 such events"),
    ],
)
def test_a_check_fails_for_the_spoiled_team_and_no_other(
    database: Database, name: str, spoil: Callable[[Database], None], found: str
) -> None:
    spoil(database)
    (finding,) = CHECKS[name].findings(database, TEAM)
    assert not finding.passed
    assert found in finding.sentence
    assert "team 1, 2026-11-07" in finding.sentence
    assert CHECKS[name].findings(database, TeamDay(2, DAY)) == []


def test_every_check_passes_on_what_the_pipeline_made(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 24))
    write_events(pipeline.database, day_of_traces(2, DAY, 24))
    pipeline.discover(DAY)
    pipeline.texts(1, DAY, DAY)
    result = pipeline.clusters(1, DAY)
    findings = {name: check.findings(pipeline.database, TEAM) for name, check in CHECKS.items()}
    assert {name: [finding.passed for finding in found] for name, found in findings.items()} == {
        **{name: [True, True] for name in CHECKS},
        "own_events_do_not_count": [True],
        "names_fit": [],  # too few members to hold any out
        "spending_within_budget": [],  # the team has no budget
        "theme_spending_within_budget": [],  # nor has a theme
    }
    evaluations = result.get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in evaluations} == {
        "no_empty_runs",
        "members_in_one_cluster",
        "sizes_add_up",
        "sizes_match_members",
        "items_counted_once",
        "ranks_follow_distances",
        "members_match_vectors",
        "no_giant_cluster",
        "no_dominant_cluster",
        "finite_values",
        "only_what_the_theme_takes",
        "little_noise",
        "confirmed_by_resamples",
        "clusters_have_names",
        "names_fit",
        "labels_distinct",
        "names_say_what_is_there",
        "spending_within_budget",
        "theme_spending_within_budget",
        "no_empty_events",
        "published_once",
        "events_match_runs",
        "event_titles_match_labels",
    }
    assert all(evaluation.passed for evaluation in evaluations)


def test_an_empty_committed_run_stops_labels_and_events(pipeline: Pipeline) -> None:
    """The compute step finds nothing to do, and a run without items lies there from before."""
    empty_run(pipeline.database)
    commit(pipeline.database, items=0, clusters=0, team_id=2)
    result = pipeline.clusters(1, DAY, raise_on_error=False)
    assert not result.success
    (failed,) = [found for found in result.get_asset_check_evaluations() if not found.passed]
    assert failed.check_name == "no_empty_runs"
    assert failed.severity == dg.AssetCheckSeverity.ERROR
    executed = {event.step_key for event in result.all_events if event.is_step_start}
    assert "cluster_labels" not in executed
    assert pipeline.published() == []
