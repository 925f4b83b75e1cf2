"""All teams at a glance: what was found last, what it cost, and why a team has nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from llma_assets.clickhouse import Database
from llma_assets.serialization import Amount, TeamId, ThemeId

SPENT_DAYS = 7
SPARK_DAYS = 28

# For whoever may see them: of all teams, or of those of a token. Key of clustering_runs: (team_id, day, theme_id).
LAST_RUNS = """
SELECT
    team_id,
    theme_id,
    max(day) AS last_day,
    argMax(items, day) AS items_then,
    argMax(clusters, day) AS clusters_then,
    argMax(noise_items, day) AS outliers_then
FROM clustering_runs FINAL
WHERE ({all_teams:Bool} OR team_id IN {team_ids:Array(Int64)}) AND items > 0
GROUP BY team_id, theme_id
ORDER BY team_id, items_then DESC, theme_id
"""

# Key of clustering_runs: (team_id, day, theme_id).
ITEMS_BY_DAY = """
SELECT team_id, day, max(items) AS items_of_day
FROM clustering_runs FINAL
WHERE ({all_teams:Bool} OR team_id IN {team_ids:Array(Int64)}) AND day >= {since:Date}
GROUP BY team_id, day
ORDER BY team_id, day
"""

# Key of eligible_teams: (team_id, day).
LAST_DECISIONS = """
SELECT
    team_id,
    max(day) AS decided_day,
    argMax(eligible, day) AS was_eligible,
    argMax(reason, day) AS last_reason,
    argMax(detail, day) AS last_detail,
    argMax(traces, day) AS last_traces
FROM eligible_teams FINAL
WHERE {all_teams:Bool} OR team_id IN {team_ids:Array(Int64)}
GROUP BY team_id
ORDER BY team_id
"""

# Key of model_usage: (team_id, day, …).
SPENT = """
SELECT
    team_id,
    sum(cost_usd) AS cost,
    sumIf(coalesce(cost_usd, at_most_usd, 0), toDate(timestamp) = {today:Date}) AS cost_today
FROM model_usage FINAL
WHERE ({all_teams:Bool} OR team_id IN {team_ids:Array(Int64)}) AND day >= {since:Date}
GROUP BY team_id
"""


@dataclass(frozen=True, slots=True)
class ThemeSummary:
    """A theme's last run with any items."""

    theme_id: ThemeId
    day: date
    items: int
    clusters: int
    outliers: int


@dataclass(frozen=True, slots=True)
class TeamSummary:
    """A team at a glance.

    Attributes:
        decided_day: the last day that discovery decided about it, None without one.
        eligible: what it decided.
        reason, detail: why, as a code and as a sentence.
        traces: in the window of that decision.
        themes: their last runs, the one of the most items first; empty without results.
        items_by_day: items of the largest run of each of the last four weeks' days that has one.
        cost_usd: of models in the last seven days.
        cost_today_usd: of them what was spent on this calendar day.
        daily_budget_usd: what a day may cost, None for no limit.
        name: what people call it, "" for nothing.
    """

    team_id: TeamId
    decided_day: date | None
    eligible: bool
    reason: str
    detail: str
    traces: int
    themes: tuple[ThemeSummary, ...]
    items_by_day: dict[date, int]
    cost_usd: Amount
    cost_today_usd: Amount = 0
    daily_budget_usd: Amount | None = None
    name: str = ""

    @property
    def last_day(self) -> date | None:
        """The latest day with results, None without any."""
        return max((theme.day for theme in self.themes), default=None)


@dataclass(frozen=True, slots=True)
class TeamsReport:
    """Teams by number."""

    teams: tuple[TeamSummary, ...]


def teams_report(
    database: Database,
    *,
    today: date,
    team_ids: Collection[int] | None = None,
    names: Mapping[int, str] = MappingProxyType({}),
    budget_of: Callable[[int], float | None] = lambda _: None,
) -> TeamsReport:
    """The teams that discovery has decided about, or that have results.

    Args:
        today: the end of the weeks that are looked at.
        team_ids: these only; all for None.
        names: what teams are called.
        budget_of: what a day of a team may cost, USD.
    """
    whose = {"all_teams": team_ids is None, "team_ids": sorted(team_ids or ())}
    decisions = {row["team_id"]: row for row in database.rows(LAST_DECISIONS, **whose)}
    themes: dict[int, list[ThemeSummary]] = {}
    for row in database.rows(LAST_RUNS, **whose):
        themes.setdefault(row["team_id"], []).append(
            ThemeSummary(
                row["theme_id"], row["last_day"], row["items_then"], row["clusters_then"], row["outliers_then"]
            )
        )
    by_day: dict[int, dict[date, int]] = {}
    for row in database.rows(ITEMS_BY_DAY, **whose, since=today - timedelta(days=SPARK_DAYS)):
        by_day.setdefault(row["team_id"], {})[row["day"]] = row["items_of_day"]
    since = today - timedelta(days=SPENT_DAYS - 1)
    spent = {
        row["team_id"]: (row["cost"] or 0, row["cost_today"])
        for row in database.rows(SPENT, **whose, since=since, today=today)
    }
    found = []
    for team_id in sorted({*decisions, *themes}):
        decision = decisions.get(team_id)
        found.append(
            TeamSummary(
                team_id=team_id,
                decided_day=decision["decided_day"] if decision else None,
                eligible=bool(decision and decision["was_eligible"]),
                reason=decision["last_reason"] if decision else "",
                detail=decision["last_detail"] if decision else "",
                traces=decision["last_traces"] if decision else 0,
                themes=tuple(themes.get(team_id, ())),
                items_by_day=by_day.get(team_id, {}),
                cost_usd=spent.get(team_id, (0, 0))[0],
                cost_today_usd=spent.get(team_id, (0, 0))[1],
                daily_budget_usd=budget_of(team_id),
                name=names.get(team_id, ""),
            )
        )
    return TeamsReport(tuple(found))
