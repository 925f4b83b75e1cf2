"""Lineages of stored runs: what a new run is linked to, and which names carry over.

Lineages are stored with their clusters; only those of committed attempts count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import NOTHING
from llma_assets.clusters.lineage.links import Links, link
from llma_assets.clusters.lineage.snapshot import Snapshot, Space
from llma_assets.clusters.lineage_ids import first_lineage_id
from llma_assets.clusters.store.cluster_edits import standings_of
from llma_assets.clusters.store.cluster_members import homes_of
from llma_assets.clusters.store.clustering_runs import Run, committed_run, has_runs, runs_around
from llma_assets.clusters.store.clusters import centroids_of, clusters_of
from llma_assets.clusters.store.lineages import latest_names
from llma_assets.team_day import TeamDay

LINK_DAYS = 28
"""Runs up to this many days back are linked to; beyond the window only centroids decide."""

NAMED_DAYS = 28
"""A lineage keeps its name if it had a cluster within this many days."""

SAME_CONTENT = 0.5
"""The content is the same if the centroid has moved less than this share of the distance to the nearest other one."""


@dataclass(frozen=True, slots=True)
class CarriedName:
    """The name that a cluster had on earlier days, and whether it still fits.

    Attributes:
        lineage_id: of the cluster.
        title: the latest title; people's own, where they chose one.
        description: the latest description.
        model: who wrote it.
        named_on: the day of the last name by a model, None if unknown.
        status: of the cluster, as in `lineage.Link`.
        confidence: of the link, as in `lineage.Link`.
        drift: how far the centroid has moved since `named_on`, as a share of its distance to the nearest other
            cluster today; None if unknown.
        unchanged: whether the content is still what it was when it was named.
        renamed: whether people chose the title.
        locked: whether people locked the title.
    """

    lineage_id: str
    title: str
    description: str
    model: str
    named_on: date | None
    status: str
    confidence: float
    drift: float | None
    unchanged: bool
    renamed: bool
    locked: bool

    @property
    def keep(self) -> bool:
        """Whether the name is kept without asking a model."""
        return self.unchanged or self.renamed or self.locked


def space_of(run: Run) -> Space:
    """What has to be equal for another run to be comparable with this one."""
    return Space(run.embedding_model, run.method, run.theme_version)


def snapshot_of(database: Database, run: Run) -> Snapshot:
    """A stored run as input of linking. Clusters of a run without lineages get new ids."""
    clusters = [row for row in clusters_of(database, run) if row["cluster_id"] >= 0]
    members = homes_of(database, run)
    places = np.full(max((row["cluster_id"] for row in clusters), default=-1) + 2, -1)
    for place, row in enumerate(clusters):
        places[row["cluster_id"]] = place
    return Snapshot(
        day=run.day,
        space=space_of(run),
        item_ids=np.array(members.column("item_id").to_pylist(), dtype=np.str_),
        item_days=np.array(members.column("item_day").to_pylist(), dtype="datetime64[D]"),
        labels=places[np.asarray(members.column("cluster_id").combine_chunks(), dtype=np.int_)],
        centroids=centroids_of(clusters),
        lineage_ids=tuple(
            row["lineage_id"] or first_lineage_id(run.team_id, run.theme_id, run.input_id, row["cluster_id"])
            for row in clusters
        ),
        statuses=tuple(row["lineage_status"] for row in clusters),
    )


def link_stored(database: Database, current: Snapshot, *, team_id: int, theme_id: str, window_days: int) -> Links:
    """Link a run that is not stored yet to the stored ones.

    Reads the two latest runs before it; and, only while there are clusters that these do not explain, the older runs
    of its window, the run of the same day that it replaces, and the first run after it.
    """
    first_day, last_day = current.day - timedelta(days=LINK_DAYS), current.day + timedelta(days=window_days)
    around: list[Run] = []
    if has_runs(database, TeamDay(team_id, current.day), theme_id, first_day, last_day):
        around = runs_around(database, team_id, theme_id, first_day, last_day)
    earlier = [run for run in reversed(around) if run.day < current.day]
    later = [run for run in around if run.day >= current.day]
    previous = snapshot_of(database, earlier[0]) if earlier else None
    reach = current.day - timedelta(days=window_days)
    return link(
        previous, current, _snapshots(database, earlier[1:2] + [r for r in earlier[2:] if r.day > reach] + later[:2])
    )


def _snapshots(database: Database, runs: Sequence[Run]) -> Iterator[Snapshot]:
    for run in runs:
        yield snapshot_of(database, run)


def carried_names(database: Database, team_day: TeamDay, theme_id: str) -> dict[int, CarriedName]:
    """The names that the clusters of a committed run had on earlier days, by cluster id.

    Names of the last `NAMED_DAYS` days count. People's titles are there for every cluster that has one, whether
    it had another name or not. A cluster that never had a name is left out; without a committed run there is none.
    """
    run = committed_run(database, team_day, theme_id)
    if run is None:
        return {}
    clusters = [
        row
        for row in clusters_of(database, run)
        if row["cluster_id"] >= 0 and row["lineage_id"] and row["disclosure"] == "full"
    ]
    if not clusters:
        return {}
    first_day, last_day = run.day - timedelta(days=NAMED_DAYS), run.day - timedelta(days=1)
    names = {}
    if has_runs(database, team_day, theme_id, first_day, last_day):
        lineage_ids = [row["lineage_id"] for row in clusters]
        names = latest_names(database, run.team_id, run.theme_id, lineage_ids, first_day, last_day)
    decided = standings_of(database, run.team_id)
    centroids = np.array([row["centroid"] for row in clusters], dtype=np.float64)
    carried = {}
    for place, row in enumerate(clusters):
        name, standing = names.get(row["lineage_id"]), decided.get(row["lineage_id"], NOTHING)
        if name is None and not standing.title:
            continue
        named_on = name["named_on"] if name and name["named_centroid"] else None
        drift = _drift(centroids, place, name["named_centroid"]) if name and named_on else None
        goes_on = row["lineage_status"] in ("new", "continued", "grown", "shrunk", "ended")
        carried[row["cluster_id"]] = CarriedName(
            lineage_id=row["lineage_id"],
            title=standing.title or (name["latest_title"] if name else ""),
            description=name["latest_description"] if name else "",
            model=name["latest_model"] if name else "",
            named_on=named_on,
            status=row["lineage_status"],
            confidence=row["lineage_confidence"],
            drift=drift,
            unchanged=goes_on and drift is not None and drift < SAME_CONTENT,
            renamed=standing.renamed,
            locked=standing.locked,
        )
    return carried


def _drift(centroids: Any, place: int, then: Sequence[float]) -> float | None:
    if len(then) != centroids.shape[1] or len(centroids) < 2:
        return None
    others = np.linalg.norm(np.delete(centroids, place, axis=0) - centroids[place], axis=1).min()
    moved = np.linalg.norm(np.asarray(then) - centroids[place])
    return float(moved / others) if others > 0 else None
