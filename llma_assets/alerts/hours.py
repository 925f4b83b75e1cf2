"""The histories of themes by the hour, for rules that judge hours. Those of days are in `series.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from llma_assets.alerts.blocked import blocked_days
from llma_assets.alerts.judging import HOURS, History
from llma_assets.alerts.novelty import novelty_of
from llma_assets.alerts.queries import COUNTS_BY_HOUR, RUNS, USERS_OF_WEEK_BY_HOUR
from llma_assets.alerts.rule import Rule
from llma_assets.alerts.series import weeks_from
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, counted_as, lineages_of, standings_of, taken_out_by_lineage
from llma_assets.team_day import TeamDay
from llma_assets.themes import themes_of

HOURLY = ("hourly", "every_10_minutes")
"""Schedules of themes whose hours are known within the day."""

HISTORY_HOURS_DAYS = 60
"""Days that are read: eight weeks of the same hour, and what a judgement looks back."""

QUIET = timedelta(minutes=30)
"""A trace is taken once it has been quiet for so long: an hour is whole in runs that end so long after it."""


def hourly_themes(database: Database, team_id: int, rules: Sequence[Rule]) -> list[str]:
    """The themes that run hourly and that one of the rules is about."""
    known = themes_of(database, team_id).themes
    themes = [each.theme_id for each in known if each.enabled and each.schedule in HOURLY]
    return [each for each in themes if any(not rule.themes or each in rule.themes for rule in rules)]


def hour_histories(
    database: Database, until: TeamDay, rules: Sequence[Rule], *, days: int, judged: int = 1
) -> dict[str, History]:
    """The history of each hourly theme that the rules are about, by hours of the days that end with `until`.

    An hour is complete where the day's run ended 30 minutes after it; those of days without a run are not. Those of a
    day whose results fail a blocking check do not count.

    Args:
        judged: so many of the last days are judged; users of weeks are known for these alone, and for new clusters.
    """
    wanted = hourly_themes(database, until.team_id, rules)
    if not wanted:
        return {}
    first = until.day - timedelta(days=days - 1)
    period = {"team_ids": [until.team_id], "from": first, "until": until.day}
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for row in database.rows(RUNS, **period):
        runs.setdefault(row["theme_id"], []).append(row)
    lineages, decided = lineages_of(database, until.team_id), standings_of(database, until.team_id)
    days_of = {theme_id: [row["day"] for row in of_theme] for theme_id, of_theme in runs.items() if theme_id in wanted}
    blocked = blocked_days(database, until, days_of, period, judged=judged)
    found = {}
    for theme_id in wanted:
        if theme_id in runs:
            of_theme = [each for each in lineages if each.theme_id == theme_id]
            week = judged if any(rule.kind == "new_cluster" for rule in rules) else 0
            found[theme_id] = _history(
                database, until.team_id, theme_id, runs[theme_id], period, of_theme, decided, week
            )
            found[theme_id] = replace(found[theme_id], blocked=blocked.get(theme_id, {}))
            if week:
                found[theme_id] = replace(found[theme_id], novelty=novelty_of(database, found[theme_id], period))
    return found


def _history(
    database: Database,
    team_id: int,
    theme_id: str,
    runs: Sequence[Mapping[str, Any]],
    period: Mapping[str, Any],
    lineages: Sequence[Any],
    decided: Mapping[str, Any],
    judged: int,
) -> History:
    first_day: date = period["from"]
    start = datetime.combine(first_day, time(), UTC)
    hours = ((period["until"] - first_day).days + 1) * HOURS.day
    out = taken_out_by_lineage(decided, [each.lineage_id for each in lineages])
    given = {**period, "theme_ids": [theme_id], "taken_out": [(team_id, *pair) for pair in out]}
    rows = database.rows(COUNTS_BY_HOUR, **given)
    weeks_of = {**given, "weeks_from": weeks_from(period["until"], judged)}
    weeks = database.rows(USERS_OF_WEEK_BY_HOUR, **weeks_of) if judged else []

    def counted(lineage_id: str) -> str:
        return counted_as(lineage_id, decided) if lineage_id else ""

    def column(moment: datetime) -> int:
        return int((moment.astimezone(UTC) - start) // HOURS.bucket)

    ids = tuple(sorted({counted(row["lineage_id"]) for row in rows} - {""}))
    places = {lineage_id: row for row, lineage_id in enumerate(ids)}
    arrays = {name: np.zeros((len(ids), hours)) for name in ("traces", "variance", "users", "known", "errors", "cost")}
    total = np.zeros(hours)
    for row in rows:
        t = column(row["hour"])
        if not 0 <= t < hours:
            continue
        total[t] += row["traces"]
        if lineage_id := counted(row["lineage_id"]):
            for name, array in arrays.items():
                array[places[lineage_id], t] += row[name]
    users_week = np.zeros((len(ids), hours))
    for row in weeks:
        t, lineage_id = column(row["hour"]), counted(row["lineage_id"])
        if lineage_id in places and 0 <= t < hours:
            users_week[places[lineage_id], t] += row["users"]
    complete = np.zeros(hours, dtype=bool)
    for run in runs:
        of_day = column(datetime.combine(run["day"], time(), UTC))
        whole = int((run["committed_at"].astimezone(UTC) - QUIET - start) // HOURS.bucket)
        complete[of_day : max(min(whole, of_day + HOURS.day), of_day)] = True
    began = dict.fromkeys(ids, hours)
    for each in lineages:
        if (name := counted(each.lineage_id)) in began:
            began[name] = min(began[name], (each.first_day - first_day).days * HOURS.day)
    starts = [(each.first_day - first_day).days * HOURS.day for each in lineages]
    return History(
        theme_id=theme_id,
        first_day=start,
        lineage_ids=ids,
        total=total,
        complete=complete,
        began=np.array([began[each] for each in ids], dtype=np.intp),
        users_week=users_week,
        known=arrays["known"],
        errors=arrays["errors"],
        outliers=np.zeros(hours),
        novelty=np.full(len(ids), np.inf),
        theme_began=min(starts, default=0),
        titles={each.lineage_id: decided.get(each.lineage_id, NOTHING).title or each.title for each in lineages},
        traces=arrays["traces"],
        variance=arrays["variance"],
        users=arrays["users"],
        cost=arrays["cost"],
        scale=HOURS,
    )
