"""An attempt at a clustering: how it is published, whether it is whole, and how it is forgotten.

What is published is what the commit row in `clustering_runs` names: members and clusters of an attempt without one
are invisible. An attempt's id is its own, so that no other attempt replaces its rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.team_day import TeamDay

# What an attempt's members and clusters are, to be held against the commit
# row. Key of both: …, attempt_id, ….
RUN_INVARIANTS = """
WITH
    sizes AS
    (
        SELECT cluster_id, size
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ),
    homes AS
    (
        SELECT cluster_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    )
SELECT
    (SELECT count() FROM homes) AS members,
    (SELECT count() FROM homes WHERE cluster_id NOT IN (SELECT cluster_id FROM sizes)) AS homeless_members,
    (SELECT sum(size) FROM sizes) AS total_size,
    (SELECT countIf(size = 0) FROM sizes) AS empty_clusters
"""

# By hand: checks show it. Keys as above.
INFINITE_VALUES = """
SELECT
    (
        SELECT countIf(NOT (isFinite(distance) AND isFinite(strength) AND isFinite(x) AND isFinite(y)))
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ) AS members,
    (
        SELECT countIf(NOT (
            isFinite(radius)
            AND isFinite(centroid_x)
            AND isFinite(centroid_y)
            AND arrayAll(value -> isFinite(value), centroid)
        ))
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ) AS clusters
"""

# Attempts that nobody sees, and that nobody can still be writing: killed before their commit row, or of two at once the
# one that the other replaced. Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
DEAD_ATTEMPTS = """
SELECT theme_id, attempt_id
FROM cluster_members
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id NOT IN
    (
        SELECT attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)}
    )
GROUP BY theme_id, attempt_id
HAVING max(inserted_at) < now64(6) - INTERVAL 1 DAY
"""

# Key of each of these tables: (team_id, day, theme_id, attempt_id, …).
FORGET_ATTEMPT = """
DELETE FROM {table:Identifier}
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""
ATTEMPT_TABLES = (
    "run_attributes",
    "cluster_name_tests",
    "cluster_group_labels",
    "cluster_labels",
    "clusters",
    "cluster_members",
)
"""What an attempt writes, in the order in which it is forgotten."""


def invariants_of(database: Database, run: Run) -> dict[str, int]:
    """Counts that must agree with the run's commit row."""
    (row,) = database.rows(RUN_INVARIANTS, **run.attempt)
    return row


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A clustering that is not published yet: its commit row, and what that makes visible."""

    run: Mapping[str, Any]
    clusters: Sequence[Mapping[str, Any]]
    members: Sequence[Mapping[str, Any]]


def publish_runs(database: Database, attempts: Sequence[Attempt]) -> None:
    """Write members, then clusters, then the rows that make both visible. Killed before that, nothing shows."""
    database.insert_rows("cluster_members", [row for each in attempts for row in each.members])
    database.insert_rows("clusters", [row for each in attempts for row in each.clusters])
    database.insert_rows("clustering_runs", [each.run for each in attempts])


def forget_attempts(database: Database, team_day: TeamDay, theme_ids: Sequence[str], previous: Sequence[Run]) -> None:
    """Remove what the previous attempts and those that never counted wrote; nobody can see it any more."""
    key = {"team_id": team_day.team_id, "day": team_day.day}
    dead = database.rows(DEAD_ATTEMPTS, **key, theme_ids=list(theme_ids))
    superseded = {(row["theme_id"], row["attempt_id"]) for row in dead}
    for theme_id, attempt_id in superseded | {(run.theme_id, run.attempt_id) for run in previous}:
        for table in ATTEMPT_TABLES:
            database.execute(FORGET_ATTEMPT, table=table, **key, theme_id=theme_id, attempt_id=attempt_id)
