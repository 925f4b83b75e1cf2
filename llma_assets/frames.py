"""Reports as pandas DataFrames, for notebooks: the same figures as on the command line, a row each.

    from llma_assets import frames

    frames.clusters(101)
    frames.items(101, "2026-11-07", theme="traces").plot.scatter("x", "y", c="cluster_id", cmap="tab20")

Each function reads the database of the settings (`CLICKHOUSE_URL`, else the embedded one of `LLMA_DATA_DIR`) unless it
is given one. Columns and their types are the same in an empty frame.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

try:
    import pandas as pd
except ModuleNotFoundError as error:
    if error.name != "pandas":
        raise
    raise ModuleNotFoundError(
        "llma_assets.frames needs pandas, which is not installed: pip install 'llma-assets[notebook]'", name="pandas"
    ) from error

from llma_assets import reports
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets.tasks import TaskOptions
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.themes import themes_of

__all__ = ["clusters", "funnel", "items", "tasks", "trends"]

TEXT, WHOLE, NUMBER, YES_NO, MAYBE, LIST = "string", "int64", "float64", "bool", "boolean", "object"
DAY, MOMENT = "datetime64[s]", "datetime64[us, UTC]"

CLUSTERS = {
    "day": DAY,
    "theme": TEXT,
    "level": TEXT,
    "cluster_id": WHOLE,
    "lineage_id": TEXT,
    "lineage_status": TEXT,
    "lineage_confidence": NUMBER,
    "title": TEXT,
    "description": TEXT,
    "size": WHOLE,
    "traces": WHOLE,
    "share": NUMBER,
    "template": TEXT,
    "disclosure": TEXT,
    "renamed": YES_NO,
    "locked": YES_NO,
    "hidden": YES_NO,
}
ITEMS = {
    "theme": TEXT,
    "level": TEXT,
    "item_id": TEXT,
    "trace_id": TEXT,
    "generation_id": TEXT,
    "day": DAY,
    "timestamp": MOMENT,
    "cluster_id": WHOLE,
    "lineage_id": TEXT,
    "cluster_title": TEXT,
    "hidden": YES_NO,
    "x": NUMBER,
    "y": NUMBER,
    "distance": NUMBER,
    "strength": NUMBER,
    "title": TEXT,
    "flow_diagram": TEXT,
    "bullets": LIST,
    "notes": LIST,
}
TRENDS = {
    "theme": TEXT,
    "lineage_id": TEXT,
    "title": TEXT,
    "state": TEXT,
    "day": DAY,
    "items": WHOLE,
    "traces": WHOLE,
    "share": NUMBER,
    "share_low": NUMBER,
    "share_high": NUMBER,
    "error_rate": NUMBER,
    "error_rate_low": NUMBER,
    "error_rate_high": NUMBER,
    "cost_usd": NUMBER,
}
FUNNEL = {
    "theme": TEXT,
    "version": TEXT,
    "enabled": YES_NO,
    "from": DAY,
    "until": DAY,
    "days_taken": WHOLE,
    **dict.fromkeys(reports.STEPS, WHOLE),
    "relevant_share": NUMBER,
    "relevant_share_low": NUMBER,
    "relevant_share_high": NUMBER,
}
TASKS = {
    "task_id": TEXT,
    "title": TEXT,
    "description": TEXT,
    "status": TEXT,
    "priority": NUMBER,
    "user_count": WHOLE,
    "occurrence_count": WHOLE,
    "mean_impact": NUMBER,
    "first_seen": MOMENT,
    "last_seen": MOMENT,
    "actionable": MAYBE,
    "reason": TEXT,
    "label_model": TEXT,
    "merged": LIST,
}


def clusters(
    team_id: int, day: date | str | None = None, *, theme: str | None = None, database: Database | None = None
) -> "pd.DataFrame":
    """The published clusters of a team's day, as people decided about them: by theme and falling size, outliers last.

    Args:
        day: as a date or as `2026-11-07`; None for that of the latest run.
        theme: this theme only.
        database: an open database; None for that of the settings.

    Returns:
        columns `CLUSTERS`; `share` is of the items of the run. Hidden clusters are there, too, and marked.
    """
    with _opened(database) as opened:
        team_day = _team_day(opened, team_id, day)
        runs = reports.published_clusters(opened, team_day, theme_id=theme, show_hidden=True).runs if team_day else ()
    return _frame(
        CLUSTERS,
        (
            _row(
                CLUSTERS,
                each,
                day=team_day.day,
                theme=run.theme_id,
                level=run.level,
                share=each.size / run.items,
            )
            for run in runs
            for each in run.clusters
            if team_day
        ),
    )


def items(
    team_id: int, day: date | str | None = None, *, theme: str | None = None, database: Database | None = None
) -> "pd.DataFrame":
    """The items of a team's clusters: their place on the map (`x`, `y`), their cluster, and their summary.

    Args:
        day: as a date or as `2026-11-07`; None for that of the latest run.
        theme: this theme only.
        database: an open database; None for that of the settings.

    Returns:
        columns `ITEMS`, without what the team's privacy minimum withholds; by theme, cluster and
        distance. `bullets` and `notes` are tuples of texts.
    """
    with _opened(database) as opened:
        team_day = _team_day(opened, team_id, day)
        found = reports.clustered_items(opened, team_day, theme) if team_day else []
    return _frame(ITEMS, (_row(ITEMS, each, theme=each.theme_id) for each in found))


def trends(
    team_id: int,
    *,
    weeks: int = 4,
    until: date | str | None = None,
    theme: str | None = None,
    database: Database | None = None,
) -> "pd.DataFrame":
    """Trends of a team's lineages: a row for each lineage and each day that has items.

    Args:
        weeks: number of weeks.
        until: last day; None for that of the latest run.
        theme: this theme only.
        database: an open database; None for that of the settings.

    Returns:
        columns `TRENDS`; shares and error rates with their 95 % intervals, NaN of nothing. `state` is `new` or
        `ended`; outliers have no lineage_id.
    """
    with _opened(database) as opened:
        report = reports.trends_report(opened, team_id, weeks=weeks, until=_day(until))
    return _frame(
        TRENDS,
        (
            {
                "theme": of_theme.theme_id,
                "lineage_id": each.lineage_id,
                "title": each.title,
                "state": each.state,
                "day": point.day,
                "items": point.items,
                "traces": point.traces,
                "share": point.share.value,
                "share_low": point.share.low,
                "share_high": point.share.high,
                "error_rate": point.error_rate.value,
                "error_rate_low": point.error_rate.low,
                "error_rate_high": point.error_rate.high,
                "cost_usd": point.cost_usd,
            }
            for of_theme in report.themes
            if theme in (None, of_theme.theme_id)
            for each in of_theme.trends
            for point in each.points
        ),
    )


def funnel(
    team_id: int,
    day: date | str | None = None,
    *,
    days: int | None = None,
    theme: str | None = None,
    database: Database | None = None,
) -> "pd.DataFrame":
    """The funnel of a team's themes, from matched to clustered items: a row for each theme.

    Args:
        day: last day; None for that of the latest run.
        days: number of days; None for the window of each theme.
        theme: only this theme, even if it is off; None for all that are on.
        database: an open database; None for that of the settings.

    Returns:
        columns `FUNNEL`; `relevant_share` is of all items that match, with its 95 % interval where it is an estimate,
        and NaN of a theme that asks nothing about relevance.

    Raises:
        ThemeError: the team has no such theme.
    """
    with _opened(database) as opened:
        team = themes_of(opened, team_id)
        themes = [each for each in team.themes if each.enabled] if theme is None else [team.get(theme)]
        team_day = _team_day(opened, team_id, day)
        lookback_days = _team_settings().lookback_days
        found = (
            reports.funnel_report(opened, team_day, themes, lookback_days=lookback_days, days=days).themes
            if team_day
            else ()
        )
    return _frame(
        FUNNEL,
        (
            _row(
                FUNNEL,
                each,
                **{"theme": each.theme_id, "from": each.first_day},
                relevant_share=each.shares.relevant.value if each.shares else None,
                relevant_share_low=each.shares.relevant.low if each.shares else None,
                relevant_share_high=each.shares.relevant.high if each.shares else None,
            )
            for each in found
        ),
    )


def tasks(
    team_id: int, *, statuses: Sequence[str] = (), now: datetime | None = None, database: Database | None = None
) -> "pd.DataFrame":
    """The tasks of a team, the most urgent first.

    Args:
        statuses: only these, such as `new` and `regressed`; all if empty.
        now: the time of the priorities; None for the present.
        database: an open database; None for that of the settings.

    Returns:
        columns `TASKS`; `actionable` is missing if keywords decided.
    """
    options = TaskOptions.of_team(_team_settings().options_of(team_id))
    with _opened(database) as opened:
        report = reports.tasks_report(opened, team_id, now=now or datetime.now(UTC), options=options, statuses=statuses)
    opinions = {"yes": True, "no": False}
    return _frame(TASKS, (_row(TASKS, each, actionable=opinions.get(each.actionable)) for each in report.tasks))


@contextmanager
def _opened(database: Database | None) -> Iterator[Database]:
    """The database that is given, which stays open; else that of the settings, which is only read."""
    if database is not None:
        yield database
        return
    with connect(Settings.from_env(), create=False) as opened:
        yield opened.tagged(client="notebook")


def _team_settings() -> TeamSettings:
    settings, _ = TeamSettings.load(Settings.from_env().data_dir)
    return settings


def _team_day(database: Database, team_id: int, day: date | str | None) -> TeamDay | None:
    """The day that is asked for, else that of the latest run; None for a team that has no run."""
    found = _day(day) or reports.latest_day(database, team_id)
    return None if found is None else TeamDay(team_id, found)


def _day(day: date | str | None) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _row(columns: Iterable[str], report: object, **others: object) -> dict[str, Any]:
    """The fields of a report that are columns, and what else is given."""
    return {name: others[name] if name in others else getattr(report, name) for name in columns}


def _frame(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """A frame whose columns have their types also where there is no row."""
    found = list(rows)
    return pd.DataFrame({name: pd.Series([row[name] for row in found], dtype=dtype) for name, dtype in columns.items()})
