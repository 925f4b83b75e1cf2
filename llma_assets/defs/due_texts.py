"""Which days of teams have texts, summaries or embeddings to make: not those that a run of a shard has left finished.

A day is finished if its texts were made of all its events, and nothing failed or was deferred afterwards, with the
settings, themes and code of now. One query for each of the three, whatever the number of teams.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.defs.made_with import made_with
from llma_assets.ledger import finished_since, record_all_finished
from llma_assets.rendering import TEXTS_MADE_OF_DAYS, TEXTS_MADE_SINCE
from llma_assets.summaries import days_with_failures
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.themes import TeamThemes, ThemeError, team_themes, themes_of_teams
from llma_assets.trace_events import EventsSeen

RUN_GROUP = ":texts"
"""Under this name the digests are stored; no theme can have it."""

NEVER = "-"
"""Equals no digest that is stored."""


def texts_due(
    database: Database, settings: TeamSettings, found: Mapping[TeamDay, EventsSeen], now: datetime
) -> dict[TeamDay, int]:
    """The days that have something to do, with the number of their events.

    Args:
        found: days with their events now.
    """
    if not found:
        return {}
    since = min(each.day for each in found)
    made = {TeamDay(row["team_id"], row["day"]): row for row in database.rows(TEXTS_MADE_SINCE, since=since)}
    finished = finished_since(database, since, RUN_GROUP)
    themes = themes_of_teams(database)
    due = {}
    for team_day, seen in found.items():
        row = made.get(team_day)
        is_quiet_now = row is not None and row["waits_until"] is not None and row["waits_until"] <= now
        if (
            row is None
            or not seen.are(EventsSeen.of(row))
            or is_quiet_now
            or finished.get(team_day, "") != _digest(settings, themes, team_day, seen.events)
        ):
            due[team_day] = seen.events
    return due


def record_texts_finished(database: Database, settings: TeamSettings, days: Collection[TeamDay]) -> None:
    """Remember that nothing is left to do of these days, which were made with nothing left over."""
    if not days:
        return
    about = {
        "team_ids": sorted({each.team_id for each in days}),
        "from": min(each.day for each in days),
        "until": max(each.day for each in days),
    }
    events = {TeamDay(row["team_id"], row["day"]): row["events"] for row in database.rows(TEXTS_MADE_OF_DAYS, **about)}
    # Whoever brings dead letters back wants them tried again.
    clean = {each for each in days if each in events} - days_with_failures(database, days)
    themes = themes_of_teams(database)
    digests = {each: _digest(settings, themes, each, events[each]) for each in sorted(clean, key=str)}
    record_all_finished(database, RUN_GROUP, {each: digest for each, digest in digests.items() if digest != NEVER})


def _digest(settings: TeamSettings, themes: Mapping[int, TeamThemes], team_day: TeamDay, events: int) -> str:
    """What a day was made of and with; `NEVER` where nothing is to be remembered."""
    team_id = team_day.team_id
    try:
        active = (themes.get(team_id) or team_themes(team_id, ())).active()
    except ThemeError:
        return NEVER
    made = made_with(settings, team_id, active, "texts")
    return hashlib.sha256(f"{events}|{made}".encode()).hexdigest() if made else NEVER
