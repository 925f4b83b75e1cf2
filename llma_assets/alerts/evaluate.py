"""A team's day: judge its rules, store what they decided, keep the incidents, and put messages into the outbox."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from llma_assets.alerts.blocked import Suspected
from llma_assets.alerts.delivery import put
from llma_assets.alerts.digests import digests_due
from llma_assets.alerts.hours import HISTORY_HOURS_DAYS, hour_histories
from llma_assets.alerts.incidents import (
    STILL_OPEN,
    Incident,
    incident_id,
    incidents,
    store_decisions,
    store_incidents,
)
from llma_assets.alerts.judging import HISTORY_DAYS, HOURS, Decision, History, judge
from llma_assets.alerts.messages import Event, Message, message_of, together
from llma_assets.alerts.muting import Mute, mutes_of
from llma_assets.alerts.quiet_hours import not_before
from llma_assets.alerts.rule import SAID_ONCE, Rule
from llma_assets.alerts.series import histories, judged_by, with_runs_only
from llma_assets.alerts.store import TeamAlerts
from llma_assets.clickhouse import Database
from llma_assets.insights import releases_of
from llma_assets.reports import item_page
from llma_assets.team_day import TeamDay

NOTIFY_DAYS = 2
"""Of days that ended longer ago nobody is told: runs of old days and backfills change the history alone."""

MANY_AT_ONCE = 3
"""More openings of a team on one day become one message."""

EXAMPLES = 3
_TOLD: Mapping[str, Event] = {"opened": "opened", "worse": "worse", "closed": "closed", "open": "again"}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was decided about a team's day.

    Attributes:
        team_day: the day.
        decisions: each with whether it is muted.
        incidents: those that changed.
        messages: channel, message and the moment before which it is not sent.
        quiet_because: why nobody is told, whatever was decided; "" where people are.
        versions: of the rules, by name.
    """

    team_day: TeamDay
    decisions: tuple[tuple[Decision, bool], ...] = ()
    incidents: tuple[Incident, ...] = ()
    messages: tuple[tuple[str, Message, datetime], ...] = ()
    quiet_because: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    """A decision that changes or continues an incident."""

    rule: Rule
    incident: Incident
    decision: Decision
    muted: bool


def evaluate(
    database: Database,
    team_day: TeamDay,
    team: TeamAlerts,
    *,
    now: datetime,
    dry_run: bool = False,
    budget_usd: float | None = None,
    release_property: str = "",
    suspected: Suspected | None = None,
) -> Evaluation:
    """Judge a team's day by its rules; the same day judged again gives the same incidents and the same messages.

    Without a rule that is switched on it asks the database nothing.

    Args:
        now: of old days nobody is told.
        dry_run: store nothing, tell nobody.
        budget_usd: what the team may spend a day; None for no limit.
        release_property: the property of events that names a release, "" for none.
        suspected: which runs of the day the blocking checks may find fault with; None to find out.
    """
    if not team.enabled:
        return Evaluation(team_day, quiet_because="no rule is switched on")
    rules = {rule.rule: rule for rule in team.enabled if rule.kind != "digest"}
    known = incidents(database, team_day.team_id)
    mutes = mutes_of(database, team_day.team_id)
    released: list[datetime] = []
    if any(each.until_release for each in mutes):
        known_releases = releases_of(database, team_day.team_id, now=now, named_by=release_property)
        released = [each.released_at for each in known_releases]
    decided: list[tuple[Decision, bool]] = []
    changes: list[_Change] = []
    for rule, history, buckets in _work(database, team_day, list(rules.values()), now, budget_usd, suspected):
        of_rule = (rule.rule, history.theme_id, history.scale == HOURS)
        own = {each.incident_id: each for each in known if (each.rule_id, each.theme_id, each.of_hours) == of_rule}
        for bucket in buckets:
            for decision in _judged(rule, history, bucket, list(own.values())):
                muted = _is_muted(mutes, decision, history, now, released)
                decided.append((decision, muted))
                if change := _change(team_day.team_id, rule, history, decision, list(own.values()), muted):
                    changes.append(change)
                    own[change.incident.incident_id] = change.incident
    has_ended = team_day.end <= now
    quiet = f"{team_day.day} ended more than {NOTIFY_DAYS} days ago" if ended_long_ago(team_day, now) else ""
    if not has_ended and not any(rule.buckets == "hour" for rule in rules.values()):
        quiet = f"{team_day.day} has not ended"
    messages: tuple[tuple[str, Message, datetime], ...] = ()
    if not quiet:
        digests = [rule for rule in team.enabled if rule.kind == "digest" and has_ended]
        messages = (
            *_messages(database, team_day, changes, known, team, now),
            *digests_due(database, team_day, digests, list(team.channels), now),
        )
    # Of an incident that changes in several hours of the day, as the last of them leaves it.
    latest = {each.incident.incident_id: each.incident for each in changes}
    changed = tuple(each for each in latest.values() if each not in known)
    versions = {name: rule.version for name, rule in rules.items()}
    result = Evaluation(team_day, tuple(decided), changed, messages, quiet, versions)
    if not dry_run:
        store(database, [result], now)
    return result


def ended_long_ago(team_day: TeamDay, now: datetime) -> bool:
    """Whether a day is so old that nobody is told of it."""
    return team_day.end + timedelta(days=NOTIFY_DAYS) <= now


def store(database: Database, evaluations: Sequence[Evaluation], now: datetime) -> None:
    """Store what was decided about the days of several teams, each of another one.

    In this order: whoever is told finds the incident, and a day counts as judged once its decisions are there, so that
    what a killed run left is judged again; the same incidents and messages follow from it.
    """
    store_incidents(database, {each.team_day.team_id: each.incidents for each in evaluations})
    for each in evaluations:
        put(database, now, each.messages)
    store_decisions(
        database,
        {
            each.team_day.team_id: [(made, each.versions[made.rule], muted) for made, muted in each.decisions]
            for each in evaluations
        },
    )


def _work(
    database: Database,
    team_day: TeamDay,
    rules: Sequence[Rule],
    now: datetime,
    budget_usd: float | None,
    suspected: Suspected | None,
) -> Iterator[tuple[Rule, History, list[date]]]:
    """What is to be judged: each rule with a history and its buckets.

    That is the day, once it has ended; of rules over hours the hours of the day that are whole by now.
    """
    of_days = [rule for rule in rules if rule.buckets == "day"] if team_day.end <= now else []
    of_hours = [rule for rule in rules if rule.buckets == "hour"]
    if of_days:
        found = histories(database, team_day, of_days, days=HISTORY_DAYS, budget_usd=budget_usd, suspected=suspected)
        for rule in of_days:
            for theme_id, history in found.items():
                if judged_by(rule, theme_id):
                    yield rule, with_runs_only(history, [team_day.day]), [team_day.day]
    hours = hour_histories(database, team_day, of_hours, days=HISTORY_HOURS_DAYS) if of_hours else {}
    for rule in of_hours:
        for theme_id, history in hours.items():
            if judged_by(rule, theme_id):
                first = history.days - HOURS.day
                yield rule, history, [history.day(t) for t in range(first, history.days) if history.complete[t]]


def _judged(rule: Rule, history: History, day: date, own: Sequence[Incident]) -> list[Decision]:
    standing = {}
    for each in sorted(own, key=lambda each: each.opened_day):
        if was := each.before(day):
            standing[each.subject] = was
    return judge(rule, history, history.column(day), standing)


def _is_muted(
    mutes: Sequence[Mute], decision: Decision, history: History, now: datetime, released: Sequence[datetime]
) -> bool:
    t = history.column(decision.day)
    return any(each.holds(decision.rule, decision.subject, history, t, now, released) for each in mutes)


def _change(
    team_id: int, rule: Rule, history: History, decision: Decision, own: Sequence[Incident], muted: bool
) -> _Change | None:
    """The incident after a decision; None where there is none."""
    subject, day = decision.subject, decision.day
    if decision.verdict == "opened":
        made = Incident(
            incident_id(team_id, rule, history.theme_id, subject, day), rule.rule, rule.version, history.theme_id,
            subject, subject, decision.title, day, decision.value, decision.severity, muted=muted,
        )  # fmt: skip
        later = [each for each in own if each.subject == subject and each.opened_day >= day]
        # An old day that is judged again does not open a second one beside what came after.
        if any(each.incident_id != made.incident_id for each in later):
            return None
        there = next((each for each in later if each.incident_id == made.incident_id), None)
        if there:
            made = replace(made, closed_day=there.closed_day, closed_because=there.closed_because, muted=there.muted)
        return _Change(rule, made, decision, muted)
    if decision.verdict not in ("open", "worse", "closed"):
        return None
    before = {subject, *(gone for gone, into in history.moved.items() if into == subject)}
    incident = next(
        (
            each
            for each in sorted(own, key=lambda each: (each.subject == subject, each.opened_day), reverse=True)
            if each.subject in before and (was := each.before(day)) and was.is_open
        ),
        None,
    )
    if incident is None:
        return None
    linked = tuple(sorted({*incident.linked, *history.split.get(subject, ())}))
    after = replace(incident, subject=subject, title=decision.title or incident.title, linked=linked)
    if decision.verdict == "worse":
        after = replace(after, severity=max(decision.severity, after.severity))
    if decision.verdict == "closed" and (after.is_open or after.closed_day >= day):
        after = replace(after, closed_day=day, closed_because=decision.reason)
    return _Change(rule, after, decision, muted)


def _messages(
    database: Database,
    team_day: TeamDay,
    changes: Sequence[_Change],
    known: Sequence[Incident],
    team: TeamAlerts,
    now: datetime,
) -> Iterator[tuple[str, Message, datetime]]:
    told = [each for each in changes if not each.muted and not each.incident.muted and _is_told(each, known)]
    opened = [each for each in told if each.decision.verdict == "opened"]
    by_channel: dict[str, list[tuple[Message, datetime]]] = {}
    for each in told:
        names = [name for name in each.rule.channels if name in team.channels]
        if not names:
            continue
        event = _TOLD[each.decision.verdict]
        shown = _examples(database, team_day, each) if event == "opened" and len(opened) <= MANY_AT_ONCE else ()
        message = message_of(event, team_day.team_id, each.rule, each.incident, each.decision, shown)
        for name in names:
            by_channel.setdefault(name, []).append((message, not_before(each.rule, now)))
    for name, messages in by_channel.items():
        openings = [(each, at) for each, at in messages if each.event == "opened"]
        if len(openings) > MANY_AT_ONCE and team.channels[name].kind != "pagerduty":
            yield name, together([each for each, _ in openings]), max(at for _, at in openings)
            yield from ((name, each, at) for each, at in messages if each.event != "opened")
        else:
            yield from ((name, each, at) for each, at in messages)


def _is_told(change: _Change, known: Sequence[Incident]) -> bool:
    """Whether people are told: again only as often as was asked, and not soon after an earlier incident."""
    day, incident, rule = change.decision.day, change.incident, change.rule
    if change.decision.verdict == "open":
        lasts, again = day - incident.opened_day, timedelta(days=rule.again_days or 0)
        return bool(again) and bool(lasts) and not lasts % again
    if change.decision.verdict != "opened":
        return change.decision.verdict != "closed" or rule.kind not in SAID_ONCE
    return not any(
        each.closed_day != STILL_OPEN
        and each.of_hours == incident.of_hours
        and 0 <= (day - each.closed_day).days < rule.cool_down_days
        for each in known
        if (each.rule_id, each.theme_id, each.subject) == (incident.rule_id, incident.theme_id, incident.subject)
        and each.incident_id != incident.incident_id
    )


def _examples(database: Database, team_day: TeamDay, change: _Change) -> list[str]:
    """Titles of the most typical items of the lineage; none of what is withheld."""
    incident = change.incident
    if not incident.subject:
        return []
    page = item_page(database, team_day, incident.theme_id, lineage_id=incident.subject, sort="typical", limit=EXAMPLES)
    return [f"{each.title} ({each.trace_id})" for each in page.items] if page else []
