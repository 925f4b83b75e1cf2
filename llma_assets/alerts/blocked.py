"""Days whose results do not count: a stage failed, or a blocking check finds fault with the results."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from llma_assets.alerts.queries import FAILURES
from llma_assets.clickhouse import Database
from llma_assets.clusters import days_to_check
from llma_assets.events import teams_with_empty_events
from llma_assets.reports import all_checks
from llma_assets.team_day import TeamDay

Suspected = Collection[tuple[int, str]]
"""Team and theme of runs that blocking checks may find fault with; theme "" for all of a team's."""

# The assets whose blocking checks `suspected_runs` stands for: each has to be in it.
_BLOCKING_ASSETS = ("cluster_assignments", "cluster_labels", "cluster_events")


def suspected_runs(database: Database, day: date, team_ids: Collection[int]) -> Suspected:
    """Which runs of a day the blocking checks may find fault with, of several teams by four queries.

    Checks read each run several times over; these queries find all that they would find, and perhaps more.
    """
    if not team_ids:
        return frozenset()
    empty = teams_with_empty_events(database, day, team_ids)
    return frozenset({*days_to_check(database, day, team_ids), *((team_id, "") for team_id in empty)})


def blocked_days(
    database: Database,
    until: TeamDay,
    days_by_theme: Mapping[str, Sequence[date]],
    period: Mapping[str, Any],
    suspected: Suspected | None = None,
    judged: int = 1,
) -> dict[str, dict[date, str]]:
    """Why days do not count, by theme: of earlier days the failures that are stored, of the last the checks, too.

    Args:
        days_by_theme: the days that have a run.
        suspected: for which runs of the last day the checks are evaluated; None to find out.
        judged: so many of the last days are judged, and checked.
    """
    found: dict[str, dict[date, str]] = {theme_id: {} for theme_id in days_by_theme}
    for row in database.rows(FAILURES, **period):
        reason = f"{row['stage']} failed: {row['detail']}"[:300]
        for theme_id in [row["theme_id"]] if row["theme_id"] else list(found):
            found.setdefault(theme_id, {}).setdefault(row["day"], reason)
    for back in range(judged):
        team_day = until.back(back)
        with_run = {theme_id for theme_id, days in days_by_theme.items() if team_day.day in days}
        if with_run:
            for theme_id, why in _failed_checks(database, team_day, with_run, None if back else suspected):
                found.setdefault(theme_id, {})[team_day.day] = why
    return found


def _failed_checks(
    database: Database, team_day: TeamDay, with_run: Collection[str], suspected: Suspected | None
) -> Iterator[tuple[str, str]]:
    if suspected is None:
        suspected = suspected_runs(database, team_day.day, [team_day.team_id])
    if not any((team_day.team_id, theme_id) in suspected for theme_id in (*with_run, "")):
        return
    for check in all_checks():
        if not check.blocking or check.asset not in _BLOCKING_ASSETS:
            continue
        for finding in check.findings(database, team_day):
            if not finding.passed:
                for theme_id in [finding.outcome.theme_id] if finding.outcome.theme_id else with_run:
                    yield theme_id, finding.sentence[:300]
