"""Decides on the teams of a day from their events, and stores the decisions. The rule belongs in `decisions`."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.discovery import queries
from llma_assets.discovery.decisions import NO_RECENT_EVENTS, TeamDecision, TeamStats, decide, window_of
from llma_assets.source_catalog import register_tenants
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.trace_events import TRIGGER_EVENTS

REMEMBERED_DAYS = 31
"""A team without events gets a row if it had a decision within so many days before."""

ONE_DAY = timedelta(days=1)


def team_stats(database: Database, day: date, lookback_days: int) -> list[TeamStats]:
    """Count the trigger events and traces of every team in the `lookback_days` that end with `day`, UTC."""
    first_day, last_day = window_of(day, lookback_days)
    rows = database.rows(
        queries.TEAM_STATS,
        first_day=first_day,
        end_day=last_day + ONE_DAY,
        trigger_events=list(TRIGGER_EVENTS),
    )
    return [TeamStats(row["team_id"], row["traces"], row["events"], row["unreadable"]) for row in rows]


def discover(database: Database, settings: TeamSettings, day: date) -> list[TeamDecision]:
    """Decide which teams are eligible on `day`. Reads events of the window and earlier decisions.

    New tenants of sources are given a team; nothing else is written.

    A team that had events at its last decision and has none now is in the list with the reason `no_recent_events`.
    """
    first_day, last_day = window_of(day, settings.lookback_days)
    register_tenants(database, _midnight(first_day), _midnight(last_day + ONE_DAY))
    known = database.rows(
        queries.KNOWN_TEAMS,
        day=day,
        oldest_day=day - timedelta(days=REMEMBERED_DAYS),
        no_recent_events=NO_RECENT_EVENTS,
    )
    stats = team_stats(database, day, settings.lookback_days)
    return decide(stats, settings, day, [row["team_id"] for row in known])


def ask_decisions_of(database: RememberingDatabase, team_ids: Collection[int], day: date) -> None:
    """Ask for the stored decisions of a day of several teams at once: that of each is known then."""
    database.ask_together(queries.DECISIONS_OF_TEAMS, team_ids, day=day)


def stored_decisions(database: Database, day: date, team_id: int | None = None) -> list[TeamDecision]:
    """The stored decisions of `day` by team id, or that of one team; empty if discovery has not run for it."""
    rows = (
        database.rows(queries.DECISIONS_OF_DAY, day=day)
        if team_id is None
        else database.rows(queries.DECISIONS_OF_TEAMS, day=day, team_ids=[team_id])
    )
    return [
        TeamDecision(
            team_id=row["team_id"],
            eligible=row["eligible"],
            reason=row["reason"],
            detail=row["detail"],
            traces=row["traces"],
            events=row["events"],
            first_day=row["first_day"],
            last_day=row["end_day"] - ONE_DAY,
        )
        for row in rows
    ]


def store_decisions(database: Database, day: date, decisions: Sequence[TeamDecision]) -> int:
    """Store the decisions of `day` that are not stored yet or have changed.

    Returns:
        the number of rows written.
    """
    stored = set(stored_decisions(database, day))
    changed = [decision for decision in decisions if decision not in stored]
    database.insert_rows(
        "eligible_teams",
        [
            {
                "team_id": decision.team_id,
                "day": day,
                "eligible": decision.eligible,
                "reason": decision.reason,
                "detail": decision.detail,
                "traces": decision.traces,
                "events": decision.events,
                "window_start": _midnight(decision.first_day),
                "window_end": _midnight(decision.last_day + ONE_DAY),
            }
            for decision in changed
        ],
    )
    return len(changed)


def traces_with_events(database: Database, team_day: TeamDay) -> int:
    """How many traces of a team have events on a day."""
    return int(
        database.value(
            queries.TRACES_OF_TEAM_AND_DAY,
            team_id=team_day.team_id,
            trigger_events=list(TRIGGER_EVENTS),
            **{"from": team_day.start, "until": team_day.end},
        )
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
