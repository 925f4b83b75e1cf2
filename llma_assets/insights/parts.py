"""Which models, releases and users the traces of a cluster come from, beside all other traces of its run.

Models and releases are counted once, by the stage `cluster_attributes`; users are counted here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, taken_out_pairs
from llma_assets.insights.attributes import MODEL, ValueCounts, stored_attributes
from llma_assets.insights.queries import USERS_OF_CLUSTER
from llma_assets.stats import Share

SHOWN_VALUES = 8
SHOWN_USERS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Traces with one value.

    Attributes:
        value: of the property; of users the first characters of a one-way hash of the id, never the id.
        traces: of the cluster.
        share: of the cluster's traces, with its interval.
        other_traces, other_share: of all other traces of the run.
    """

    value: str
    traces: int
    share: Share
    other_traces: int
    other_share: Share


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the traces of a cluster come from.

    Attributes:
        models: by model, the most traces first; None where they were not counted. A trace with two counts in both.
        releases: by release of the application; None where they were not counted, or the team names no property.
        users: the users with most traces.
        user_count, other_user_count: different known users of the cluster, and of the other traces.
    """

    models: tuple[Part, ...] | None
    releases: tuple[Part, ...] | None
    users: tuple[Part, ...]
    user_count: int
    other_user_count: int


def parts_of_cluster(
    database: Database, run: Run, cluster_ids: Collection[int], *, release_property: str = ""
) -> Parts:
    """Where the traces of a cluster come from, or of several that people count as one.

    Args:
        release_property: of events, names the release of the application; "" for none.
    """
    stored = stored_attributes(database, run)
    counts = stored.counts if stored is not None else None
    rows = database.rows_of_runs(
        USERS_OF_CLUSTER,
        **run.attempt,
        level=run.level,
        cluster_ids=sorted(cluster_ids),
        taken_out=sorted(taken_out_pairs(database, run)),
        most=SHOWN_USERS + 1,
        **{"from": run.window_start.date()},
    )
    whole = next((row for row in rows if not row["is_user"]), None)
    users = tuple(
        _part(f"{row['user_hash']:016x}"[:8], row, whole["traces"], whole["other_traces"])
        for row in rows
        if whole is not None and row["is_user"] and row["traces"]
    )
    return Parts(
        models=_values(counts, MODEL, cluster_ids),
        releases=_values(counts, release_property, cluster_ids) if release_property else None,
        users=users,
        user_count=whole["users"] if whole else 0,
        other_user_count=whole["other_users"] if whole else 0,
    )


def _values(counts: ValueCounts | None, name: str, cluster_ids: Collection[int]) -> tuple[Part, ...] | None:
    """The values of a property that most of the cluster's traces have."""
    if counts is None:
        return None
    own, whole = set(cluster_ids), sum(counts.sizes.values())
    size = sum(count for cluster_id, count in counts.sizes.items() if cluster_id in own)
    found = []
    for each in counts.values:
        inside = sum(count for cluster_id, count in each.traces.items() if cluster_id in own)
        if each.name == name and inside:
            row = {"traces": inside, "other_traces": sum(each.traces.values()) - inside}
            found.append(_part(each.value, row, size, whole - size))
    return tuple(sorted(found, key=lambda part: (-part.traces, part.value))[:SHOWN_VALUES])


def _part(value: str, row: Mapping[str, int], size: int, other_size: int) -> Part:
    inside, outside = row["traces"], row["other_traces"]
    return Part(value, inside, Share.of(inside, size), outside, Share.of(outside, other_size))
