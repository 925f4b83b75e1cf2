"""What may be shown of a cluster: the one place that decides, and the one through which clusters leave the room.

A team may ask that a cluster of few users is shown without examples, or not at all (`min_users` of `teams.toml`). That
is decided when the clusters are made, and stored with them. `clusters_of` and `members_of` here are what other rooms
get: names, events, reports, pages, frames. They never see what is withheld, so that they cannot show it. What people
took out of a cluster counts here as an outlier, so that it does so in all other rooms.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.store import clusters
from llma_assets.clusters.store.cluster_members import MEMBERS_OF_RUN
from llma_assets.clusters.store.clustering_runs import Run, ask_of_runs
from llma_assets.clusters.taken_out import (
    first_members_without,
    members_without,
    taken_out_pairs,
    without_taken_out,
)

Withheld = Literal["without_examples", "held_back"]
Disclosure = Literal["full", "without_examples", "held_back"]
WITHHELD: tuple[Withheld, ...] = get_args(Withheld)
FULL: Disclosure = "full"
FEW_USERS_TITLE = "A topic of few users"


@dataclass(frozen=True, slots=True)
class PrivacyMinimum:
    """How many users a cluster needs to be shown in full.

    Attributes:
        users: fewest different users; 1 shows all clusters. Items whose user is unknown count as one user's.
        below: what is done with a cluster of fewer: `without_examples` shows its size and its figures, but no name made
            from its texts, no member and no centroid; `held_back` shows nothing until it has enough.
    """

    users: int = 1
    below: Withheld = "without_examples"

    @property
    def is_on(self) -> bool:
        """Whether any cluster can be withheld."""
        return self.users > 1

    def of(self, cluster_id: int, users: int) -> Disclosure:
        """What may be shown of a cluster; each outlier is alone, so that none is an example."""
        if not self.is_on:
            return FULL
        if cluster_id == NOISE_LABEL:
            return "without_examples"
        return FULL if users >= self.users else self.below


NO_MINIMUM = PrivacyMinimum()


def ask_clusters_of(database: Database, runs: Sequence[Run]) -> None:
    """Ask for the clusters and the members of several runs at once, where answers are remembered."""
    ask_of_runs(database, runs, clusters.CLUSTERS_OF_RUN)
    ask_of_runs(database, runs, MEMBERS_OF_RUN, all_clusters=True, cluster_ids=[])


def clusters_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """The clusters of a run that may be shown, noise last; those without examples have no centroid and no template."""
    return [_shown(row) for row in _all_clusters(database, run) if row["disclosure"] != "held_back"]


def members_of(database: Database, run: Run, cluster_ids: Collection[int] | None = None) -> list[dict[str, Any]]:
    """The members that may be shown, of all clusters or of these, by cluster and rank, noise last."""
    pairs = taken_out_pairs(database, run)
    return _to_be_shown(database, run, members_without(database, run, cluster_ids, pairs))


def first_members_of(database: Database, run: Run, limit: int) -> list[dict[str, Any]]:
    """Of each cluster the `limit` members nearest to its centroid, if they may be shown.

    Each has `item_id`, `trace_id` and `cluster_id`. For pages, which must not read all members to show three.
    """
    if not limit:
        return []
    return _to_be_shown(database, run, first_members_without(database, run, limit, taken_out_pairs(database, run)))


def _to_be_shown(database: Database, run: Run, members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = _all_clusters(database, run)
    full = {row["cluster_id"] for row in rows if row["disclosure"] == FULL}
    # Members of a cluster that is not stored are a fault that readers have to see.
    stored = {row["cluster_id"] for row in rows}
    return [each for each in members if each["cluster_id"] in full or each["cluster_id"] not in stored]


def held_back(database: Database, run: Run) -> tuple[int, int]:
    """How many clusters of a run are held back, and how many items these have."""
    sizes = [row["size"] for row in _all_clusters(database, run) if row["disclosure"] == "held_back"]
    return len(sizes), sum(sizes)


def _all_clusters(database: Database, run: Run) -> list[dict[str, Any]]:
    return without_taken_out(database, run, clusters.clusters_of(database, run))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["disclosure"] == FULL:
        return dict(row)
    return {**row, "centroid": [], "centroid_x": 0.0, "centroid_y": 0.0, "radius": 0.0, "template": "", "users": 0}
