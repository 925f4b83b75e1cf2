"""The histories that rules are judged by, read from stored runs. What is made of them belongs in `judging`."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from llma_assets.alerts.blocked import Suspected, blocked_days
from llma_assets.alerts.judging import History
from llma_assets.alerts.novelty import novelty_of
from llma_assets.alerts.queries import (
    ARRIVED,
    COUNTS,
    COVERED,
    RUNS,
    SPENT,
    SPLITS,
)
from llma_assets.alerts.replays import replays_history
from llma_assets.alerts.rule import SESSION_REPLAYS, WITHOUT_THEME, Rule
from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.clusters import NOTHING, Lineage, Standing, counted_as, lineages_of, standings_of, taken_out_by_lineage
from llma_assets.tasks import Closed, closings_of, regressed_tasks
from llma_assets.team_day import TeamDay, midnight
from llma_assets.trace_events import TRIGGER_EVENTS

LONG_AGO = -10_000


@dataclass(frozen=True, slots=True)
class _Runs:
    level: str
    days: Mapping[date, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read of a team: lineages, what people decided about them, and rows by theme."""

    lineages: Sequence[Lineage] = ()
    decided: Mapping[str, Standing] = field(default_factory=dict)
    counts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    splits: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


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
    suspected: Suspected | None = None,
) -> dict[str, History]:
    """The history of each theme that the rules are about and that has a run, over the days that end with `until`.

    Args:
        judged: so many of the last days are judged; users of weeks are known for these alone.
        budget_usd: what the team may spend a day; None for no limit.
        suspected: which runs of the last day the blocking checks may find fault with; None to find out.
    """
    # Checks ask for the same rows again and again.
    database = database if isinstance(database, RememberingDatabase) else database.remembering()
    period = period_of(until, days)
    runs = _runs_by_theme(database, period)
    for theme_id in {theme for rule in rules for theme in rule.themes} - runs.keys():
        runs[theme_id] = _Runs("trace", {})
    wanted = {theme for rule in rules for theme in rule.themes} if all(rule.themes for rule in rules) else set(runs)
    of_team = [rule for rule in rules if rule.kind in WITHOUT_THEME]
    if len(of_team) == len(rules):
        wanted = set()
    days_by_theme = {theme_id: list(each.days) for theme_id, each in runs.items()}
    blocked = blocked_days(database, until, days_by_theme, period, suspected, judged) if wanted else {}
    kinds = {rule.kind for rule in rules}
    theme_ids = sorted(wanted) if all(rule.themes for rule in rules) else []
    read = _read(database, until.team_id, period, theme_ids, judged) if wanted else _Rows()
    found = {}
    for theme_id in sorted(wanted):
        history = _history(theme_id, runs[theme_id], period, read)
        history = replace(history, blocked=blocked.get(theme_id, {}))
        if "coverage" in kinds:
            history = replace(history, coverage=_coverage(database, until.team_id, history, period))
        if "regressed" in kinds:
            history = replace(history, closed=_closed(closings_of(database, until.team_id), read.decided))
        if "new_cluster" in kinds:
            history = replace(history, novelty=novelty_of(database, history, period))
        found[theme_id] = history
    if any(rule.kind == "regressed" and not rule.themes for rule in rules):
        tasks = regressed_tasks(database, until.team_id, period["from"], until.day, now=until.end)
        if tasks:
            found[SESSION_REPLAYS] = replays_history(tasks, period["from"], until.day)
    if of_team:
        found[NO_THEME] = _team_history(database, until, period, kinds, budget_usd)
    return found


def judged_by(rule: Rule, theme_id: str) -> bool:
    """Whether a rule is about the history of a theme, or of the team."""
    if rule.kind in WITHOUT_THEME or theme_id == NO_THEME:
        return rule.kind in WITHOUT_THEME and theme_id == NO_THEME
    if theme_id == SESSION_REPLAYS:
        return rule.kind == "regressed" and not rule.themes
    return not rule.themes or theme_id in rule.themes


def _team_history(
    database: Database, until: TeamDay, period: Mapping[str, Any], kinds: Collection[str], budget_usd: float | None
) -> History:
    history = _history(NO_THEME, _Runs("trace", {}), period, _Rows())
    days = [history.day(t) for t in range(history.days)]
    arrived = _arrived(database, until, history.first_day) if "nothing_arrived" in kinds else {}
    of_one = _of_one(until.team_id, period)
    spent = {row["day"]: row["usd"] for row in database.rows(SPENT, **of_one)} if "spend" in kinds else {}
    return replace(
        history,
        arrived=np.array([arrived.get(day, 0) for day in days], float),
        spent=np.array([spent.get(day, 0.0) for day in days], float),
        budget_usd=budget_usd,
        runs=frozenset(days),
        complete=np.ones(len(days), dtype=bool),
    )


def _closed(
    closings: Mapping[str, Sequence[Closed]], decided: Mapping[str, Standing]
) -> dict[str, list[tuple[date, date | None]]]:
    """By lineage as it is counted, the days on which its task was closed, and opened again."""
    found: dict[str, list[tuple[date, date | None]]] = {}
    for lineage_id, spans in closings.items():
        days = [(closed.date(), opened.date() if opened else None) for closed, opened in spans]
        found.setdefault(counted_as(lineage_id, decided), []).extend(days)
    return found


def _coverage(database: Database, team_id: int, history: History, period: Mapping[str, Any]) -> Any:
    found = np.full(history.days, np.nan)
    for row in database.rows(COVERED, **_of_one(team_id, period), theme_id=history.theme_id):
        found[history.column(row["day"])] = row["covered"] / row["wanted"]
    return found


def counts_history(database: Database, until: TeamDay, theme_id: str, *, days: int) -> History | None:
    """The counts of one theme over the days that end with `until`, without what few rules need; None without runs.

    Checks are not asked, so that no day is blocked.
    """
    period = period_of(until, days)
    runs = _runs_by_theme(database, period).get(theme_id)
    if runs is None:
        return None
    return _history(theme_id, runs, period, _read(database, until.team_id, period, [theme_id], judged=0))


def period_of(until: TeamDay, days: int) -> dict[str, Any]:
    """The parameters of statements about the days that end with one, of its team."""
    return {"team_ids": [until.team_id], "from": until.day - timedelta(days=days - 1), "until": until.day}


def _of_one(team_id: int, period: Mapping[str, Any]) -> dict[str, Any]:
    return {"team_id": team_id, "from": period["from"], "until": period["until"]}


def _runs_by_theme(database: Database, period: Mapping[str, Any]) -> dict[str, _Runs]:
    found: dict[str, dict[date, Mapping[str, Any]]] = {}
    levels: dict[str, str] = {}
    for row in database.rows(RUNS, **period):
        found.setdefault(row["theme_id"], {})[row["day"]] = row
        levels[row["theme_id"]] = row["level"]
    return {theme_id: _Runs(levels[theme_id], days) for theme_id, days in found.items()}


def weeks_from(until: date, judged: int) -> date:
    """The first of the days for which the users of the week that ends with it are counted."""
    return until - timedelta(days=judged - 1)


def _read(database: Database, team_id: int, period: Mapping[str, Any], theme_ids: Sequence[str], judged: int) -> _Rows:
    """What is read of a team's themes, or of some of them."""
    lineages = lineages_of(database, team_id)
    decided = standings_of(database, team_id)
    out = taken_out_by_lineage(decided, [each.lineage_id for each in lineages])
    taken_out = [(team_id, *pair) for pair in out]
    given = {"theme_ids": theme_ids, "taken_out": taken_out, "weeks_from": weeks_from(period["until"], judged)}
    counts = database.rows(COUNTS, **period, **given)
    splits = database.rows(SPLITS, **period) if judged else []
    return _Rows(lineages, decided, _by_theme(counts), _by_theme(splits))


def _by_theme(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["theme_id"], []).append(row)
    return found


def _history(theme_id: str, runs: _Runs, period: Mapping[str, Any], read: _Rows) -> History:
    first_day: date = period["from"]
    days = (period["until"] - first_day).days + 1
    lineages = [each for each in read.lineages if each.theme_id == theme_id]
    decided = read.decided
    found = read.counts.get(theme_id, []) if runs.days else []
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
    split_on = _split(read.splits.get(theme_id, []), counted) if runs.days else {}
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
        moved_on=_moved(runs, counted, first_day, {each.lineage_id: counted(each.lineage_id) for each in lineages}),
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


def _moved(
    runs: _Runs, counted: Callable[[str], str], first_day: date, by_people: Mapping[str, str]
) -> dict[date, dict[str, str]]:
    """By day and lineage that ended within another, that one; of several the first, which holds most of it.

    What people merged is counted with another on all days, so that it is moved from the first on.
    """
    found = {first_day: {gone: into for gone, into in by_people.items() if gone != into}}
    for day, row in runs.days.items():
        for each in json.loads(row["lineage"]).get("ended", ()):
            if each.get("into"):
                found.setdefault(day, {})[each["lineage_id"]] = counted(each["into"][0])
    return found


def _merged(runs: _Runs, counted: Callable[[str], str]) -> dict[date, dict[str, tuple[str, ...]]]:
    """By day and lineage, the lineages that became part of it that day."""
    found: dict[date, dict[str, set[str]]] = {}
    for day, row in runs.days.items():
        for each in json.loads(row["lineage"]).get("ended", ()):
            if each.get("into"):
                found.setdefault(day, {}).setdefault(counted(each["into"][0]), set()).add(each["lineage_id"])
    return _sorted(found)


def _split(rows: Sequence[Mapping[str, Any]], counted: Callable[[str], str]) -> dict[date, dict[str, tuple[str, ...]]]:
    """By day and lineage, the lineages that a run of that day is the first to split off it."""
    found: dict[date, dict[str, set[str]]] = {}
    for row in rows:
        for parent in row["lineage_parents"]:
            if parent != row["lineage_id"]:
                found.setdefault(row["first_day"], {}).setdefault(counted(parent), set()).add(row["lineage_id"])
    return _sorted(found)


def _sorted(found: Mapping[date, Mapping[str, Collection[str]]]) -> dict[date, dict[str, tuple[str, ...]]]:
    return {day: {name: tuple(sorted(each)) for name, each in of.items()} for day, of in found.items()}


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
