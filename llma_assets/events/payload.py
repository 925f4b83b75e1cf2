"""The properties of a `$ai_trace_clusters` or `$ai_generation_clusters` event, built from stored rows.

An empty run raises an error; it never becomes an empty event. Reading the rows belongs in `building`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llma_assets.clusters import FULL, NOISE_LABEL, NOISE_TITLE
from llma_assets.events.aggregates import ItemNumbers, aggregate

QUALITY = (
    "stability",
    "silhouette",
    "noise_share",
    "borderline_share",
    "largest_share",
    "separation",
    "sampled_items",
    "assigned_items",
    "collapse",
    "mended_by",
)
"""The published fields of a run's quality; others stay in `clustering_runs`."""
NOTHING = ItemNumbers(cost_usd=0.0, latency_s=0.0, tokens=0, error_count=0)


PAYLOAD_VERSION = "1"
"""Changes with the properties of a published event."""


class EmptyClusteringError(ValueError):
    """The run is empty or inconsistent; the message names it."""


class NoNamesError(ValueError):
    """No cluster has a name; all would be published with their numbers."""


def cluster_event_properties(
    run: Mapping[str, Any],
    clusters: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
    labels: Mapping[int, Mapping[str, Any]],
    numbers: Mapping[str, ItemNumbers],
    *,
    theme_name: str = "",
    groups: Sequence[Mapping[str, Any]] = (),
    held_back: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """The properties of the event of one clustering run.

    Args:
        run: the committed run, with `params` already an object.
        clusters: its clusters that may be shown, noise (-1) last.
        members: its members that may be shown, by cluster and rank.
        labels: title and description by cluster id.
        numbers: cost, latency, tokens and errors by item id.
        theme_name: what people call the theme.
        groups: names of groups of clusters, where the run has an upper level.
        held_back: clusters that may not be shown, and their items.

    Raises:
        EmptyClusteringError: no members, no clusters, counts that do not agree with the run, or members of clusters
            that are not there.
    """
    shown = sum(row["size"] for row in clusters if _is_full(row))
    if run["items"] == 0 or not clusters or len(members) != shown:
        raise EmptyClusteringError(
            f"run {run['run_id']} of theme {run['theme_id']} has {run['items']} items, "
            f"but {len(members)} members in {len(clusters)} clusters are stored; nothing is published"
        )
    by_cluster: dict[int, list[Mapping[str, Any]]] = {row["cluster_id"]: [] for row in clusters}
    if homeless := {member["cluster_id"] for member in members} - by_cluster.keys():
        raise EmptyClusteringError(
            f"run {run['run_id']} of theme {run['theme_id']} has members of clusters that are not stored, "
            f"{sorted(homeless)}: nothing is published"
        )
    for member in members:
        by_cluster[member["cluster_id"]].append(member)
    quality = run.get("quality", {})
    group_of = quality.get("groups", [])
    return {
        "$ai_clustering_version": run["params"]["version"],
        "$ai_clustering_run_id": run["run_id"],
        "$ai_clustering_level": run["level"],
        "$ai_analysis_theme_id": run["theme_id"],
        "$ai_analysis_theme_name": theme_name,
        "$ai_analysis_theme_version": run["params"].get("theme_version", ""),
        "$ai_team_id": run["team_id"],
        "$ai_timestamp": run["day"].strftime("%Y-%m-%dT00:00:00Z"),
        "$ai_window_start": run["window_start"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "$ai_window_end": run["window_end"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "$ai_total_items_analyzed": run["items"],
        "$ai_total_traces_analyzed": len({member["trace_id"] for member in members}),
        "$ai_sampled_traces_count": quality.get("sampled_items", run["items"]),
        "$ai_optimal_k": run["clusters"],
        "$ai_held_back_clusters": held_back[0],
        "$ai_held_back_items": held_back[1],
        "$ai_silhouette_score": run["silhouette"],
        "$ai_inertia": run["inertia"],
        "$ai_clustering_params": {**run["params"], "window_items": run["window_items"]},
        "$ai_clustering_quality": {name: quality[name] for name in QUALITY if name in quality},
        "$ai_clusters": [
            {
                **_cluster(row, by_cluster[row["cluster_id"]], labels.get(row["cluster_id"], {}), numbers),
                **({"group": group_of[row["cluster_id"]]} if 0 <= row["cluster_id"] < len(group_of) else {}),
            }
            for row in clusters
        ],
        "$ai_cluster_groups": [
            {
                "group": group["group_id"],
                "title": group["title"],
                "description": group["description"],
                "cluster_ids": group["cluster_ids"],
            }
            for group in groups
        ],
    }


def title_of(cluster: Mapping[str, Any], label: Mapping[str, Any]) -> str:
    """The title of a cluster: its label's, or its number; that of outliers is fixed."""
    number = cluster["cluster_id"]
    return label.get("title") or (NOISE_TITLE if number == NOISE_LABEL else f"Cluster {number}")


def _cluster(
    row: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]],
    label: Mapping[str, Any],
    numbers: Mapping[str, ItemNumbers],
) -> dict[str, Any]:
    trace_ids = list(dict.fromkeys(member["trace_id"] for member in members))
    return {
        "cluster_id": row["cluster_id"],
        "lineage_id": row["lineage_id"],
        "lineage_status": row["lineage_status"],
        "size": row["size"],
        "trace_count": row.get("traces", len(trace_ids)),
        "template": row.get("template", ""),
        "disclosure": row.get("disclosure", FULL),
        "title": title_of(row, label),
        "description": label.get("description", ""),
        "trace_ids": trace_ids,
        "traces": [_member(member) for member in members],
        "centroid": row["centroid"],
        "centroid_x": row["centroid_x"],
        "centroid_y": row["centroid_y"],
        "metrics": asdict(aggregate([numbers.get(member["item_id"], NOTHING) for member in members]))
        if _is_full(row)
        else None,
    }


def _is_full(row: Mapping[str, Any]) -> bool:
    return bool(row.get("disclosure", FULL) == FULL)


def _member(member: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": member["trace_id"],
        **({"generation_id": member["generation_id"]} if member["generation_id"] else {}),
        "distance_to_centroid": member["distance"],
        "rank": member["rank"],
        "x": member["x"],
        "y": member["y"],
        "timestamp": member["timestamp"].isoformat().replace("+00:00", "Z"),
    }
