"""The published clustering runs of a team, and its lineages over all days."""

from dataclasses import dataclass
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, committed_runs, lineages_of, standings_of
from llma_assets.serialization import Day, Moment, TeamId, ThemeId

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""The days that ClickHouse's type Date can hold."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A published clustering run of a theme.

    Attributes:
        run_id: its id.
        theme_version: under which its items were summarised, "" where that is not known.
        items, clusters, outliers: of them.
        window_start, window_end: the items began in between.
        committed_at: when it was published.
    """

    run_id: str
    day: Day
    theme_id: ThemeId
    theme_version: str
    level: str
    method: str
    embedding_model: str
    items: int
    clusters: int
    outliers: int
    window_start: Moment
    window_end: Moment
    committed_at: Moment


@dataclass(frozen=True, slots=True)
class RunsReport:
    """The published runs of a team, newest first."""

    team_id: TeamId
    runs: tuple[StoredRun, ...]


@dataclass(frozen=True, slots=True)
class LineageSummary:
    """A cluster over all its days.

    Attributes:
        lineage_id: its lasting id.
        first_day, last_day: of the runs that have it.
        size: its items in the latest of them.
        title: as people know it.
        renamed, locked, hidden: what people decided.
        merged_into: the lineage that it is counted with, "" for none.
    """

    lineage_id: str
    theme_id: ThemeId
    first_day: date
    last_day: date
    size: int
    title: str
    renamed: bool
    locked: bool
    hidden: bool
    merged_into: str


@dataclass(frozen=True, slots=True)
class LineagesReport:
    """The lineages of a team, the latest and largest first."""

    team_id: TeamId
    lineages: tuple[LineageSummary, ...]


def runs_report(
    database: Database,
    team_id: int,
    *,
    first_day: date | None = None,
    until: date | None = None,
    theme_id: str | None = None,
) -> RunsReport:
    """The published runs of some days, of all themes or of one."""
    found = committed_runs(database, team_id, first_day or FIRST_DAY, until or LAST_DAY, theme_id or "")
    return RunsReport(
        team_id,
        tuple(
            StoredRun(
                run_id=run.run_id,
                day=run.day,
                theme_id=run.theme_id,
                theme_version=run.theme_version,
                level=run.level,
                method=run.method,
                embedding_model=run.embedding_model,
                items=run.items,
                clusters=run.clusters,
                outliers=run.noise_items,
                window_start=run.window_start,
                window_end=run.window_end,
                committed_at=run.committed_at,
            )
            for run in found
        ),
    )


def lineages_report(database: Database, team_id: int, *, theme_id: str | None = None) -> LineagesReport:
    """The lineages of a team, of all themes or of one."""
    decided = standings_of(database, team_id)
    found = []
    for each in lineages_of(database, team_id):
        if theme_id not in (None, each.theme_id):
            continue
        standing = decided.get(each.lineage_id, NOTHING)
        found.append(
            LineageSummary(
                lineage_id=each.lineage_id,
                theme_id=each.theme_id,
                first_day=each.first_day,
                last_day=each.last_day,
                size=each.size,
                title=standing.title or each.title,
                renamed=standing.renamed,
                locked=standing.locked,
                hidden=standing.hidden,
                merged_into=standing.into,
            )
        )
    found.sort(key=lambda each: (-each.last_day.toordinal(), -each.size, each.lineage_id))
    return LineagesReport(team_id, tuple(found))
