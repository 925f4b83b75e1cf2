"""Rules of the asset checks of `cluster_labels`. Their Dagster side belongs in `defs.checks`."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, Run, clusters_of, runs_of_day
from llma_assets.findings import Check, Outcome, in_words
from llma_assets.labels.held_out import accuracy_of
from llma_assets.labels.name_distances import TOO_CLOSE
from llma_assets.labels.queries import (
    LABELS_OF_RUN,
    NAME_TESTS_OF_RUN,
    ask_labels_of,
    labels_of,
    name_tests_of,
    too_close_of,
)
from llma_assets.ledger import spending_within_budget, theme_spending_within_budget
from llma_assets.team_day import TeamDay

MIN_SKILL = 0.6
"""Least skill of names: (accuracy - chance) / (accuracy of centroids - chance). Offline names reach 0.8 and more; with
every second name exchanged, 0.4 to 0.5 are left (benchmarks/results/labels.md)."""

MIN_HELD_OUT = 20
"""With fewer held-out members the accuracy is not checked."""


def clusters_have_names(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every cluster of a labelled run has a name; none is called by its number."""
    for run in _runs(database, team_day):
        labels = labels_of(database, run)
        if not labels:
            continue
        # What outliers are called is fixed, also where people took out the first of them since.
        wanted = {row["cluster_id"] for row in clusters_of(database, run)} - {NOISE_LABEL}
        named = {key for key, label in labels.items() if label.status == "generated"}
        found = sorted(wanted - named)
        yield Outcome(not found, "no cluster without a name", f"without: {found}", LABELS_OF_RUN, run.theme_id)


def names_fit(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Held-out label accuracy: most held-out members are nearest to the name of their own cluster."""
    for run in _runs(database, team_day):
        fit = accuracy_of(name_tests_of(database, run))
        if fit is None or fit.held_out < MIN_HELD_OUT:
            continue
        limit = fit.chance + MIN_SKILL * max(0.0, fit.by_centroids - fit.chance)
        yield Outcome(
            passed=fit.accuracy >= limit,
            expected=f"held-out label accuracy of at least {limit:.0%} on {fit.held_out} members",
            found=f"{fit.accuracy:.0%} (by centroids {fit.by_centroids:.0%}, by chance {fit.chance:.0%})",
            query=NAME_TESTS_OF_RUN,
            theme_id=run.theme_id,
        )


def labels_distinct(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Labels are distinct: no two names of a run are so similar that readers confuse them.

    It warns: two similar clusters may need a `llma clusters merge` or `rename`.
    """
    for run in _runs(database, team_day):
        tests = name_tests_of(database, run)
        if not tests:
            continue
        titles = {row["cluster_id"]: row["title"] for row in tests}
        pairs = {(min(pair), max(pair)) for pair in too_close_of(tests).items()}
        alike = [f"'{titles.get(one, one)}' and '{titles.get(other, other)}'" for one, other in sorted(pairs)]
        yield Outcome(
            passed=not alike,
            expected=f"no two names nearer than {TOO_CLOSE}",
            found=f"similar: {in_words(alike)}" if alike else "none",
            query=NAME_TESTS_OF_RUN,
            theme_id=run.theme_id,
        )


def names_say_what_is_there(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No title has a word that is foreign to its cluster: "Java in MATLAB" where all ask about MATLAB.

    It warns: read the cluster, and `llma clusters rename` it. Names that people gave are theirs, and are not judged.
    """
    for run in _runs(database, team_day):
        tests = name_tests_of(database, run)
        if not tests:
            continue
        own = {key for key, label in labels_of(database, run).items() if label.origin == "locked"}
        wrong = [
            f"'{row['title']}': {in_words(row['foreign_words'])}"
            for row in tests
            if row["foreign_words"] and row["cluster_id"] not in own
        ]
        yield Outcome(
            passed=not wrong,
            expected="titles without words that their own cluster does not use",
            found=f"foreign: {in_words(wrong)}" if wrong else "none",
            query=NAME_TESTS_OF_RUN,
            theme_id=run.theme_id,
        )


def _runs(database: Database, team_day: TeamDay) -> list[Run]:
    """The runs of a day, whose names and tests are asked for together."""
    runs = runs_of_day(database, team_day)
    ask_labels_of(database, runs)
    return runs


CHECKS = (
    Check("cluster_labels", clusters_have_names),
    Check("cluster_labels", names_fit),
    Check("cluster_labels", labels_distinct, warns=True),
    Check("cluster_labels", names_say_what_is_there, warns=True),
    Check("cluster_labels", spending_within_budget),
    Check("cluster_labels", theme_spending_within_budget),
)
