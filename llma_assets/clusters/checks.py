"""Checks of `cluster_assignments`: what is committed is not empty, and its parts agree with each other, and it is
fit to be published."""

from collections.abc import Iterator
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.queries import (
    COMMITTED_RUN,
    INFINITE_VALUES,
    RUN_INVARIANTS,
    infinite_values_of,
    invariants_of,
    runs_of_day,
)
from llma_assets.clusters.theme_queries import MEMBERS_OUTSIDE_THE_THEME, members_outside_the_theme
from llma_assets.findings import Check, Outcome
from llma_assets.stage import asset_check
from llma_assets.team_day import TeamDay

LARGEST_SHARE = 0.9
DIFFERENT_ITEMS = 20
NOISE_SHARE = 0.3
STABILITY = 0.5


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


def no_giant_cluster(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """A run over different items never puts nearly all of them into one cluster: that is no answer to publish."""
    for run in runs_of_day(database, team_day):
        quality = orjson.loads(run.quality)
        if quality.get("distinct_items", 0) < DIFFERENT_ITEMS:
            continue
        share = quality["largest_share"]
        yield Outcome(
            passed=share <= LARGEST_SHARE,
            expected=f"at most {LARGEST_SHARE:.0%} of the items in one cluster",
            found=f"{share:.0%} in the largest of {run.clusters}{_told(quality)}",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def finite_values(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No distance, strength, position, centroid or radius of a run is NaN or infinite."""
    for run in runs_of_day(database, team_day):
        found = infinite_values_of(database, run)
        expected = {"members": 0, "clusters": 0}
        yield Outcome(found == expected, expected, found, INFINITE_VALUES, run.theme_id)


def only_what_the_theme_takes(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No run holds an item that its theme's filters, sample or rule left out, or that was judged not to be relevant."""
    for run in runs_of_day(database, team_day):
        found = members_outside_the_theme(database, run)
        expected = {"not_taken": 0, "irrelevant": 0}
        yield Outcome(found == expected, expected, found, MEMBERS_OUTSIDE_THE_THEME, run.theme_id)


def little_noise(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At most three of ten items belong nowhere; more says that a run's clusters describe little of its traffic."""
    for run in runs_of_day(database, team_day):
        share = run.noise_items / max(run.items, 1)
        yield Outcome(
            passed=share <= NOISE_SHARE,
            expected=f"at most {NOISE_SHARE:.0%} noise",
            found=f"{share:.0%}{_told(orjson.loads(run.quality))}",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def confirmed_by_resamples(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The clusters are found again on parts of the items: adjusted Rand index of at least one half."""
    for run in runs_of_day(database, team_day):
        quality = orjson.loads(run.quality)
        stability = quality.get("stability")
        if stability is not None:
            yield Outcome(
                passed=stability >= STABILITY,
                expected=f"stability of at least {STABILITY}",
                found=f"{stability:.2f}{_told(quality)}",
                query=COMMITTED_RUN,
                theme_id=run.theme_id,
            )


def _told(quality: dict[str, Any]) -> str:
    """What the method itself found wrong, for the end of a sentence."""
    return f"; {quality['collapse']}, so: {quality['mended_by']}" if quality.get("collapse") else ""


CHECKS = (
    Check("cluster_assignments", no_empty_runs, blocking=True),
    Check("cluster_assignments", members_in_one_cluster, blocking=True),
    Check("cluster_assignments", sizes_add_up, blocking=True),
    Check("cluster_assignments", no_giant_cluster, blocking=True),
    Check("cluster_assignments", finite_values, blocking=True),
    Check("cluster_assignments", only_what_the_theme_takes, blocking=True),
    Check("cluster_assignments", little_noise),
    Check("cluster_assignments", confirmed_by_resamples),
)

asset_checks = [asset_check(check) for check in CHECKS]
