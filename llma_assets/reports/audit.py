"""The audit of labels: each label with its evidence, the most doubtful first.

Only shares are computed here; measuring belongs in `labels` and `clusters`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import BORDERLINE, FULL, NOISE_LABEL, Run, clusters_of, members_of, runs_of_day
from llma_assets.labels import group_labels_of, labels_of, name_tests_of
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.summaries import summaries_of_items
from llma_assets.team_day import TeamDay

READ_MEMBERS = 3
FAR_MEMBERS = 1
"""Titles of so many members nearest to the centroid, and of so many at the cluster's edge, stand beside its name."""


@dataclass(frozen=True, slots=True)
class AuditedCluster:
    """The label of a cluster and its evidence.

    Attributes:
        cluster_id, lineage_id: which cluster.
        group: name of the upper level that it is in, "" without one.
        title: the name.
        origin: where the name comes from, as in `ClusterLabel`; "" without a name.
        size: its items.
        traces: different traces among them.
        borderline_share: of its members, those that lie between clusters.
        held_out: members that tested the name, 0 where it was not tested.
        right: of these, how many are nearest to the cluster's own name; None where it was not tested.
        right_by_centroid: how many are nearest to its centroid.
        nearest_title, nearest_distance: the other name that is most like it.
        members: titles of the nearest members.
        edge: titles of the farthest.
    """

    cluster_id: int
    lineage_id: str
    group: str
    title: str
    origin: str
    size: int
    traces: int
    borderline_share: float
    held_out: int
    right: int | None
    right_by_centroid: int | None
    nearest_title: str
    nearest_distance: float | None
    members: tuple[str, ...]
    edge: tuple[str, ...]

    @property
    def doubt(self) -> tuple[bool, float, int]:
        """Sort key: lowest share of right answers first, then the largest cluster; untested labels come last."""
        if self.right is None or not self.held_out:
            return True, 0.0, -self.size
        return False, self.right / self.held_out, -self.size


@dataclass(frozen=True, slots=True)
class AuditedTheme:
    """The names of a theme's run, the most doubtful first; outliers have none."""

    theme_id: ThemeId
    clusters: tuple[AuditedCluster, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """The names of a team's day, by theme."""

    team_id: TeamId
    day: Day
    runs: tuple[AuditedTheme, ...]


def audit(
    database: Database,
    team_day: TeamDay,
    *,
    level: str | None = None,
    theme_id: str | None = None,
    lineage_id: str | None = None,
    titles: Mapping[str, str] | None = None,
) -> Audit:
    """What is known of each published name of a team's day.

    Args:
        level: themes of this level only.
        theme_id: this theme only.
        lineage_id: this cluster only.
        titles: of items, as far as the caller has read them.
    """
    runs = [
        AuditedTheme(
            run.theme_id, tuple(sorted(_audited(database, run, lineage_id, titles or {}), key=lambda each: each.doubt))
        )
        for run in runs_of_day(database, team_day)
        if level in (None, run.level) and theme_id in (None, run.theme_id) and run.items
    ]
    return Audit(team_day.team_id, team_day.day, tuple(runs))


def _audited(database: Database, run: Run, lineage_id: str | None, known: Mapping[str, str]) -> list[AuditedCluster]:
    labels, tests = labels_of(database, run), {row["cluster_id"]: row for row in name_tests_of(database, run)}
    groups = {cluster_id: row["title"] for row in group_labels_of(database, run) for cluster_id in row["cluster_ids"]}
    members: dict[int, list[dict[str, Any]]] = {}
    clusters = [row for row in clusters_of(database, run) if lineage_id in (None, row["lineage_id"])]
    asked = None if lineage_id is None else [row["cluster_id"] for row in clusters]
    for member in members_of(database, run, asked):
        members.setdefault(member["cluster_id"], []).append(member)
    shown = {
        cluster_id: [each["item_id"] for each in (*found[:READ_MEMBERS], *found[READ_MEMBERS:][-FAR_MEMBERS:])]
        for cluster_id, found in members.items()
    }
    titles = _titles(database, run, [item_id for item_ids in shown.values() for item_id in item_ids], known)
    audited = []
    for row in clusters:
        cluster_id = row["cluster_id"]
        if cluster_id == NOISE_LABEL or row["disclosure"] != FULL:
            continue
        label, test, own = labels.get(cluster_id), tests.get(cluster_id), members.get(cluster_id, [])
        nearest = labels.get(test["nearest_cluster_id"]) if test else None
        read = [titles.get(item_id, item_id) for item_id in shown.get(cluster_id, [])]
        audited.append(
            AuditedCluster(
                cluster_id=cluster_id,
                lineage_id=row["lineage_id"],
                group=groups.get(cluster_id, ""),
                title=label.title if label else f"Cluster {cluster_id}",
                origin=label.origin if label else "",
                size=row["size"],
                traces=row["traces"],
                borderline_share=sum(each["strength"] < BORDERLINE[run.method] for each in own) / max(1, len(own)),
                held_out=test["held_out"] if test else 0,
                right=test["hits"] if test else None,
                right_by_centroid=test["centroid_hits"] if test else None,
                nearest_title=nearest.title if nearest else "",
                nearest_distance=test["nearest_distance"] if test else None,
                members=tuple(read[:READ_MEMBERS]),
                edge=tuple(read[READ_MEMBERS:]),
            )
        )
    return audited


def _titles(database: Database, run: Run, item_ids: Sequence[str], known: Mapping[str, str]) -> Mapping[str, str]:
    if known.keys() >= set(item_ids):
        return known
    first_day = run.window_start.date() - timedelta(days=1)
    rows = summaries_of_items(database, run.team_id, run.theme_id, item_ids, first_day=first_day, last_day=run.day)
    return {row["item_id"]: row["title"] for row in rows}
