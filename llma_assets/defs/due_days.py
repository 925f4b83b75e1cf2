"""Which partitions are due: teams that take part, days with events, and the results that exist.

Requesting runs belongs in `schedules.py` and `sensors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.defs.partitions import partition_key, teams
from llma_assets.discovery import EVENTS_BY_TEAM_AND_DAY, LET_IN_SINCE, TeamDecision, stored_decisions
from llma_assets.rendering import TEXTS_MADE_SINCE
from llma_assets.team_day import TeamDay, midnight
from llma_assets.teams import TeamSettings, why_left_out
from llma_assets.themes import GENERAL, TeamThemes, Theme, in_order
from llma_assets.trace_events import TRIGGER_EVENTS, EventsSeen

LATE_DAYS = 31
"""Sensors look back so many days; older days are materialized by hand."""

ONE_DAY = timedelta(days=1)
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL)


def days_to_make(database: Database, now: datetime) -> dict[str, TeamDay]:
    """Days before today whose texts must be made, newest first; keys say what made them due."""
    since = now.date() - timedelta(days=LATE_DAYS)
    made = {TeamDay(row["team_id"], row["day"]): row for row in database.rows(TEXTS_MADE_SINCE, since=since)}
    due = {}
    for team_day, seen in sorted(
        events_by_day(database, since, now).items(), key=lambda pair: pair[0].day, reverse=True
    ):
        row = made.get(team_day, {"events": 0, "events_digest": 0, "waits_until": None})
        waits_until = row["waits_until"] if row["waits_until"] is not None and row["waits_until"] <= now else None
        if team_day.day < now.date() and (waits_until or not seen.are(EventsSeen.of(row))):
            due[f"{partition_key(team_day)}|{seen.events}|{seen.digest}|{waits_until or ''}"] = team_day
    return due


def events_by_day(database: Database, since: date, now: datetime) -> dict[TeamDay, EventsSeen]:
    """The trigger events by partition since a day."""
    rows = database.rows(
        EVENTS_BY_TEAM_AND_DAY,
        start=midnight(since),
        end=now,
        trigger_events=list(TRIGGER_EVENTS),
    )
    return {TeamDay(row["team_id"], row["day"]): EventsSeen.of(row) for row in rows}


@dataclass(frozen=True, slots=True)
class TakingPart:
    """Partitions that sensors may request: `team_day in taking_part`.

    Attributes:
        now: teams that take part now.
        earlier: days in windows of former participation, for late events; teams that the gate leaves out are not there.
    """

    now: frozenset[int]
    earlier: frozenset[TeamDay]

    def __contains__(self, team_day: TeamDay) -> bool:
        return team_day.team_id in self.now or team_day in self.earlier


def taking_part(
    database: Database, instance: dg.DagsterInstance, settings: TeamSettings, today: date, since: date | None = None
) -> TakingPart:
    """The teams that take part today, and the days since `since` in windows of teams that were eligible.

    Args:
        since: None for `LATE_DAYS` ago.
    """
    allowed = _allowed_teams(instance, settings)
    rows = database.rows(LET_IN_SINCE, since=since or today - timedelta(days=LATE_DAYS))
    return TakingPart(
        frozenset(eligible_on(database, instance, settings, today)),
        frozenset(TeamDay(row["team_id"], row["day_of_window"]) for row in rows if row["team_id"] in allowed),
    )


def eligible_on(database: Database, instance: dg.DagsterInstance, settings: TeamSettings, day: date) -> set[int]:
    """The teams that are eligible on a day, or on the day before if discovery has not decided yet, without those that
    the gate leaves out now.
    """
    eligible = {each.team_id for each in decisions_on(database, day) if each.eligible}
    return eligible & _allowed_teams(instance, settings)


def _allowed_teams(instance: dg.DagsterInstance, settings: TeamSettings) -> set[int]:
    """The teams that Dagster knows, without those that the gate leaves out."""
    return {team_id for team_id in known_teams(instance) if why_left_out(settings, team_id) is None}


def decisions_on(database: Database, day: date) -> list[TeamDecision]:
    """The decisions of discovery for a day, or for the day before if there are none yet."""
    return stored_decisions(database, day) or stored_decisions(database, day - ONE_DAY)


def known_teams(instance: dg.DagsterInstance) -> set[int]:
    """The teams that discovery has registered."""
    return {int(team_id) for team_id in instance.get_dynamic_partitions(str(teams.name))}


def general_themes(themes: Mapping[int, TeamThemes], team_id: int) -> list[str]:
    """The general themes that a team has on; `themes` has only teams that changed their themes."""
    if team_id not in themes:
        return [theme.theme_id for theme in GENERAL]
    return [theme.theme_id for theme in themes[team_id].themes if theme.enabled and theme.theme_id in GENERAL_IDS]


def further_themes(themes: Mapping[int, TeamThemes], team_id: int) -> list[Theme]:
    """The themes beyond the general ones that a team has on, each after the one that it depends on."""
    if team_id not in themes:
        return []
    return [theme for theme in in_order(themes[team_id].themes) if theme.enabled and theme.theme_id not in GENERAL_IDS]
