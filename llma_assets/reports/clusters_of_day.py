"""The published clusters of a team and a date, of all themes, with their names and places on the map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    NOISE_LABEL,
    NOISE_TITLE,
    Run,
    carried_names,
    clusters_of,
    members_of,
    runs_of_day,
)
from llma_assets.labels import labels_of
from llma_assets.team_day import TeamDay

EXAMPLES = 2
"""Maximum number of example traces of a cluster."""


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One cluster.

    Attributes:
        cluster_id: its number in the run, -1 for outliers.
        lineage_id: its lasting id.
        lineage_status: what happened to it since the run before.
        size: its items.
        share: of the items of the run.
        title: its label; if it has none yet, that of the day before, or `Cluster 3`.
        examples: some of its traces, the most central first.
        traces: number of its traces.
        template: the pattern that all its items are made of, "" where they are not.
    """

    cluster_id: int
    lineage_id: str
    lineage_status: str
    size: int
    share: float
    title: str
    examples: tuple[str, ...]
    traces: int = 0
    template: str = ""

    @property
    def is_noise(self) -> bool:
        """Whether these are the outliers, which are no cluster."""
        return self.cluster_id == NOISE_LABEL


@dataclass(frozen=True, slots=True, eq=False)
class ThemeClusters:
    """The committed run of one theme.

    Attributes:
        theme_id: the theme.
        items: that were clustered.
        rows: the clusters by falling size, outliers last.
        labels: int (n,), the cluster of each item.
        coordinates: float64 (n, 2), its place on the map.
        level: what an item is: `trace` or `generation`.
        is_first: there is no earlier run that it could continue.
        ended: number of clusters of the run before that have ended.
        traces: different traces among the items that are shown.
    """

    theme_id: str
    items: int
    rows: tuple[ClusterRow, ...]
    labels: NDArray[np.int_]
    coordinates: NDArray[np.float64]
    level: str = "trace"
    is_first: bool = False
    ended: int = 0
    traces: int | None = None

    @property
    def clusters(self) -> tuple[ClusterRow, ...]:
        """The clusters by falling size, without the outliers."""
        return tuple(row for row in self.rows if not row.is_noise)

    @property
    def outliers(self) -> int:
        """Items that are in no cluster."""
        return sum(row.size for row in self.rows if row.is_noise)


def clusters_of_day(
    database: Database, team_day: TeamDay, *, names_from: Database | None = None
) -> list[ThemeClusters]:
    """The committed run of each theme, that of the most items first, whichever run of Dagster made it.

    Args:
        names_from: reads names anew, where `database` remembers what it has read.
    """
    runs = sorted(runs_of_day(database, team_day), key=lambda run: (-run.items, run.theme_id))
    return [_clusters_of_run(database, team_day, run, names_from or database) for run in runs]


def _clusters_of_run(database: Database, team_day: TeamDay, run: Run, names_from: Database) -> ThemeClusters:
    clusters, members = clusters_of(database, run), members_of(database, run)
    titles = _titles(names_from, team_day, run, [row["cluster_id"] for row in clusters])
    traces = _traces(members)
    rows = [
        ClusterRow(
            cluster_id=row["cluster_id"],
            lineage_id=row["lineage_id"],
            lineage_status=row["lineage_status"],
            size=row["size"],
            share=row["size"] / run.items,
            title=titles[row["cluster_id"]],
            examples=tuple(traces.get(row["cluster_id"], ()))[:EXAMPLES],
            traces=row["traces"],
            template=row["template"],
        )
        for row in clusters
    ]
    lineage = orjson.loads(run.lineage or "{}")
    return ThemeClusters(
        theme_id=run.theme_id,
        items=run.items,
        rows=tuple(sorted(rows, key=lambda row: (row.is_noise, -row.size, row.cluster_id))),
        labels=np.array([member["cluster_id"] for member in members], dtype=np.int_),
        coordinates=np.array([(member["x"], member["y"]) for member in members], dtype=np.float64).reshape(-1, 2),
        level=run.level,
        is_first=lineage.get("previous_day") is None,
        ended=len(lineage.get("ended", ())),
        traces=len({member["trace_id"] for member in members}),
    )


def _titles(database: Database, team_day: TeamDay, run: Run, cluster_ids: Sequence[int]) -> dict[int, str]:
    """The name of each cluster; what is not named yet is called as on the days before."""
    titles = {cluster_id: label.title for cluster_id, label in labels_of(database, run).items() if label.title}
    titles[NOISE_LABEL] = NOISE_TITLE
    if any(cluster_id not in titles for cluster_id in cluster_ids):
        earlier = carried_names(database, team_day, run.theme_id)
        titles = {cluster_id: name.title for cluster_id, name in earlier.items() if name.title} | titles
    return {cluster_id: titles.get(cluster_id, f"Cluster {cluster_id}") for cluster_id in cluster_ids}


def _traces(members: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, None]]:
    """The traces of each cluster, the most central first."""
    traces: dict[int, dict[str, None]] = {}
    for member in sorted(members, key=lambda member: member["rank"]):
        traces.setdefault(member["cluster_id"], {})[member["trace_id"]] = None
    return traces
