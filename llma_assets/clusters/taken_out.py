"""Members that people took out of a cluster: where they count in a run instead, and what is left of the cluster.

They count as outliers: in no cluster, and in the whole. Stored rows stay as they are, so that a member that is put back
is where it was. Which decisions there are belongs in `edits`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import Standing, taken_out_of
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.store import cluster_members, clusters
from llma_assets.clusters.store.cluster_edits import standings_of
from llma_assets.clusters.store.clustering_runs import Run

Pairs = frozenset[tuple[int, str]]
"""Cluster and item."""

NO_OUTLIERS: Mapping[str, Any] = {
    "cluster_id": NOISE_LABEL,
    "lineage_id": "",
    "lineage_status": "",
    "lineage_confidence": 0.0,
    "lineage_parents": [],
    "size": 0,
    "radius": 0.0,
    "centroid": [],
    "centroid_x": 0.0,
    "centroid_y": 0.0,
    "traces": 0,
    "users": 0,
    "template": "",
}
"""The outliers of a run that has none of its own."""


def taken_out_pairs(database: Database, run: Run) -> Pairs:
    """What people took out of the clusters of a run, also what is not in it on this day."""
    decided = standings_of(database, run.team_id)
    if not any(each.taken_out for each in decided.values()):
        return frozenset()
    return frozenset(
        (row["cluster_id"], item_id)
        for row in clusters.clusters_of(database, run)
        if row["lineage_id"]
        for item_id in taken_out_of(row["lineage_id"], decided)
    )


def taken_out_by_lineage(decided: Mapping[str, Standing], lineage_ids: Collection[str]) -> list[tuple[str, str]]:
    """Lineage and item of all that was taken out, for statements over many runs; sorted."""
    if not any(each.taken_out for each in decided.values()):
        return []
    return sorted(
        (lineage_id, item_id)
        for lineage_id in {*decided, *lineage_ids}
        for item_id in taken_out_of(lineage_id, decided)
    )


def without_taken_out(database: Database, run: Run, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The clusters of a run without what people took out; one of which nothing is left is left out.

    Args:
        rows: all clusters of the run, noise last.
    """
    pairs = taken_out_pairs(database, run)
    if not pairs:
        return [dict(row) for row in rows]
    homes = cluster_members.homes_without(database, run, pairs)
    touched = {cluster_id for cluster_id, _ in homes.get(NOISE_LABEL, {}).get("moved", ())}
    if not touched:
        return [dict(row) for row in rows]
    found = []
    for row in rows:
        cluster_id = row["cluster_id"]
        changed = homes.get(cluster_id) if cluster_id in touched or cluster_id == NOISE_LABEL else None
        if cluster_id in touched and changed is None:
            continue  # all of it was taken out
        counted = {} if changed is None else {"size": changed["size"], "traces": changed["traces"]}
        found.append({**row, **counted})
    if not any(row["cluster_id"] == NOISE_LABEL for row in found):
        # As `PrivacyMinimum.of` decides it of outliers.
        disclosure = "without_examples" if "min_users" in orjson.loads(run.params) else "full"
        outliers = {name: homes[NOISE_LABEL][name] for name in ("size", "traces")}
        found.append({**NO_OUTLIERS, **outliers, "disclosure": disclosure})
    return found


def members_without(
    database: Database, run: Run, cluster_ids: Collection[int] | None, pairs: Pairs
) -> list[dict[str, Any]]:
    """Members of a run, or of some of its clusters, by cluster and rank; what was taken out is with the outliers.

    Args:
        pairs: of `taken_out_pairs`.
    """
    wanted = None if cluster_ids is None else set(cluster_ids)
    read = wanted
    if wanted is not None and NOISE_LABEL in wanted:
        read = wanted | {cluster_id for cluster_id, _ in pairs}
    members = cluster_members.members_of(database, run, read)
    if not pairs:
        return members
    inside: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    for each in members:
        is_out = (each["cluster_id"], each["item_id"]) in pairs
        home = NOISE_LABEL if is_out else each["cluster_id"]
        if wanted is None or home in wanted:
            (outside if is_out else inside).append({**each, "cluster_id": home})
    return inside + outside


def first_members_without(database: Database, run: Run, limit: int, pairs: Pairs) -> list[dict[str, Any]]:
    """Of each cluster the `limit` nearest members that people left in it; of outliers those that are stored as such.

    Args:
        pairs: of `taken_out_pairs`.
    """
    most = max(Counter(cluster_id for cluster_id, _ in pairs).values(), default=0)
    members = cluster_members.first_members_of(database, run, limit + most)
    if not pairs:
        return members
    seen: Counter[int] = Counter()
    found = []
    for each in members:
        if (each["cluster_id"], each["item_id"]) in pairs:
            continue
        seen[each["cluster_id"]] += 1
        if seen[each["cluster_id"]] <= limit:
            found.append(each)
    return found
