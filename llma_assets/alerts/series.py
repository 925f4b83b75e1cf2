"""The histories that rules are judged by, read from stored runs. What is made of them belongs in `judging`."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from llma_assets.alerts.judging import History
from llma_assets.alerts.queries import ARRIVED, CENTROIDS, COUNTS, FAILURES, RUNS, SPLITS, USERS_OF_WEEKS
from llma_assets.alerts.rule import Rule
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, counted_as, lineages_of, standings_of, taken_out_by_lineage
from llma_assets.reports import all_checks
from llma_assets.team_day import TeamDay, midnight
from llma_assets.trace_events import TRIGGER_EVENTS

LONG_AGO = -10_000
_BLOCKING_ASSETS = ("cluster_assignments", "cluster_labels", "cluster_events")


@dataclass(frozen=True, slots=True)
class _Runs:
    level: str
    days: Mapping[date, Mapping[str, Any]]


def histories(database: Database, until: TeamDay, rules: Sequence[Rule], *, days: int) -> dict[str, History]:
    """The history of each theme that the rules are about and that has a run, over the days that end with `until`."""
    first_day = until.day - timedelta(days=days - 1)
    period = {"team_id": until.team_id, "from": first_day, "until": until.day}
    runs = _runs_by_theme(database, period)
    for theme_id in {theme for rule in rules for theme in rule.themes} - runs.keys():
        runs[theme_id] = _Runs("trace", {})
    wanted = {theme for rule in rules for theme in rule.themes} if all(rule.themes for rule in rules) else set(runs)
    blocked = _blocked(database, until, runs, period)
    arrived = _arrived(database, until, first_day) if any(rule.kind == "nothing_arrived" for rule in rules) else None
    kinds = {rule.kind for rule in rules}
    lineages = lineages_of(database, until.team_id)
    decided = standings_of(database, until.team_id)
    found = {}
    for theme_id in sorted(wanted):
        of_theme = [each for each in lineages if each.theme_id == theme_id]
        history = _history(database, theme_id, runs[theme_id], period, of_theme, decided)
        history = replace(history, blocked=blocked.get(theme_id, {}))
        if arrived is not None:
            history = replace(history, arrived=np.array([arrived.get(history.day(t), 0) for t in range(days)], float))
        if "new_cluster" in kinds:
            history = replace(history, novelty=_novelty(database, history, period))
        found[theme_id] = history
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
    return _history(database, theme_id, runs, period, lineages, standings_of(database, until.team_id), counts_only=True)


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
    *,
    counts_only: bool = False,
) -> History:
    first_day: date = period["from"]
    days = (period["until"] - first_day).days + 1
    taken_out = taken_out_by_lineage(decided, [each.lineage_id for each in lineages])
    given = {**period, "theme_id": theme_id, "level": runs.level, "taken_out": taken_out}
    counts = database.rows(COUNTS, **given) if runs.days else []
    weeks = database.rows(USERS_OF_WEEKS, **given) if runs.days and not counts_only else []

    def counted(lineage_id: str) -> str:
        return counted_as(lineage_id, decided) if lineage_id else ""

    ids = tuple(sorted({counted(row["lineage_id"]) for row in counts} - {""}))
    rows_of = {lineage_id: row for row, lineage_id in enumerate(ids)}
    arrays = {name: np.zeros((len(ids), days)) for name in ("traces", "variance", "users", "known", "errors", "cost")}
    total, outliers = np.zeros(days), np.zeros(days)
    for row in counts:
        t = (row["item_day"] - first_day).days
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
        split=_split(database, given) if runs.days and not counts_only else {},
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


def _split(database: Database, given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for row in database.rows(SPLITS, **{name: given[name] for name in ("team_id", "from", "until", "theme_id")}):
        for parent in row["lineage_parents"]:
            if parent != row["lineage_id"]:
                found.setdefault(parent, set()).add(row["lineage_id"])
    return {parent: tuple(sorted(children)) for parent, children in found.items()}


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


def _novelty(database: Database, history: History, period: Mapping[str, Any]) -> Any:
    """Cosine distance of each lineage to the nearest one that began before it; inf where there is none."""
    rows = database.rows(CENTROIDS, **period, theme_id=history.theme_id)
    vectors = {row["lineage_id"]: np.asarray(row["latest"], dtype=np.float64) for row in rows}
    found = np.full(len(history.lineage_ids), np.inf)
    for row, lineage_id in enumerate(history.lineage_ids):
        own = vectors.get(lineage_id)
        if own is None or history.began[row] < 0:
            continue
        others = [
            vectors[each]
            for at, each in enumerate(history.lineage_ids)
            if history.began[at] < history.began[row] and each in vectors and vectors[each].shape == own.shape
        ]
        if others:
            found[row] = 1 - max(_cosine(own, other) for other in others)
    return found


def _cosine(one: Any, other: Any) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > 0 else 0.0


def with_runs_only(history: History, days: Collection[date]) -> History:
    """The history in which of these days only those count that have a run of their own."""
    complete = history.complete.copy()
    for day in days:
        t = history.column(day)
        if 0 <= t < history.days and day not in history.runs:
            complete[t] = False
    return replace(history, complete=complete)
