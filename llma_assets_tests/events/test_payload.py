"""The published event: complete, native JSON, and never empty."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from llma_assets.events import EmptyClusteringError, ItemNumbers, cluster_event_properties

DAY = date(2026, 11, 7)


def run(items: int = 3) -> dict[str, Any]:
    return {
        "team_id": 1,
        "day": DAY,
        "theme_id": "traces",
        "level": "trace",
        "run_id": "team_1_2026-11-07T00:00:00Z",
        "params": {"method": "kmeans", "version": "v1"},
        "items": items,
        "window_items": 40,
        "clusters": 1,
        "silhouette": 0.5,
        "inertia": 1.5,
        "window_start": datetime(2026, 11, 1, tzinfo=UTC),
        "window_end": datetime(2026, 11, 8, tzinfo=UTC),
    }


def member(item: str, cluster_id: int, rank: int) -> dict[str, Any]:
    return {
        "item_id": item,
        "trace_id": item,
        "generation_id": "",
        "cluster_id": cluster_id,
        "distance": 0.25,
        "rank": rank,
        "x": 1.0,
        "y": 2.0,
        "timestamp": datetime(2026, 11, 3, 12, tzinfo=UTC),
    }


def cluster(cluster_id: int, size: int) -> dict[str, Any]:
    return {
        "cluster_id": cluster_id,
        "lineage_id": f"lineage-{cluster_id}",
        "lineage_status": "grown",
        "size": size,
        "centroid": [0.5, 0.5],
        "centroid_x": 0.0,
        "centroid_y": 0.0,
    }


def test_an_event_holds_members_by_rank_with_labels_and_metrics() -> None:
    properties = cluster_event_properties(
        run(),
        [cluster(0, 2), cluster(-1, 1)],
        [member("a", 0, 0), member("b", 0, 1), member("c", -1, 0)],
        {0: {"title": "Refunds", "description": "- asks for money back"}},
        {"a": ItemNumbers(2.0, 1.0, 10, 1)},
    )
    assert properties["$ai_total_items_analyzed"] == 3
    assert properties["$ai_timestamp"] == "2026-11-07T00:00:00Z"
    first, noise = properties["$ai_clusters"]
    assert first["title"] == "Refunds"
    assert (first["lineage_id"], first["lineage_status"]) == ("lineage-0", "grown")
    assert first["trace_ids"] == ["a", "b"]
    assert first["metrics"]["error_rate"] == 0.5
    assert first["metrics"]["avg_cost"] == 2.0
    assert first["traces"][0]["timestamp"] == "2026-11-03T12:00:00Z"
    assert "generation_id" not in first["traces"][0]
    assert noise["cluster_id"] == -1
    assert json.loads(json.dumps(properties)) == properties


def test_an_event_says_which_theme_it_is_of_and_under_which_version() -> None:
    own = run(1) | {"theme_id": "ux_issues", "params": {"version": "v1", "theme_version": "abc"}}
    properties = cluster_event_properties(
        own, [cluster(0, 1)], [member("a", 0, 0)], {}, {}, theme_name="What is hard to use"
    )
    assert properties["$ai_analysis_theme_id"] == "ux_issues"
    assert properties["$ai_analysis_theme_name"] == "What is hard to use"
    assert properties["$ai_analysis_theme_version"] == "abc"
    assert properties["$ai_cluster_groups"] == []
    old = cluster_event_properties(run(1), [cluster(0, 1)], [member("a", 0, 0)], {}, {})
    assert old["$ai_analysis_theme_version"] == "", "what was clustered before themes had versions"


def test_an_event_names_the_groups_of_its_clusters() -> None:
    groups = [{"group_id": 0, "cluster_ids": [0], "title": "Money", "description": "- back", "model": "m"}]
    properties = cluster_event_properties(
        run(1) | {"quality": {"groups": [0]}}, [cluster(0, 1)], [member("a", 0, 0)], {}, {}, groups=groups
    )
    named = {"group": 0, "title": "Money", "description": "- back", "cluster_ids": [0]}
    assert properties["$ai_cluster_groups"] == [named]
    assert properties["$ai_clusters"][0]["group"] == 0


def test_a_cluster_without_a_label_is_numbered() -> None:
    properties = cluster_event_properties(run(1), [cluster(4, 1)], [member("a", 4, 0)], {}, {})
    assert properties["$ai_clusters"][0]["title"] == "Cluster 4"


@pytest.mark.parametrize(
    ("items", "clusters", "members"),
    [
        (0, [], []),
        (0, [cluster(0, 0)], []),
        (2, [], [member("a", 0, 0), member("b", 0, 1)]),
        (2, [cluster(0, 2)], [member("a", 0, 0)]),
        (1, [cluster(0, 1)], [member("a", 3, 0)]),
    ],
)
def test_an_empty_or_torn_run_is_never_published(
    items: int, clusters: list[dict[str, Any]], members: list[dict[str, Any]]
) -> None:
    with pytest.raises(EmptyClusteringError, match="nothing is published"):
        cluster_event_properties(run(items), clusters, members, {}, {})
