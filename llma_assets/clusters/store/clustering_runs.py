"""The table `clustering_runs`: the commit row of each run, which makes its clusters and members visible.

`input_id` follows from the items and options, so that the same work is not done twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

# By hand: checks show it. Key of clustering_runs: (team_id, day, theme_id).
COMMITTED_RUN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String}
"""

RUNS_OF_DAY = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date}
ORDER BY theme_id
"""

FILLED = 1
"""Days that may be missing at the beginning of a window which counts as filled."""

# Keys: clustering_runs (team_id, day, theme_id); cluster_members (team_id, day, theme_id, attempt_id, item_id).
EARLIER_RESOLUTION = """
WITH last AS
(
    SELECT
        day,
        attempt_id,
        toDate(window_start) AS first_day,
        JSONExtract(quality, 'resolution', 'Nullable(Float64)') AS resolution
    FROM clustering_runs FINAL
    WHERE team_id = {team_id:Int64}
        AND day < {day:Date}
        AND day >= {since:Date}
        AND theme_id = {theme_id:String}
        AND embedding_model = {model_name:String}
        AND JSONExtractString(params, 'theme_version') IN {versions:Array(String)}
        AND method = 'graph'
        AND items > 0
    ORDER BY day DESC
    LIMIT 1
)
SELECT resolution
FROM last
WHERE NOT {filled:Bool}
    OR dateDiff('day', first_day, (
        SELECT min(item_day)
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND theme_id = {theme_id:String}
            AND (day, attempt_id) IN (SELECT day, attempt_id FROM last)
    )) <= {missing:UInt8}
"""

# Key of clustering_runs: (team_id, day, theme_id).
NEARBY_RUNS = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND items > 0
ORDER BY day
"""

# Of all themes, so that who remembers answers asks once. Key of clustering_runs: (team_id, day, theme_id).
NEXT_DAYS = """
SELECT
    theme_id,
    maxOrNullIf(day, day < {day:Date}) AS before,
    minOrNullIf(day, day > {day:Date}) AS after,
    countIf(day = {day:Date}) > 0 AS has_day
FROM clustering_runs
WHERE team_id = {team_id:Int64}
GROUP BY theme_id
"""

# Key of clustering_runs: (team_id, day, theme_id).
LATEST_RUN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day <= {day:Date} AND theme_id = {theme_id:String} AND items > 0
ORDER BY day DESC
LIMIT 1
"""

# Key of clustering_runs: (team_id, day, theme_id).
COMMITTED_RUNS = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND ({theme_id:String} = '' OR theme_id = {theme_id:String})
ORDER BY day DESC, theme_id
"""

# Key of clustering_runs: (team_id, day, theme_id).
CLUSTERED_DAYS = """
SELECT DISTINCT day
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND items > 0
ORDER BY day
"""

# The last clustering of each theme. Key of clustering_runs: (team_id, day, theme_id).
LAST_RUN_OF_THEMES = """
SELECT
    theme_id,
    max(day) AS last_day,
    argMax(items, day) AS clustered_items,
    argMax(clusters, day) AS cluster_count,
    argMax(committed_at, day) AS last_committed_at
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
GROUP BY theme_id
ORDER BY theme_id
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A committed clustering run."""

    team_id: int
    day: date
    theme_id: str
    level: str
    attempt_id: UUID
    input_id: UUID
    run_id: str
    method: str
    params: str
    items: int
    window_items: int
    clusters: int
    noise_items: int
    silhouette: float | None
    inertia: float | None
    quality: str
    lineage: str
    embedding_model: str
    window_start: datetime
    window_end: datetime
    committed_at: datetime

    @property
    def attempt(self) -> dict[str, Any]:
        """The key that the rows of the run have in common, as parameters of statements."""
        return {"team_id": self.team_id, "day": self.day, "theme_id": self.theme_id, "attempt_id": self.attempt_id}

    @property
    def theme_version(self) -> str:
        """The version of the theme that its items were summarised under, "" where that is not known."""
        return str(orjson.loads(self.params).get("theme_version", ""))


READ_TOGETHER = 2_000
"""Items of several runs, and rows of an answer, that are read at once, at most."""


def rows_of_run(database: Database, sql: str, run: Run, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of one run.

    Args:
        sql: a statement with the parameters `team_ids`, `days`, `theme_ids` and `attempt_ids`; its rows have an
            `attempt_id`, which is left out.
    """
    rows = database.rows(sql, **_asking(run), **parameters)
    for row in rows:
        del row["attempt_id"]
    return rows


def ask_of_runs(database: Database, runs: Sequence[Run], *statements: str, **parameters: Any) -> None:
    """Ask statements of `rows_of_run` of several runs at once: where answers are remembered, each is known then.

    Big runs are asked one by one, as they are needed.
    """
    if sum(run.items for run in runs) > READ_TOGETHER:
        return
    for sql in statements:
        asked = {run.attempt_id: _asking(run) for run in runs}
        database.ask_of_each(sql, "attempt_id", asked, most=READ_TOGETHER, **parameters)


def _asking(run: Run) -> dict[str, list[Any]]:
    return {
        "team_ids": [run.team_id],
        "days": [run.day],
        "theme_ids": [run.theme_id],
        "attempt_ids": [run.attempt_id],
    }


def has_runs(database: Database, team_day: TeamDay, theme_id: str, first_day: date, last_day: date) -> bool:
    """Whether a theme was clustered on any of some days, of which `team_day` is one or the next.

    It is cheaper to ask than the runs themselves, and a day is clustered for the first time most often.
    """
    if not database.may_hold("clustering_runs", team_day.team_id, first_day, last_day, part=theme_id):
        return False
    rows = database.rows(NEXT_DAYS, team_id=team_day.team_id, day=team_day.day)
    near = next((row for row in rows if row["theme_id"] == theme_id), None)
    if near is None:
        return False
    days = (near["before"], near["after"], team_day.day if near["has_day"] else None)
    return any(day is not None and first_day <= day <= last_day for day in days)


def committed_run(database: Database, team_day: TeamDay, theme_id: str) -> Run | None:
    """The run whose results are published for a team, a day and a theme."""
    # A day has few themes; and what reads them all, as pages do, need not ask again for one.
    return next((run for run in runs_of_day(database, team_day) if run.theme_id == theme_id), None)


def runs_of_day(database: Database, team_day: TeamDay) -> list[Run]:
    """The committed runs of a team's day, one a theme."""
    if not database.may_hold("clustering_runs", team_day.team_id, team_day.day, team_day.day):
        return []
    return [Run(**row) for row in database.rows(RUNS_OF_DAY, team_ids=[team_day.team_id], day=team_day.day)]


def ask_runs_of_day(database: RememberingDatabase, team_ids: Collection[int], day: date) -> None:
    """Ask for the runs of a day of several teams at once: those of each are known then."""
    database.ask_together(RUNS_OF_DAY, team_ids, day=day)


def committed_runs(database: Database, team_id: int, first_day: date, last_day: date, theme_id: str = "") -> list[Run]:
    """The committed runs of some days, of all themes or of one, newest day first."""
    period = {"from": first_day, "until": last_day}
    return [Run(**row) for row in database.rows(COMMITTED_RUNS, team_id=team_id, theme_id=theme_id, **period)]


def earlier_resolution(
    database: Database, team_day: TeamDay, theme: Theme, model_name: str, *, since: date, first_item: date
) -> float | None:
    """The resolution of the last run from `since` on and before the day, None where there is none.

    A team's first days fill its window. The cut that was right for a part of it does not bind the first whole one.

    Args:
        since: first day of the window.
        first_item: of its earliest item.
    """
    found = database.value(
        EARLIER_RESOLUTION,
        team_id=team_day.team_id,
        day=team_day.day,
        since=since,
        filled=(first_item - since).days <= FILLED,
        missing=FILLED,
        theme_id=theme.theme_id,
        versions=list(stored_versions(theme)),
        model_name=model_name,
    )
    return float(found) if found else None


def runs_around(database: Database, team_id: int, theme_id: str, first_day: date, last_day: date) -> list[Run]:
    """The runs of a theme on some days that hold any items, oldest first."""
    period = {"from": first_day, "until": last_day}
    return [Run(**row) for row in database.rows(NEARBY_RUNS, team_id=team_id, theme_id=theme_id, **period)]


def latest_run(database: Database, team_day: TeamDay, theme_id: str) -> Run | None:
    """The latest run of a theme up to a day that holds any items, None without one."""
    rows = database.rows(LATEST_RUN, team_id=team_day.team_id, day=team_day.day, theme_id=theme_id)
    return Run(**rows[0]) if rows else None


def clustered_days(database: Database, team_id: int) -> list[date]:
    """The days of a team that have a run with any items, oldest first."""
    return [row["day"] for row in database.rows(CLUSTERED_DAYS, team_id=team_id)]


def last_runs(database: Database, team_id: int) -> dict[str, dict[str, Any]]:
    """The last run of each theme: `last_day`, `clustered_items`, `cluster_count`, `last_committed_at`."""
    return {row["theme_id"]: row for row in database.rows(LAST_RUN_OF_THEMES, team_id=team_id)}
