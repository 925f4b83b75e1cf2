"""The sensor `theme_schedules`: runs each team's themes beyond the general ones by the schedule of each theme.

It decides when a schedule is due, for which days, and what waits for what. The jobs belong in `jobs.py`, the schedules
of the general themes in `schedules.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.defs.described import described
from llma_assets.defs.due_days import ONE_DAY, decisions_on, events_by_day, further_themes, known_teams
from llma_assets.defs.jobs import (
    ALL_STAGES,
    OLD_CONCURRENCY_TAG,
    TEXTS_STAGES,
    concurrency_key,
    theme_job,
    theme_request,
)
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.rendering import TEXTS_MADE_SINCE
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings, why_left_out
from llma_assets.themes import TeamThemes, Theme, themes_of_teams
from llma_assets.trace_events import EventsSeen

RHYTHMS: Mapping[str, tuple[timedelta, datetime]] = {
    "every_10_minutes": (timedelta(minutes=10), datetime(2024, 1, 1, tzinfo=UTC)),
    # The general run of the hour, which begins at :00, has made most texts by then.
    "hourly": (timedelta(hours=1), datetime(2024, 1, 1, 0, 10, tzinfo=UTC)),
    "daily": (ONE_DAY, datetime(2024, 1, 1, 1, 30, tzinfo=UTC)),
    "weekly": (7 * ONE_DAY, datetime(2024, 1, 1, 1, 30, tzinfo=UTC)),
}
"""How often each schedule is due, and a moment at which it was; weekly on Mondays."""

OF_TODAY = ("every_10_minutes", "hourly")
"""Schedules that run the current day; the others run the day that has ended."""

MOST_THEMES = 200
"""Themes that one tick decides about; the rest follows in the next ticks."""

SHOWN = 20
"""Themes that are not due whose note a tick shows; themes that are due come before them, all of them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sensor remembers of a theme.

    Attributes:
        looked_at: when it was last decided about; it is due again when its schedule has come since.
        covered: what was stored of texts until then has been asked for; None for nothing yet.
        version: the theme's, when it was asked for.
    """

    looked_at: datetime
    covered: datetime | None
    version: str


@dataclass(frozen=True, slots=True)
class Due:
    """A theme whose schedule has come.

    Attributes:
        team_id: whose.
        theme: which.
        slot: the moment at which it was due.
        target: the day that is clustered.
        seen: what is remembered of it.
    """

    team_id: int
    theme: Theme
    slot: datetime
    target: date
    seen: Seen | None

    @property
    def name(self) -> str:
        """As people read it."""
        return f"team {self.team_id}, {self.theme.theme_id}"

    @property
    def concurrency_key(self) -> str:
        """The concurrency key of its runs."""
        return concurrency_key(self.team_id, self.theme.theme_id)


@dataclass(slots=True)
class Tick:
    """The outcome of one evaluation: runs to request, what to remember, and a note about each theme."""

    requests: list[dg.RunRequest] = field(default_factory=list)
    memory: dict[str, Seen] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


@described(dg.sensor, job=theme_job, minimum_interval_seconds=120, default_status=dg.DefaultSensorStatus.STOPPED)
def theme_schedules(
    context: dg.SensorEvaluationContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult:
    """Every 2 minutes: runs the themes beyond the general ones whose schedule has come (every_10_minutes … weekly).

    It works for the teams that `discovery_hourly` let in; nothing else runs these themes.

    A tick with nothing due costs one query of the table `themes`. A theme that is due is asked for once, however many
    ticks were missed; days of its window whose texts are newer than its last run, or all of them where the theme was
    changed or its last run failed, are gone through in the same go.
    """
    now = clock()
    database = clickhouse.database().tagged(sensor="theme_schedules")
    tick = Tick()
    before = _read_memory(context.cursor)
    due = find_due(themes_of_teams(database), before, now, tick)
    if due:
        settings = team_settings.settings()
        taking_part = _of_teams_that_take_part(tick, due, database, context.instance, settings, now)
        _ask(tick, taking_part[:MOST_THEMES], database, context.instance, settings.lookback_days, now)
        for each in taking_part[MOST_THEMES:]:
            tick.notes[each.name] = "is due; in the next tick, because too many are at once"
    notes = {name: tick.notes[name] for name in (*sorted(each.name for each in due), *tick.notes)}
    if due:
        for line in in_lines(notes, len(due) + SHOWN):
            context.log.info(line)
    return dg.SensorResult(
        run_requests=tick.requests,
        skip_reason=None if tick.requests else dg.SkipReason("; ".join(in_lines(notes, SHOWN))),
        cursor=_write_memory(tick.memory),
    )


def slot_of(schedule: str, now: datetime) -> datetime:
    """The last moment at which a schedule was due; `now` itself may be it. Not for `manual`."""
    period, anchor = RHYTHMS[schedule]
    return anchor + (now - anchor) // period * period


def find_due(themes: Mapping[int, TeamThemes], memory: Mapping[str, Seen], now: datetime, tick: Tick) -> list[Due]:
    """The themes whose schedule has come since they were last looked at, longest ago first; the rest is noted.

    No query is made here. What is remembered of themes that are still switched on is kept in `tick`.
    """
    due = []
    for team_id in sorted(themes):
        active = further_themes(themes, team_id)
        on = {theme.theme_id for theme in themes[team_id].themes if theme.enabled}
        for theme in active:
            name, key = f"team {team_id}, {theme.theme_id}", concurrency_key(team_id, theme.theme_id)
            if seen := memory.get(key):
                tick.memory[key] = seen
            if theme.schedule == "manual":
                tick.notes[name] = f"manual: `llma run --team {team_id} --theme {theme.theme_id}` runs it"
                continue
            slot = slot_of(theme.schedule, now)
            target = now.date() if theme.schedule in OF_TODAY else slot.date() - ONE_DAY
            if theme.after is not None and theme.after not in on:
                tick.notes[name] = f"is to run after {theme.after}, which is switched off"
            elif not theme.covers(target):
                dates = f"{theme.first_day or '…'} to {theme.last_day or '…'}"
                tick.notes[name] = f"is for {dates}; {target} is outside"
            elif seen and seen.looked_at >= slot:
                following = slot + RHYTHMS[theme.schedule][0]
                changed = "" if seen.version in ("", theme.version) else "changed; "
                tick.notes[name] = f"{theme.schedule}: {changed}not due until {following:%Y-%m-%d %H:%M} UTC"
            else:
                due.append(Due(team_id, theme, slot, target, seen))
    return sorted(due, key=lambda each: each.seen.looked_at if each.seen else datetime.min.replace(tzinfo=UTC))


def _of_teams_that_take_part(
    tick: Tick,
    due: list[Due],
    database: Database,
    instance: dg.DagsterInstance,
    settings: TeamSettings,
    now: datetime,
) -> list[Due]:
    """The themes of teams that take part by now; the others stay due, so that they run once they do."""
    known = known_teams(instance)
    decisions = {each.team_id: each for each in decisions_on(database, now.date())}
    for each in due:
        decision = decisions.get(each.team_id)
        if left_out := why_left_out(settings, each.team_id):
            tick.notes[each.name] = f"the team takes no part: {left_out.reason}, {left_out.detail}"
        elif decision and not decision.eligible:
            tick.notes[each.name] = f"the team takes no part: {decision.reason}, {decision.detail}"
        elif decision is None or each.team_id not in known:
            tick.notes[each.name] = "waits until discovery (`discovery_hourly`) lets the team in"
    return [each for each in due if each.name not in tick.notes]


def _ask(
    tick: Tick, due: list[Due], database: Database, instance: dg.DagsterInstance, lookback_days: int, now: datetime
) -> None:
    """Decide about each theme that is due: a run, a reason why none is needed, or what it waits for."""
    ready: list[tuple[Due, bool]] = []
    parents = {each.concurrency_key for each in due}
    for each in due:
        after = concurrency_key(each.team_id, each.theme.after) if each.theme.after else ""
        if after in parents or (after and _state(instance, after) == "busy"):
            tick.notes[each.name] = f"waits for {each.theme.after}, which it runs after"
        elif (state := _state(instance, each.concurrency_key)) == "busy":
            tick.notes[each.name] = "waits for its last run, which is not over"
        else:
            ready.append((each, state == "failed"))
    if not ready:
        return
    oldest_day = Settings.from_env().oldest_day
    firsts = {each.concurrency_key: _first_day(each, lookback_days, oldest_day) for each, _ in ready}
    made: dict[int, dict[date, Mapping[str, Any]]] = {}
    for row in database.rows(TEXTS_MADE_SINCE, since=min(firsts.values())):
        made.setdefault(row["team_id"], {})[row["day"]] = row
    is_today = any(each.theme.schedule in OF_TODAY for each, _ in ready)
    events = events_by_day(database, now.date(), now) if is_today else {}
    for each, has_failed in ready:
        covered = each.seen.covered if each.seen else None
        # Decided until its schedule comes again; what its next run has to cover stays as it was.
        tick.memory[each.concurrency_key] = replace(each.seen, looked_at=now) if each.seen else Seen(now, None, "")
        why = _why_everything(each, has_failed)
        days = made.get(each.team_id, {})
        earlier = _earlier_days(each, days, firsts[each.concurrency_key], everything=bool(why))
        seen = events.get(TeamDay(each.team_id, now.date()), EventsSeen())
        if each.theme.schedule in OF_TODAY and not earlier and not _has_news(days.get(each.target), seen, covered, now):
            tick.notes[each.name] = f"nothing new on {each.target}"
            continue
        if each.theme.after and not why:
            # What that theme finds relevant may have changed on any day that it went through.
            why = f"it runs after {each.theme.after}"
            earlier = _earlier_days(each, days, firsts[each.concurrency_key], everything=True)
        tick.memory[each.concurrency_key] = Seen(now, now, each.theme.version)
        tick.requests += _requests(each, earlier)
        count_days = f"{len(earlier)} day{'s' if len(earlier) > 1 else ''}"
        also = f", and {count_days} from {earlier[0]} on: {why or 'their texts are newer'}" if earlier else ""
        tick.notes[each.name] = f"asked for {each.target}{also}"


def _state(instance: dg.DagsterInstance, key: str) -> Literal["busy", "failed", "idle"]:
    """How the last runs of a theme stand: a schedule asks for two at most."""
    runs = instance.get_runs(filters=dg.RunsFilter(tags={OLD_CONCURRENCY_TAG: key}), limit=2)
    if any(not run.is_finished for run in runs):
        return "busy"
    return "idle" if all(run.is_success for run in runs) else "failed"


def _why_everything(due: Due, has_failed: bool) -> str:
    """Why all days of the window are gone through, "" where only those with newer texts are."""
    if due.seen is None or due.seen.covered is None:
        return "its first run"
    if due.seen.version != due.theme.version:
        return "the theme was changed"
    return "its last run failed" if has_failed else ""


def _first_day(due: Due, lookback_days: int, oldest_day: date) -> date:
    days = due.theme.lookback_days or lookback_days
    return max(due.target - (days - 1) * ONE_DAY, oldest_day, due.theme.first_day or date.min)


def _earlier_days(due: Due, made: Mapping[date, Mapping[str, Any]], first: date, *, everything: bool) -> list[date]:
    """The days of the window before the target that have texts to go through, oldest first."""
    covered = due.seen.covered if due.seen else None
    return sorted(
        day
        for day, row in made.items()
        if first <= day < due.target
        and (
            everything
            or covered is None
            or row["made_at"] > covered
            # Today's schedule ends with the day before midnight is over; the rest of it is taken in the next day.
            or (day == due.target - ONE_DAY and covered.date() <= day)
        )
    )


def _has_news(made: Mapping[str, Any] | None, seen: EventsSeen, covered: datetime | None, now: datetime) -> bool:
    """Whether a day has events or texts that the theme has not been asked about."""
    if made is None or covered is None:
        return seen.events > 0
    is_quiet_now = made["waits_until"] is not None and made["waits_until"] <= now
    return bool(not seen.are(EventsSeen.of(made)) or is_quiet_now or made["made_at"] > covered)


def _requests(due: Due, earlier: list[date]) -> list[dg.RunRequest]:
    """A run over the earlier days up to their vectors, where there are any, and one over the whole path of the target.

    They share a concurrency key, so that the queue runs the second after the first.
    """
    key = f"{due.concurrency_key}|{due.theme.version}|{due.slot:%Y-%m-%dT%H:%M}"
    target = TeamDay(due.team_id, due.target)
    requests = [theme_request(target, target, due.theme.theme_id, f"{key}|{due.target}", stages=ALL_STAGES)]
    if earlier:
        first, last = TeamDay(due.team_id, earlier[0]), TeamDay(due.team_id, earlier[-1])
        run_key = f"{key}|{earlier[0]}..{earlier[-1]}"
        requests.insert(0, theme_request(first, last, due.theme.theme_id, run_key, stages=TEXTS_STAGES))
    return requests


def in_lines(notes: Mapping[str, str], most: int) -> list[str]:
    """What became of each theme, for people; beyond `most` themes only how many more there are."""
    if not notes:
        return ["no team has a theme on beyond the general ones; `llma themes enable` switches one on"]
    lines = [f"{name}: {note}" for name, note in list(notes.items())[:most]]
    return [*lines, f"and {len(notes) - most} more"] if len(notes) > most else lines


def _read_memory(cursor: str | None) -> dict[str, Seen]:
    return {
        key: Seen(_moment(looked_at), _moment(covered) if covered else None, version)
        for key, (looked_at, covered, version) in (json.loads(cursor) if cursor else {}).items()
    }


def _write_memory(memory: Mapping[str, Seen]) -> str:
    return json.dumps(
        {
            key: [seen.looked_at.timestamp(), seen.covered.timestamp() if seen.covered else 0, seen.version]
            for key, seen in memory.items()
        }
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
