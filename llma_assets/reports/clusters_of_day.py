"""The published clusters of a team and a date, of all themes, with their names and places on the map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, NOISE_TITLE, clusters_of, members_of, runs_of_day
from llma_assets.labels import labels_of
from llma_assets.team_day import TeamDay

EXAMPLES = 2
"""Traces that are named of each cluster, at most."""


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One cluster.

    Attributes:
        cluster_id: its number in the run, -1 for outliers.
        lineage_id: its lasting id.
        lineage_status: what happened to it since the run before.
        size: its items.
        share: of the items of the run.
        title: its name, `Cluster 3` where it has none yet.
        examples: traces of it, the most central first.
    """

    cluster_id: int
    lineage_id: str
    lineage_status: str
    size: int
    share: float
    title: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ThemeClusters:
    """The committed run of one theme.

    Attributes:
        theme_id: the theme.
        items: that were clustered.
        rows: the clusters by falling size, outliers last.
        labels: int (n,), the cluster of each item.
        coordinates: float64 (n, 2), its place on the map.
    """

    theme_id: str
    items: int
    rows: tuple[ClusterRow, ...]
    labels: NDArray[np.int_]
    coordinates: NDArray[np.float64]


def clusters_of_day(database: Database, team_day: TeamDay) -> list[ThemeClusters]:
    """The committed run of each theme, by theme id, whichever run of Dagster made it."""
    found = []
    for run in runs_of_day(database, team_day):
        members, labels = members_of(database, run), labels_of(database, run)
        examples: dict[int, dict[str, None]] = {}
        for member in sorted(members, key=lambda member: member["rank"]):
            of_cluster = examples.setdefault(member["cluster_id"], {})
            if len(of_cluster) < EXAMPLES:
                of_cluster[member["trace_id"]] = None

        def title(cluster_id: int) -> str:
            if cluster_id == NOISE_LABEL:
                return NOISE_TITLE
            return labels[cluster_id].title if cluster_id in labels else f"Cluster {cluster_id}"  # noqa: B023

        rows = [
            ClusterRow(
                cluster_id=row["cluster_id"],
                lineage_id=row["lineage_id"],
                lineage_status=row["lineage_status"],
                size=row["size"],
                share=row["size"] / run.items,
                title=title(row["cluster_id"]),
                examples=tuple(examples.get(row["cluster_id"], ())),
            )
            for row in clusters_of(database, run)
        ]
        found.append(
            ThemeClusters(
                theme_id=run.theme_id,
                items=run.items,
                rows=tuple(sorted(rows, key=lambda row: (row.cluster_id == NOISE_LABEL, -row.size))),
                labels=np.array([member["cluster_id"] for member in members], dtype=np.int_),
                coordinates=np.array([(member["x"], member["y"]) for member in members], dtype=np.float64).reshape(
                    -1, 2
                ),
            )
        )
    return found
