"""Every statement about trends: items by day and lineage, with what they cost and broke."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import ITEMS_OF_FIRST_RUNS, lineages_of, standings_of, taken_out_by_lineage
from llma_assets.reports.trends import DayCount, Trend, trends
from llma_assets.serialization import OptionalFirstDay, TeamId, ThemeId

# Key of clustering_runs: (team_id, day, theme_id). Runs from before lineages have none to count.
LINKED_RUNS = """
SELECT theme_id, level, day, attempt_id
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND lineage != '{}'
ORDER BY theme_id, day
"""

# Key of trace_texts: (team_id, day, level, item_id).
COUNTS_BY_DAY = (
    "WITH"
    + ITEMS_OF_FIRST_RUNS
    + """,
    numbers AS
    (
        SELECT day AS item_day, item_id, cost_usd, error_count, true AS is_known
        FROM trace_texts FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND level = {level:String}
    )
SELECT
    item_day,
    -- What people took out of a cluster counts among the outliers.
    if(
        has({taken_out:Array(Tuple(String, String))}, (homes.lineage_id, members.item_id)), '', homes.lineage_id
    ) AS home,
    count() AS items,
    uniqExact(trace_id) AS traces,
    countIf(numbers.is_known) AS known,
    countIf(numbers.error_count > 0) AS errors,
    sum(numbers.cost_usd) AS cost_usd
FROM members
INNER JOIN homes USING (day, attempt_id, cluster_id)
LEFT JOIN numbers USING (item_day, item_id)
GROUP BY item_day, home
ORDER BY item_day, home
"""
)

LATEST_RUN = """
SELECT max(day) AS day, count() AS runs
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND lineage != '{}'
"""


@dataclass(frozen=True, slots=True)
class ThemeTrends:
    """The trends of a theme: new lineages first, then those that ended, then the others by size; noise last."""

    theme_id: ThemeId
    trends: tuple[Trend, ...]


@dataclass(frozen=True, slots=True)
class TrendsReport:
    """How each lineage of a team went over some weeks.

    Attributes:
        first_day, until: the weeks; None for a team that has no run.
        themes: those that have runs in them.
    """

    team_id: TeamId
    first_day: OptionalFirstDay
    until: date | None
    themes: tuple[ThemeTrends, ...]


def trends_report(
    database: Database, team_id: int, *, weeks: int, until: date | None = None, first_day: date | None = None
) -> TrendsReport:
    """How each lineage of a team went over the weeks that end with a day.

    Args:
        until: the day; that of the latest run where none is given.
        first_day: begins the days in place of `weeks`, where it is given.
    """
    until = until or latest_day(database, team_id)
    if until is None:
        return TrendsReport(team_id, None, None, ())
    first_day = first_day or until - timedelta(days=7 * weeks - 1)
    found = trends_of(database, team_id, until=until, first_day=first_day)
    return TrendsReport(
        team_id, first_day, until, tuple(ThemeTrends(name, tuple(each)) for name, each in found.items())
    )


def latest_day(database: Database, team_id: int) -> date | None:
    """The day of a team's latest run that has lineages, None where there is none."""
    (row,) = database.rows(LATEST_RUN, team_id=team_id)
    day: date | None = row["day"] if row["runs"] else None
    return day


def trends_of(
    database: Database, team_id: int, *, until: date, first_day: date, theme_id: str | None = None
) -> dict[str, list[Trend]]:
    """The trends of each theme of a team, or of one, from a day to another, by theme id."""
    period: dict[str, Any] = {"team_id": team_id, "from": first_day, "until": until}
    runs: dict[str, list[dict[str, Any]]] = {}
    for run in database.rows(LINKED_RUNS, **period):
        if theme_id in (None, run["theme_id"]):
            runs.setdefault(run["theme_id"], []).append(run)
    if not runs:
        return {}
    lineages, decided = lineages_of(database, team_id), standings_of(database, team_id)
    taken_out = taken_out_by_lineage(decided, [lineage.lineage_id for lineage in lineages])
    found = {}
    for each, of_theme in runs.items():
        attempts = [run["attempt_id"] for run in of_theme]
        of_runs = {"theme_id": each, "level": of_theme[-1]["level"], "attempt_ids": attempts}
        rows = database.rows_of_runs(COUNTS_BY_DAY, **period, **of_runs, taken_out=taken_out)
        found[each] = trends(
            [DayCount(lineage_id=row.pop("home"), **row) for row in rows],
            [lineage for lineage in lineages if lineage.theme_id == each],
            decided,
            run_days=[run["day"] for run in of_theme],
        )
    return found
