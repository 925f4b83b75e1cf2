"""Checks of `cluster_assignments`: what is committed is not empty, and its parts agree with each other."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.clusters.queries import COMMITTED_RUN, RUN_INVARIANTS, invariants_of, runs_of_day
from llma_assets.findings import Check, Outcome
from llma_assets.stage import asset_check
from llma_assets.team_day import TeamDay


def no_empty_runs(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """A committed run has items and clusters: an empty one must never reach labels and events."""
    for run in runs_of_day(database, team_day):
        members = invariants_of(database, run)["members"]
        yield Outcome(
            passed=run.items > 0 and run.clusters > 0 and members > 0,
            expected="at least 1 item and 1 cluster",
            found=f"{run.items} items, {run.clusters} clusters, {members} stored members",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def members_in_one_cluster(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every item of a run belongs to exactly one cluster, and that cluster exists."""
    for run in runs_of_day(database, team_day):
        counts = invariants_of(database, run)
        found = {name: counts[name] for name in ("members", "homeless_members")}
        expected = {"members": run.items, "homeless_members": 0}
        yield Outcome(found == expected, expected, found, RUN_INVARIANTS, run.theme_id)


def sizes_add_up(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The sizes of a run's clusters, noise included, add up to its items, and none is 0."""
    for run in runs_of_day(database, team_day):
        counts = invariants_of(database, run)
        found = {name: counts[name] for name in ("total_size", "empty_clusters")}
        expected = {"total_size": run.items, "empty_clusters": 0}
        yield Outcome(found == expected, expected, found, RUN_INVARIANTS, run.theme_id)


CHECKS = (
    Check("cluster_assignments", no_empty_runs, blocking=True),
    Check("cluster_assignments", members_in_one_cluster, blocking=True),
    Check("cluster_assignments", sizes_add_up, blocking=True),
)

asset_checks = [asset_check(check) for check in CHECKS]
