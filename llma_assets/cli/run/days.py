"""Which days have data, and the advice of commands for a day that has none.

The advice never names a run that `llma run` would refuse: it asks discovery first, without storing the decision.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import utc_today
from llma_assets.cli.queries import DAYS_WITH_ANYTHING, EVENT_DAYS, TEAMS_WITH_EVENTS
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import Theme

SHOWN_SPANS, SHOWN_TEAMS = 4, 10


def first_day_of(day: date, lookback_days: int, oldest_day: date) -> date:
    """The first day of the window of a run of `day`, not before the oldest partition."""
    from llma_assets.discovery import window_of

    return max(window_of(day, lookback_days)[0], oldest_day)


def window_of_theme(
    database: "Database", team_id: int, theme: "Theme", day: date | None, days: int | None
) -> "list[TeamDay]":
    """The days of a team that a command works on; by default the window of a run of the theme.

    Args:
        day: the last day; None for the latest with events.
        days: how many; None for as many as a run reads.

    Raises:
        Problem: no day was given, and the team has no events; the message names teams that have.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay

    if day is None:
        with_events = _event_days(database, team_id)
        if not with_events:
            raise Problem(_no_events(database, team_id))
        day = with_events[-1]
    if days is None:
        lookback_days = theme.lookback_days or team_settings().lookback_days
        days = max((day - first_day_of(day, lookback_days, Settings.from_env().oldest_day)).days + 1, 1)
    return TeamDay(team_id, day).window(days)


def days_with_events(database: "Database", team_id: int) -> str:
    """A sentence on which days the team has trace events, or which teams have some."""
    days = _event_days(database, team_id)
    return f"Team {team_named(team_id)} has events of {in_spans(days)}" if days else _no_events(database, team_id)


def require_day(database: "Database", day: date | None, team_id: int | None = None) -> date:
    """The given day.

    Raises:
        WrongUse: no day was given; the message lists the days with results.
    """
    if day is not None:
        return day
    raise WrongUse(f"give a day by --date. {days_with_results(database, team_id)}")


def days_with_results(database: "Database", team_id: int | None, day: date | None = None, *, options: str = "") -> str:
    """A sentence on which days a team has clusters, or any team has results, and which run would make more.

    Args:
        day: the requested day; None for the latest with events.
        options: of `llma run`, such as ` --theme errors`.
    """
    from llma_assets.clusters import clustered_days

    if team_id is None:
        days = [row["day"] for row in database.rows(DAYS_WITH_ANYTHING)]
        return f"Something has been run for {in_spans(days)}" if days else "Nothing has been run yet"
    clustered = clustered_days(database, team_id)
    if clustered:
        known = f"Team {team_named(team_id)} has clusters of {in_spans(clustered)}"
        return f"{known}. {run_advice(database, team_id, day, options=options)}" if day else known
    return f"Team {team_named(team_id)} has no clusters yet. {run_advice(database, team_id, day, options=options)}"


def run_advice(database: "Database", team_id: int, day: date | None = None, *, options: str = "") -> str:
    """The command that makes a team's clusters, or why it would leave the team out.

    Args:
        options: of the command, such as ` --theme errors`.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.discovery import discover
    from llma_assets.settings import Settings

    days = _event_days(database, team_id)
    if not days:
        return _no_events(database, team_id)
    oldest, today = Settings.from_env().oldest_day, utc_today()
    wanted = day or days[-1]
    if not oldest <= wanted <= today:
        return (
            f"{wanted} cannot be run: the first day is {oldest}, the last is today, {today}; "
            f"its events are of {in_spans(days)}"
        )
    settings = team_settings()
    decided = {each.team_id: each for each in discover(database, settings, wanted)}.get(team_id)
    if decided is not None and decided.eligible:
        return f"`llma run --team {team_id} --date {wanted}{options}` makes them"
    first_day = first_day_of(wanted, settings.lookback_days, oldest)
    why = f"{decided.reason}, {decided.detail}" if decided else f"no trace event from {first_day} to {wanted}"
    return f"`llma run` would leave it out on {wanted}: {why}; its events are of {in_spans(days)}"


def in_spans(days: Sequence[date]) -> str:
    """The last spans of consecutive days, such as `2026-11-22 to 2026-11-28, 2026-12-01`."""
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][-1] <= timedelta(days=1):
            spans[-1] = [spans[-1][0], day]
        else:
            spans.append([day, day])
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in spans[-SHOWN_SPANS:]]
    return ("… " if len(spans) > SHOWN_SPANS else "") + ", ".join(texts)


def _event_days(database: "Database", team_id: int) -> list[date]:
    from llma_assets.trace_events import TRIGGER_EVENTS

    rows = database.rows(EVENT_DAYS, team_id=team_id, until=utc_today(), trigger_events=list(TRIGGER_EVENTS))
    return [row["day"] for row in rows]


def _no_events(database: "Database", team_id: int) -> str:
    from llma_assets.trace_events import TRIGGER_EVENTS

    rows = database.rows(TEAMS_WITH_EVENTS, trigger_events=list(TRIGGER_EVENTS), most=SHOWN_TEAMS + 1)
    teams = ", ".join(str(row["team_id"]) for row in rows[:SHOWN_TEAMS]) + (", …" if len(rows) > SHOWN_TEAMS else "")
    no_team = "no other team has any: `llma ingest FILE` or `llma demo` adds some"
    others = f"teams with events: {teams}" if teams else no_team
    return f"Team {team_named(team_id)} has no trace events; {others}"
