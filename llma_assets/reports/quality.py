"""How far the clusters of a theme's day can be trusted: coverage, outliers, stability, names, and gates.

Measuring belongs in `clusters` and `labels`, the checks in their rooms; here they stand together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import PlainSerializer

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, clusters_of, committed_run
from llma_assets.events import published_at
from llma_assets.labels import accuracy_of, name_tests_of
from llma_assets.ledger import list_skips
from llma_assets.reports.checks import CheckResult, check_report
from llma_assets.reports.progress import ThemeProgress
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.stats import Share
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, themes_of

ASSETS = (
    "trace_texts",
    "trace_summaries",
    "summary_embeddings",
    "cluster_assignments",
    "cluster_labels",
    "cluster_events",
)
"""Whose checks are about the clusters of a theme."""
PublishedAt = Annotated[datetime | None, PlainSerializer(lambda at: at and at.isoformat(), return_type=str | None)]


@dataclass(frozen=True, slots=True)
class RunQuality:
    """What is known of the quality of a theme's run without asking the checks.

    Attributes:
        coverage: of the items that the theme asks about in its window, those with an answer; None where that is not
            known.
        outliers: of the run's items, those in no cluster.
        stability: how much the clusters agree with those of a resample, 1 is the same; None where it was not measured.
        names: of the members that were held out to test names, those nearest to the name of their own cluster; None
            where no name was tested.
        names_by_chance, names_by_centroids: the shares that chance and the clusters themselves would reach.
        published_at: when the clusters were published, None where they are not.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    coverage: Share | None
    outliers: Share
    stability: float | None
    names: Share | None
    names_by_chance: float | None
    names_by_centroids: float | None
    published_at: PublishedAt


@dataclass(frozen=True, slots=True)
class Gates:
    """What the checks say of a theme's day.

    Attributes:
        checked, failed, warned: counts of results.
        findings: those that did not pass, the worst first.
        published_at: when the clusters were published, None where they are not.
        not_published_because: why they are not, "" where they are.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    checked: int
    failed: int
    warned: int
    findings: tuple[CheckResult, ...]
    published_at: PublishedAt
    not_published_because: str


def run_quality(
    database: Database, team_day: TeamDay, theme_id: str, themes: Sequence[ThemeProgress]
) -> RunQuality | None:
    """The quality of a theme's run; None without a run.

    Args:
        themes: how far each theme of the day is, of `progress_report`.
    """
    run = committed_run(database, team_day, theme_id)
    if run is None or not run.items:
        return None
    fit = accuracy_of(name_tests_of(database, run))
    outliers = sum(row["size"] for row in clusters_of(database, run) if row["cluster_id"] == NOISE_LABEL)
    asked = next((each for each in themes if each.theme_id == theme_id and each.asked), None)
    stability = orjson.loads(run.quality).get("stability")
    return RunQuality(
        team_day.team_id,
        team_day.day,
        theme_id,
        Share.of(min(asked.answered, asked.asked), asked.asked) if asked else None,
        Share.of(outliers, run.items),
        None if stability is None else float(stability),
        Share.of(round(fit.accuracy * fit.held_out), fit.held_out) if fit and fit.held_out else None,
        fit.chance if fit else None,
        fit.by_centroids if fit else None,
        _published_at(database, team_day, theme_id),
    )


def gates_of(database: Database, team_day: TeamDay, theme_id: str) -> Gates:
    """What all checks say of a theme's day now, and why its clusters are not published; it reads much."""
    report = check_report(database, team_day.day, [team_day.team_id])
    own = [each for each in report.findings if each.asset in ASSETS and each.theme_id in ("", theme_id)]
    wrong = tuple(each for each in own if not each.passed)
    at = _published_at(database, team_day, theme_id)
    return Gates(
        team_day.team_id,
        team_day.day,
        theme_id,
        len(own),
        sum(each.rank == 0 for each in wrong),
        sum(each.rank == 1 for each in wrong),
        wrong,
        at,
        "" if at else _reason(database, team_day, theme_id, wrong),
    )


def _reason(database: Database, team_day: TeamDay, theme_id: str, wrong: Sequence[CheckResult]) -> str:
    """A gate that blocks, else what a stage recorded, else that the stage has not run."""
    blocking = next((each for each in wrong if each.blocking and each.asset != "cluster_events"), None)
    if blocking is not None:
        return f"{blocking.description} Expected: {blocking.expected}. Found: {blocking.found}."
    skips = [
        each
        for each in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if each.stage in ASSETS and each.theme_id in ("", theme_id)
    ]
    if skips:
        last = max(skips, key=lambda each: ASSETS.index(each.stage))
        return f"{last.stage}: {last.reason.replace('_', ' ')}{f' ({last.detail})' if last.detail else ''}"
    if committed_run(database, team_day, theme_id) is None:
        return "the theme has no run on this day"
    return "no gate blocks them: the run that made them has not come to publishing them, or was stopped before"


def _published_at(database: Database, team_day: TeamDay, theme_id: str) -> datetime | None:
    theme = _theme(database, team_day.team_id, theme_id)
    return None if theme is None else published_at(database, team_day, theme)


def _theme(database: Database, team_id: int, theme_id: str) -> Theme | None:
    return next((each for each in themes_of(database, team_id).themes if each.theme_id == theme_id), None)
