"""Rules of the asset checks of `cluster_assignments`. Their Dagster side belongs in `defs.checks`."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.dominant import LEAST_EVENNESS
from llma_assets.clusters.engine.resolution import evenness_of
from llma_assets.clusters.store.attempts import INFINITE_VALUES, RUN_INVARIANTS
from llma_assets.clusters.store.cluster_members import MEMBERS_OUTSIDE_THE_THEME, members_outside_the_theme
from llma_assets.clusters.store.clustering_runs import COMMITTED_RUN, runs_of_day
from llma_assets.clusters.store.invariants import (
    COUNTED_TWICE,
    MEMBERS_AND_VECTORS,
    RANKS_AND_DISTANCES,
    SIZES_AND_MEMBERS,
    counted_twice,
    members_and_vectors,
    names_of,
)
from llma_assets.clusters.store.parts import parts_of_day
from llma_assets.clusters.store.screening import runs_to_check
from llma_assets.findings import Check, Outcome, in_words
from llma_assets.team_day import TeamDay

LARGEST_SHARE = 0.9
DIFFERENT_ITEMS = 20
NOISE_SHARE = 0.3
STABILITY = 0.5


def no_empty_runs(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """A committed run has items and clusters: an empty one must never reach labels and events."""
    for run, parts in parts_of_day(database, team_day):
        members = sum(part.members for part in parts)
        yield Outcome(
            passed=run.items > 0 and run.clusters > 0 and members > 0,
            expected="at least 1 item and 1 cluster",
            found=f"{run.items} items, {run.clusters} clusters, {members} stored members",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def members_in_one_cluster(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every item of a run belongs to exactly one cluster, and that cluster exists."""
    for run, parts in parts_of_day(database, team_day):
        found = {
            "members": sum(part.members for part in parts),
            "homeless_members": sum(part.members for part in parts if not part.stored),
        }
        expected = {"members": run.items, "homeless_members": 0}
        yield Outcome(found == expected, expected, found, RUN_INVARIANTS, run.theme_id)


def sizes_add_up(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The sizes of a run's clusters, noise included, add up to its items, and none is 0."""
    for run, parts in parts_of_day(database, team_day):
        found = {
            "total_size": sum(part.size for part in parts),
            "empty_clusters": sum(part.stored > 0 and part.size == 0 for part in parts),
        }
        expected = {"total_size": run.items, "empty_clusters": 0}
        yield Outcome(found == expected, expected, found, RUN_INVARIANTS, run.theme_id)


def sizes_match_members(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Each cluster's size is the number of its members, and the run has as many clusters and outliers as it says."""
    for run, parts in parts_of_day(database, team_day):
        name = names_of(database, run)
        wrong = [
            f"{name(part.cluster_id)}: size {part.size}, {part.members} members"
            for part in parts
            if part.size != part.members
        ]
        outliers = [part for part in parts if part.is_noise]
        counts = (
            ("clusters", run.clusters, len(parts) - len(outliers)),
            ("outliers", run.noise_items, sum(part.size for part in outliers)),
        )
        wrong += [f"{what}: {said} of the run, {stored} stored" for what, said, stored in counts if said != stored]
        yield Outcome(
            passed=not wrong,
            expected="sizes that are the numbers of members",
            found=in_words(wrong) or f"{len(parts)} sizes that are",
            query=SIZES_AND_MEMBERS,
            theme_id=run.theme_id,
        )


def items_counted_once(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No trace or generation is two members of a run."""
    for run, parts in parts_of_day(database, team_day):
        rows = counted_twice(database, run) if any(part.counted_twice for part in parts) else []
        wrong = [f"{row['generation_id'] or row['trace_id']}: {row['members']} members" for row in rows]
        yield Outcome(not wrong, "each item once", in_words(wrong) or "each once", COUNTED_TWICE, run.theme_id)


def ranks_follow_distances(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The members of a cluster are ranked from 0 without a gap, the closest to the centroid first."""
    for run, parts in parts_of_day(database, team_day):
        name = names_of(database, run)
        wrong = [
            f"{name(part.cluster_id)}: {part.misplaced} ranks twice or missing, {part.out_of_order} out of order"
            for part in parts
            if part.misplaced or part.out_of_order
        ]
        yield Outcome(
            passed=not wrong,
            expected="ranks in the order of the distances",
            found=in_words(wrong) or "in order",
            query=RANKS_AND_DISTANCES,
            theme_id=run.theme_id,
        )


def members_match_vectors(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Members lie as far from their cluster's centroid as is stored, and the centroid is the mean of their vectors.

    Vectors that were made anew since the run was committed are not compared.
    """
    for run in runs_of_day(database, team_day):
        rows, tolerance = members_and_vectors(database, run)
        name, wrong = names_of(database, run), []
        for row in rows:
            faults = [
                f"{row[count]} of {row['compared']} members {what}"
                for count, what in (
                    ("elsewhere", "lie elsewhere than their distance says"),
                    ("unusable", "have a vector that is zero, not finite or of another length"),
                )
                if row[count]
            ]
            if row["off"] > tolerance:
                faults.append(f"the centroid is {row['off']:.2f} away from the mean of the members")
            wrong += [f"{name(row['cluster_id'])}: {' and '.join(faults)}"] if faults else []
        compared = sum(row["compared"] for row in rows)
        yield Outcome(
            passed=not wrong,
            expected="members where their distances say, around the centroids",
            found=in_words(wrong) or f"{compared} of {run.items - run.noise_items} members compared",
            query=MEMBERS_AND_VECTORS,
            theme_id=run.theme_id,
        )


def no_giant_cluster(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No run over different items puts nearly all of them into one cluster."""
    for run, parts in parts_of_day(database, team_day):
        quality = orjson.loads(run.quality)
        if quality.get("distinct_items", 0) < DIFFERENT_ITEMS:
            continue
        share, which = quality["largest_share"], f"the largest of {run.clusters}"
        if share > LARGEST_SHARE:
            clusters = {part.cluster_id: part.size for part in parts if not part.is_noise}
            largest = max(clusters, key=clusters.__getitem__, default=NOISE_LABEL)
            which = f"{names_of(database, run)(largest)}, {which}"
        yield Outcome(
            passed=share <= LARGEST_SHARE,
            expected=f"at most {LARGEST_SHARE:.0%} of the items in one cluster",
            found=f"{share:.0%} in {which}{_collapse_note(quality)}",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def no_dominant_cluster(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No cluster of a run over different items holds far more than its share: most likely it is several topics."""
    for run in runs_of_day(database, team_day):
        quality = orjson.loads(run.quality)
        if quality.get("distinct_items", 0) < DIFFERENT_ITEMS or run.clusters < 2:
            continue
        limit = 1 - LEAST_EVENNESS * (1 - 1 / run.clusters)
        share = quality["largest_share"]
        yield Outcome(
            passed=evenness_of(run.clusters, share) >= LEAST_EVENNESS,
            expected=f"at most {limit:.0%} of the items in one of {run.clusters} clusters",
            found=f"{share:.0%} in the largest{_collapse_note(quality)}",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def finite_values(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No distance, strength, position, centroid or radius of a run is NaN or infinite."""
    for run, parts in parts_of_day(database, team_day):
        found = {
            "members": sum(part.infinite_members for part in parts),
            "clusters": sum(part.infinite_clusters for part in parts),
        }
        expected = {"members": 0, "clusters": 0}
        yield Outcome(found == expected, expected, found, INFINITE_VALUES, run.theme_id)


def only_what_the_theme_takes(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No run holds an item that its theme did not select, or that is not relevant."""
    for run in runs_of_day(database, team_day):
        found = members_outside_the_theme(database, run)
        expected = {"not_taken": 0, "irrelevant": 0}
        yield Outcome(found == expected, expected, found, MEMBERS_OUTSIDE_THE_THEME, run.theme_id)


def little_noise(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At most 30 % of the items are noise; with more, the clusters describe little of the traffic."""
    for run in runs_of_day(database, team_day):
        share = run.noise_items / max(run.items, 1)
        yield Outcome(
            passed=share <= NOISE_SHARE,
            expected=f"at most {NOISE_SHARE:.0%} noise",
            found=f"{share:.0%}{_collapse_note(orjson.loads(run.quality))}",
            query=COMMITTED_RUN,
            theme_id=run.theme_id,
        )


def confirmed_by_resamples(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Clusterings of resampled items agree with the run: adjusted Rand index of at least one half."""
    for run in runs_of_day(database, team_day):
        quality = orjson.loads(run.quality)
        stability = quality.get("stability")
        if stability is not None:
            yield Outcome(
                passed=stability >= STABILITY,
                expected=f"stability of at least {STABILITY}",
                found=f"{stability:.2f}{_collapse_note(quality)}",
                query=COMMITTED_RUN,
                theme_id=run.theme_id,
            )


def _collapse_note(quality: dict[str, Any]) -> str:
    """The collapse that the method found, and its fallback, as the end of a sentence."""
    return f"; {quality['collapse']}, so: {quality['mended_by']}" if quality.get("collapse") else ""


CHECKS = (
    Check("cluster_assignments", no_empty_runs, blocking=True),
    Check("cluster_assignments", members_in_one_cluster, blocking=True),
    Check("cluster_assignments", sizes_add_up, blocking=True),
    Check("cluster_assignments", sizes_match_members, blocking=True),
    Check("cluster_assignments", items_counted_once, blocking=True),
    Check("cluster_assignments", ranks_follow_distances, blocking=True),
    Check("cluster_assignments", members_match_vectors, blocking=True),
    Check("cluster_assignments", no_giant_cluster, blocking=True),
    Check("cluster_assignments", finite_values, blocking=True),
    Check("cluster_assignments", only_what_the_theme_takes, blocking=True),
    Check("cluster_assignments", no_dominant_cluster),
    Check("cluster_assignments", little_noise),
    Check("cluster_assignments", confirmed_by_resamples),
)


def days_to_check(database: Database, day: date, team_ids: Collection[int]) -> set[tuple[int, str]]:
    """Team and theme of the runs of a day that blocking checks must be evaluated for: all others pass them."""
    return runs_to_check(database, day, team_ids, largest_share=LARGEST_SHARE)
