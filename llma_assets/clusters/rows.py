"""Turns a clustering into rows: members, clusters and quality. No database; storing belongs in `store`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llma_assets.clusters.disclosure import NO_MINIMUM, PrivacyMinimum
from llma_assets.clusters.engine.clustering import Clustering
from llma_assets.clusters.engine.templates import Template
from llma_assets.clusters.engine.unsampled import Placement
from llma_assets.clusters.lineage.links import Links


def member_rows(placement: Placement, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each item: the sample first, then the items outside it.

    Args:
        items: `document_id`, `timestamp`, `trace_id` and `generation_id` of each.
    """
    return [
        {
            "item_id": row["document_id"],
            "trace_id": row["trace_id"],
            "generation_id": row["generation_id"],
            "item_day": row["timestamp"].date(),
            "cluster_id": int(placement.labels[index]),
            "distance": float(placement.distances[index]),
            "rank": int(placement.ranks[index]),
            "strength": float(placement.strength[index]),
            "x": float(placement.coordinates[index, 0]),
            "y": float(placement.coordinates[index, 1]),
            "timestamp": row["timestamp"],
        }
        for index, row in enumerate(items)
    ]


def cluster_rows(
    clustering: Clustering,
    placement: Placement,
    links: Links,
    items: Sequence[Mapping[str, Any]],
    *,
    templates: Sequence[Template] = (),
    users: Mapping[str, int] | None = None,
    privacy: PrivacyMinimum = NO_MINIMUM,
) -> list[dict[str, Any]]:
    """A row for each cluster, and one for noise where there is any; noise has no lineage.

    Args:
        items: `document_id` and `trace_id` of each item.
        templates: what `clustering.templates` counts.
        users: hash of each item's user by item id; None where the team has no privacy minimum.
        privacy: decides what may be shown of each cluster.
    """
    traces: dict[int, set[str]] = {}
    people: dict[int, set[int]] = {}
    for label, item in zip(placement.labels.tolist(), items, strict=True):
        traces.setdefault(label, set()).add(item["trace_id"])
        if users is not None:
            people.setdefault(label, set()).add(users.get(item["document_id"], 0))

    def about(cluster_id: int) -> dict[str, Any]:
        counted = len(people.get(cluster_id, ()))
        place = -1 if clustering.templates is None or cluster_id < 0 else int(clustering.templates[cluster_id])
        return {
            "traces": len(traces.get(cluster_id, ())),
            "users": counted,
            "template": templates[place].pattern if place >= 0 else "",
            "disclosure": privacy.of(cluster_id, counted),
        }

    sizes = np.bincount(placement.labels[placement.labels >= 0], minlength=len(clustering.centroids))
    rows = [
        {
            "cluster_id": cluster_id,
            "lineage_id": links.clusters[cluster_id].lineage_id,
            "lineage_status": links.clusters[cluster_id].status,
            "lineage_confidence": links.clusters[cluster_id].confidence,
            "lineage_parents": list(links.clusters[cluster_id].parents),
            "radius": float(clustering.radii[cluster_id]),
            "size": int(sizes[cluster_id]),
            "centroid": centroid.tolist(),
            "centroid_x": float(clustering.centroid_coordinates[cluster_id, 0]),
            "centroid_y": float(clustering.centroid_coordinates[cluster_id, 1]),
            **about(cluster_id),
        }
        for cluster_id, centroid in enumerate(clustering.centroids)
    ]
    noise = placement.labels == -1
    if noise.any():
        x, y = placement.coordinates[noise].mean(axis=0)
        rows.append(
            {
                "cluster_id": -1,
                "lineage_id": "",
                "lineage_status": "",
                "lineage_confidence": 0.0,
                "lineage_parents": [],
                "radius": 0.0,
                "size": int(noise.sum()),
                "centroid": [],
                "centroid_x": float(x),
                "centroid_y": float(y),
                **about(-1),
            }
        )
    return rows


def quality_of(clustering: Clustering, placement: Placement) -> dict[str, Any]:
    """The stored quality: measures of the sample, shares of all items, and the groups of clusters."""
    noise = placement.labels < 0
    sizes = np.bincount(placement.labels[~noise], minlength=len(clustering.centroids))
    if clustering.templates is None:
        of_templates = np.zeros(len(sizes), dtype=bool)
    else:
        of_templates = clustering.templates >= 0
    return {
        **clustering.quality.to_dict(),
        "noise_share": float(noise.mean()),
        # A template is no topic that could have swallowed others.
        "largest_share": float(sizes[~of_templates].max(initial=0) / len(placement.labels)),
        "template_share": float(sizes[of_templates].sum() / len(placement.labels)),
        "sampled_items": len(clustering.labels),
        "assigned_items": len(placement.labels) - len(clustering.labels),
        "groups": clustering.groups.tolist(),
    }
