"""Did the fix work? The daily rate of a problem before and after a change, of a lineage or of a task."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.clusters import EditError, UnknownLineageError, counted_as, find_lineage, standings_of
from llma_assets.insights import DayRate, Effect, Rates, Release, effect_of, lineage_rates
from llma_assets.serialization import TeamId
from llma_assets.tasks import Task, TaskOptions, list_tasks, task_days, task_history

REACH = timedelta(days=42)
"""Days before and after a change that are looked at."""

Answer = Literal["confirmed", "rarer", "not_fallen", "open"]
ANSWER_DAYS = 7
"""Fewest days after a change from which it is said for good whether a fix worked: a whole week."""
CLOSED = "the task was closed"
HALVED = 0.5
"""A rate has not fallen where it is sure that it was not even halved."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a change did to the rate of a problem.

    Attributes:
        kind: `lineage`: of the traces that its theme looked at; `task`: of the sessions of replays.
        id, title: the problem.
        theme_id: of a lineage, "" of a task.
        status: of a task, "" of a lineage.
        change: the first whole day after the change.
        because: what changed: a release, a day, or that the task was closed.
        traces, users: the effect on each; of no users where these are unknown.
        days: what was counted, by day.
        sentence: the answer in words.
        answer: after a whole week: `confirmed`: the rate is surely under a tenth of what was expected; `rarer`;
            `not_fallen`: it is surely not even halved; `open`: it is too early, or too little was counted.
    """

    team_id: TeamId
    kind: Literal["lineage", "task"]
    id: str
    title: str
    theme_id: str
    status: str
    change: date
    because: str
    traces: Effect
    users: Effect
    days: tuple[DayRate, ...]
    sentence: str
    answer: Answer = "open"


class NoChangeError(ValueError):
    """There is no moment to compare before and after of."""


def first_whole_day(moment: datetime) -> date:
    """The first day that lies wholly after a moment; of a midnight the day that begins then."""
    moment = moment.astimezone(UTC)
    return moment.date() if moment.time() == time() else moment.date() + timedelta(days=1)


def verify_lineage(database: Database, team_id: int, lineage: str, moment: datetime, because: str) -> Verification:
    """What a change did to a lineage, and to all that people count with it.

    Raises:
        EditError, UnknownLineageError: there is no such lineage, or several.
    """
    found = find_lineage(database, team_id, lineage)
    decided = standings_of(database, team_id)
    target = counted_as(found.lineage_id, decided)
    ids = {found.lineage_id, target, *(each for each in decided if counted_as(each, decided) == target)}
    change = first_whole_day(moment)
    rates = lineage_rates(database, team_id, found.theme_id, ids, change - REACH, change + REACH)
    standing = decided.get(target)
    title = (standing.title if standing else "") or found.title or target
    return _verification(team_id, "lineage", target, title, found.theme_id, "", moment, because, rates)


def verify_task(
    database: Database, team_id: int, task: Task, moment: datetime | None = None, because: str = ""
) -> Verification:
    """What a change did to a task; without one, what closing it did.

    Of a task that was made of a cluster, it is what became of the cluster.

    Raises:
        NoChangeError: no change is given, and nobody has closed it.
    """
    if moment is None:
        closed = [row for row in task_history(database, team_id, task) if row["change"] == "closed"]
        if not closed:
            raise NoChangeError(f"the task {task.task_id[:8]} was never closed: name a release or a day to compare")
        moment, because = closed[-1]["changed_at"], f"{CLOSED} by {closed[-1]['changed_by'] or 'someone'}"
    if task.lineage_id:
        try:
            return verify_lineage(database, team_id, task.lineage_id, moment, because)
        except (EditError, UnknownLineageError) as error:
            raise NoChangeError(str(error)) from error
    change = first_whole_day(moment)
    rows = task_days(database, team_id, task, change - REACH, change + REACH)
    rates = Rates(
        tuple(DayRate(row["day"], row["sessions_in"], row["sessions"]) for row in rows),
        tuple(DayRate(row["day"], row["users_in"], row["users"]) for row in rows),
    )
    return _verification(team_id, "task", task.task_id, task.title, "", task.status, moment, because, rates)


def verified_closings(
    database: Database, team_id: int, theme_id: str, *, now: datetime, options: TaskOptions, most: int = 10
) -> list[Verification]:
    """What closing the tasks of a theme's clusters did, the last closed first."""
    found = []
    for task in list_tasks(database, team_id, now=now, options=options):
        if task.theme_id == theme_id and task.status == "resolved":
            with suppress(NoChangeError):
                found.append(verify_task(database, team_id, task))
    return sorted(found, key=lambda each: each.change, reverse=True)[:most]


def _verification(
    team_id: int,
    kind: Literal["lineage", "task"],
    id: str,
    title: str,
    theme_id: str,
    status: str,
    moment: datetime,
    because: str,
    rates: Rates,
) -> Verification:
    change = first_whole_day(moment)
    # The day in which the change came is neither before nor after it.
    mixed = change - timedelta(days=1) if moment.astimezone(UTC).time() != time() else None
    traces = effect_of(_without(rates.traces, mixed), change)
    users = effect_of(_without(rates.users, mixed), change)
    unit = "traces" if kind == "lineage" else "sessions"
    answer = answer_of(traces, sum(each.whole > 0 for each in rates.traces if each.day >= change))
    sentence = _sentence(traces, unit, is_closed=status == "resolved" or because.startswith(CLOSED))
    if answer == "confirmed":
        sentence += " The fix is confirmed."
    return Verification(
        team_id, kind, id, title, theme_id, status, change, because, traces, users, rates.traces, sentence, answer
    )


def answer_of(effect: Effect, days_after: int) -> Answer:
    """Whether a fix worked, where that can be said for good.

    Args:
        days_after: how many days after the change were counted.
    """
    if days_after < ANSWER_DAYS or effect.low is None or effect.expected is None:
        return "open"
    if effect.verdict == "gone":
        return "confirmed"
    if effect.verdict == "less":
        return "rarer"
    return "not_fallen" if effect.low > -HALVED * effect.expected else "open"


def _without(days: Iterable[DayRate], mixed: date | None) -> list[DayRate]:
    return [each for each in days if each.day != mixed]


def _sentence(effect: Effect, unit: str, *, is_closed: bool) -> str:
    """The answer in words, with its numbers."""
    if effect.difference is None or effect.expected is None or effect.after is None:
        return (
            f"There are too few days to say anything: {effect.before_whole:,} {unit} were counted before the change, "
            f"{effect.after_whole:,} after it. Three days on each side are needed, and at least one with the problem."
        )
    assert effect.low is not None
    assert effect.high is not None
    numbers = (
        f"{effect.after:.1%} of {effect.after_whole:,} {unit} have it, where {effect.expected:.1%} were to be expected "
        f"({effect.difference * 100:+.1f} points, {effect.low * 100:+.1f} to {effect.high * 100:+.1f})"
    )
    match effect.verdict:
        case "gone":
            return f"The problem is gone: {numbers}."
        case "less":
            return f"It became rarer, and is still there: {numbers}."
        case "more":
            closed = " The task was closed, but its rate did not fall." if is_closed else ""
            return f"It became more frequent: {numbers}.{closed}"
    open_end = "The task was closed, but its rate has not fallen clearly" if is_closed else "No clear change"
    if effect.more_needed is None:
        too_little = "More traffic after the change would not tell: what was counted before it is too little"
        return f"{open_end}: {numbers}. {too_little}."
    return f"{open_end}: {numbers}. About {effect.more_needed:,} more {unit} after the change would tell."


@dataclass(frozen=True, slots=True)
class ReleasesReport:
    """The releases of a team, oldest first."""

    team_id: TeamId
    releases: tuple[Release, ...]
