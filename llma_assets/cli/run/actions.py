"""What follows from the results of a day: its alert rules judge it, and its trackers are synchronised."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from llma_assets.alerts import NOTIFY_DAYS, ended_long_ago, teams_with_rules
from llma_assets.defs.partitions import partition_key
from llma_assets.reports import ActionOutcome
from llma_assets.team_day import TeamDay
from llma_assets.trackers import teams_to_sync

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.defs.runner import Runner

OLD_DAY = "old_day"


def act(
    runner: "Runner", database: "Database", day: date, team_ids: Sequence[int], *, now: datetime
) -> dict[int, list[ActionOutcome]]:
    """Judge the day of teams, then synchronise their trackers; a team without rules or trackers costs nothing.

    Of a day that ended long ago nobody is told: it is judged, and trackers are left alone.

    Returns:
        what was done, by team.
    """
    found: dict[int, list[ActionOutcome]] = {team_id: [] for team_id in team_ids}
    for team_id, outcome in (*_judged(runner, database, day, team_ids), *_synced(runner, database, day, team_ids, now)):
        found[team_id].append(outcome)
    return found


def _judged(
    runner: "Runner", database: "Database", day: date, team_ids: Sequence[int]
) -> Iterator[tuple[int, ActionOutcome]]:
    days = [TeamDay(team_id, day) for team_id in sorted(teams_with_rules(database).keys() & set(team_ids))]
    if not days:
        return
    done = runner.judge(days)
    for each in days:
        details = done.details.get(("alerts", str(partition_key(each))))
        # A team that is not among them is what the run failed for, or it failed before any.
        error = done.error if details is None else ""
        if details or error:
            yield each.team_id, ActionOutcome("alerts", "", error, details or {}, done.run_id)


def _synced(
    runner: "Runner", database: "Database", day: date, team_ids: Sequence[int], now: datetime
) -> Iterator[tuple[int, ActionOutcome]]:
    for team_id in sorted(set(teams_to_sync(database)) & set(team_ids)):
        if ended_long_ago(TeamDay(team_id, day), now):
            reason = f"{day} ended more than {NOTIFY_DAYS} days ago"
            yield team_id, ActionOutcome("trackers", reason, "", {}, "")
            continue
        done = runner.sync_trackers(team_id)
        details = done.details.get(("trackers", str(team_id)), {})
        if details or done.error:
            yield team_id, ActionOutcome("trackers", "", done.error, details, done.run_id)
