"""The histories that rules are judged by, read from stored runs. What is made of them belongs in `judging`."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from llma_assets.alerts.judging import History
from llma_assets.alerts.novelty import novelty_of
from llma_assets.alerts.queries import (
    ARRIVED,
    COUNTS,
    COVERED,
    FAILURES,
    RUNS,
    SPENT,
    SPLITS,
)
from llma_assets.alerts.rule import WITHOUT_THEME, Rule
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, counted_as, lineages_of, standings_of, taken_out_by_lineage
from llma_assets.reports import all_checks
from llma_assets.team_day import TeamDay, midnight
from llma_assets.trace_events import TRIGGER_EVENTS

LONG_AGO = -10_000
WEEK = 7
_BLOCKING_ASSETS = ("cluster_assignments", "cluster_labels", "cluster_events")


@dataclass(frozen=True, slots=True)
class _Runs:
    level: str
    days: Mapping[date, Mapping[str, Any]]


NO_THEME = ""
"""In place of a theme's id: the history of the team, for rules that no theme concerns."""


def histories(
    database: Database,
    until: TeamDay,
    rules: Sequence[Rule],
    *,
    days: int,
    judged: int = 1,
    budget_usd: float | None = None,
) -> dict[str, History]:
    """The history of each theme that the rules are about and that has a run, over the days that end with `until`.

    Args:
        judged: so many of the last days are judged; users of weeks are known for these alone.
        budget_usd: what the team may spend a day; None for no limit.
    """
    # Checks ask for the same rows again and again.
    database = database.remembering()
    first_day = until.day - timedelta(days=days - 1)
    period = {"team_id": until.team_id, "from": first_day, "until": until.day}
    runs = _runs_by_theme(database, period)
    for theme_id in {theme for rule in rules for theme in rule.themes} - runs.keys():
        runs[theme_id] = _Runs("trace", {})
    wanted = {theme for rule in rules for theme in rule.themes} if all(rule.themes for rule in rules) else set(runs)
    of_team = [rule for rule in rules if rule.kind in WITHOUT_THEME]
    if len(of_team) == len(rules):
        wanted = set()
    blocked = _blocked(database, until, runs, period) if wanted else {}
    kinds = {rule.kind for rule in rules}
    lineages = lineages_of(database, until.team_id)
    decided = standings_of(database, until.team_id)
    found = {}
    for theme_id in sorted(wanted):
        of_theme = [each for each in lineages if each.theme_id == theme_id]
        history = _history(database, theme_id, runs[theme_id], period, of_theme, decided, judged)
        history = replace(history, blocked=blocked.get(theme_id, {}))
        if "coverage" in kinds:
            history = replace(history, coverage=_coverage(database, history, period))
        if "new_cluster" in kinds:
            history = replace(history, novelty=novelty_of(database, history, period))
        found[theme_id] = history
    if of_team:
        found[NO_THEME] = _team_history(database, until, period, kinds, budget_usd)
    return found


def judged_by(rule: Rule, theme_id: str) -> bool:
    """Whether a rule is about the history of a theme, or of the team."""
    if rule.kind in WITHOUT_THEME or theme_id == NO_THEME:
        return rule.kind in WITHOUT_THEME and theme_id == NO_THEME
    return not rule.themes or theme_id in rule.themes


def _team_history(
    database: Database, until: TeamDay, period: Mapping[str, Any], kinds: Collection[str], budget_usd: float | None
) -> History:
    history = _history(database, NO_THEME, _Runs("trace", {}), period, (), {})
    days = [history.day(t) for t in range(history.days)]
    arrived = _arrived(database, until, history.first_day) if "nothing_arrived" in kinds else {}
    spent = {row["day"]: row["usd"] for row in database.rows(SPENT, **period)} if "spend" in kinds else {}
    return replace(
        history,
        arrived=np.array([arrived.get(day, 0) for day in days], float),
        spent=np.array([spent.get(day, 0.0) for day in days], float),
        budget_usd=budget_usd,
        runs=frozenset(days),
        complete=np.ones(len(days), dtype=bool),
    )


def _coverage(database: Database, history: History, period: Mapping[str, Any]) -> Any:
    found = np.full(history.days, np.nan)
    for row in database.rows(COVERED, **period, theme_id=history.theme_id):
        found[history.column(row["day"])] = row["covered"] / row["wanted"]
    return found


def counts_history(database: Database, until: TeamDay, theme_id: str, *, days: int) -> History | None:
    """The counts of one theme over the days that end with `until`, without what few rules need; None without runs.

    Checks are not asked, so that no day is blocked.
    """
    period = {"team_id": until.team_id, "from": until.day - timedelta(days=days - 1), "until": until.day}
    runs = _runs_by_theme(database, period).get(theme_id)
    if runs is None:
        return None
    lineages = [each for each in lineages_of(database, until.team_id) if each.theme_id == theme_id]
    return _history(database, theme_id, runs, period, lineages, standings_of(database, until.team_id), judged=0)


def _runs_by_theme(database: Database, period: Mapping[str, Any]) -> dict[str, _Runs]:
    found: dict[str, dict[date, Mapping[str, Any]]] = {}
    levels: dict[str, str] = {}
    for row in database.rows(RUNS, **period):
        found.setdefault(row["theme_id"], {})[row["day"]] = row
        levels[row["theme_id"]] = row["level"]
    return {theme_id: _Runs(levels[theme_id], days) for theme_id, days in found.items()}


def _history(
    database: Database,
    theme_id: str,
    runs: _Runs,
    period: Mapping[str, Any],
    lineages: Sequence[Any],
    decided: Mapping[str, Any],
    judged: int = 1,
) -> History:
    first_day: date = period["from"]
    days = (period["until"] - first_day).days + 1
    given = {
        **period,
        "theme_id": theme_id,
        "level": runs.level,
        "attempt_ids": [row["attempt_id"] for row in runs.days.values()],
        "taken_out": taken_out_by_lineage(decided, [each.lineage_id for each in lineages]),
    }
    weeks_from = period["until"] - timedelta(days=judged - 1)
    found = list(database.rows(COUNTS, **given, weeks_from=weeks_from)) if runs.days else []
    counts, weeks = ([row for row in found if row["is_week"] == of_week] for of_week in (False, True))

    def counted(lineage_id: str) -> str:
        return counted_as(lineage_id, decided) if lineage_id else ""

    ids = tuple(sorted({counted(row["lineage_id"]) for row in counts} - {""}))
    rows_of = {lineage_id: row for row, lineage_id in enumerate(ids)}
    arrays = {name: np.zeros((len(ids), days)) for name in ("traces", "variance", "users", "known", "errors", "cost")}
    total, outliers = np.zeros(days), np.zeros(days)
    for row in counts:
        t = (row["day"] - first_day).days
        total[t] += row["traces"]
        if not (lineage_id := counted(row["lineage_id"])):
            outliers[t] += row["traces"]
            continue
        for name, array in arrays.items():
            array[rows_of[lineage_id], t] += row[name]  # users of merged lineages add up
    users_week = np.zeros((len(ids), days))
    for row in weeks:
        t, lineage_id = (row["day"] - first_day).days, counted(row["lineage_id"])
        if lineage_id in rows_of and 0 <= t < days:
            users_week[rows_of[lineage_id], t] += row["users"]
    began = dict.fromkeys(ids, days)
    for each in lineages:
        name = counted(each.lineage_id)
        if name in began:
            began[name] = min(began[name], (each.first_day - first_day).days)
    split_on = _split(database, given, counted) if runs.days and judged else {}
    starts = [(each.first_day - first_day).days for each in lineages]
    return History(
        theme_id=theme_id,
        first_day=first_day,
        lineage_ids=ids,
        total=total,
        complete=total > 0,
        began=np.array([began[each] for each in ids], dtype=np.intp),
        users_week=users_week,
        outliers=outliers / np.maximum(total, 1.0),
        novelty=np.full(len(ids), np.inf),
        theme_began=min(starts, default=LONG_AGO),
        titles={each.lineage_id: decided.get(each.lineage_id, NOTHING).title or each.title for each in lineages},
        moved=_moved(runs),
        split=_together(split_on),
        split_on=split_on,
        merged_on=_merged(runs, counted),
        runs=frozenset(runs.days),
        traces=arrays["traces"],
        variance=arrays["variance"],
        users=arrays["users"],
        known=arrays["known"],
        errors=arrays["errors"],
        cost=arrays["cost"],
    )


def _moved(runs: _Runs) -> dict[str, str]:
    """By a lineage that ended within another, that one; of several the first, which holds most of it."""
    found = {}
    for row in runs.days.values():
        for each in json.loads(row["lineage"]).get("ended", ()):
            if each.get("into"):
                found[each["lineage_id"]] = each["into"][0]
    return found


def _merged(runs: _Runs, counted: Callable[[str], str]) -> dict[date, dict[str, tuple[str, ...]]]:
    """By day and lineage, the lineages that became part of it that day."""
    found: dict[date, dict[str, set[str]]] = {}
    for day, row in runs.days.items():
        for each in json.loads(row["lineage"]).get("ended", ()):
            if each.get("into"):
                found.setdefault(day, {}).setdefault(counted(each["into"][0]), set()).add(each["lineage_id"])
    return _sorted(found)


def _split(
    database: Database, given: Mapping[str, Any], counted: Callable[[str], str]
) -> dict[date, dict[str, tuple[str, ...]]]:
    """By day and lineage, the lineages that a run of that day is the first to split off it."""
    found: dict[date, dict[str, set[str]]] = {}
    for row in database.rows(SPLITS, **{name: given[name] for name in ("team_id", "from", "until", "theme_id")}):
        for parent in row["lineage_parents"]:
            if parent != row["lineage_id"]:
                found.setdefault(row["first_day"], {}).setdefault(counted(parent), set()).add(row["lineage_id"])
    return _sorted(found)


def _together(by_day: Mapping[date, Mapping[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for of_day in by_day.values():
        for parent, children in of_day.items():
            found.setdefault(parent, set()).update(children)
    return {parent: tuple(sorted(children)) for parent, children in found.items()}


def _sorted(found: Mapping[date, Mapping[str, Collection[str]]]) -> dict[date, dict[str, tuple[str, ...]]]:
    return {day: {name: tuple(sorted(each)) for name, each in of.items()} for day, of in found.items()}


def _blocked(
    database: Database, until: TeamDay, runs: Mapping[str, _Runs], period: Mapping[str, Any]
) -> dict[str, dict[date, str]]:
    """Why days do not count, by theme: of earlier days the failures that are stored, of the last the checks, too."""
    found: dict[str, dict[date, str]] = {theme_id: {} for theme_id in runs}
    for row in database.rows(FAILURES, **period):
        reason = f"{row['stage']} failed: {row['detail']}"[:300]
        for theme_id in [row["theme_id"]] if row["theme_id"] else list(found):
            found.setdefault(theme_id, {}).setdefault(row["day"], reason)
    with_run = {theme_id for theme_id, each in runs.items() if until.day in each.days}
    if not with_run:
        return found
    for check in all_checks():
        if not check.blocking or check.asset not in _BLOCKING_ASSETS:
            continue
        for finding in check.findings(database, until):
            if not finding.passed:
                for theme_id in [finding.outcome.theme_id] if finding.outcome.theme_id else with_run:
                    found.setdefault(theme_id, {})[until.day] = finding.sentence[:300]
    return found


def _arrived(database: Database, until: TeamDay, first_day: date) -> dict[date, int]:
    rows = database.rows(
        ARRIVED,
        team_id=until.team_id,
        start=midnight(first_day),
        end=until.end,
        trigger_events=list(TRIGGER_EVENTS),
    )
    return {row["day"]: row["events"] for row in rows}


def with_runs_only(history: History, days: Collection[date]) -> History:
    """The history in which of these days only those count that have a run of their own."""
    complete = history.complete.copy()
    for day in days:
        t = history.column(day)
        if 0 <= t < history.days and day not in history.runs:
            complete[t] = False
    return replace(history, complete=complete)
