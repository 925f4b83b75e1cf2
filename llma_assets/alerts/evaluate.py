"""A team's day: judge its rules, store what they decided, keep the incidents, and put messages into the outbox."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from llma_assets.alerts.blocked import Suspected
from llma_assets.alerts.deciding import Change, Decided, Pair, Silence, changed, decide, latest
from llma_assets.alerts.delivery import deliveries, put
from llma_assets.alerts.digests import digests_due
from llma_assets.alerts.hours import HISTORY_HOURS_DAYS, hour_histories
from llma_assets.alerts.incidents import Incident, incidents, store_decisions, store_incidents
from llma_assets.alerts.judging import HISTORY_DAYS, HOURS, Decision, History
from llma_assets.alerts.muting import mutes_of, silence_of
from llma_assets.alerts.rule import SESSION_REPLAYS, Rule
from llma_assets.alerts.series import histories, judged_by, with_runs_only
from llma_assets.alerts.store import TeamAlerts
from llma_assets.alerts.telling import Outgoing, Put, is_told, messages
from llma_assets.clickhouse import Database
from llma_assets.insights import releases_of
from llma_assets.reports import item_page
from llma_assets.team_day import TeamDay

NOTIFY_DAYS = 2
"""Of days that ended longer ago nobody is told: runs of old days and backfills change the history alone."""

EXAMPLES = 3


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
    messages: tuple[Outgoing, ...] = ()
    quiet_because: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


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
    rules = [rule for rule in team.enabled if rule.kind != "digest"]
    known = incidents(database, team_day.team_id)
    silence = _silence(database, team_day.team_id, now, release_property)
    decided: list[Decided] = []
    after = latest(known, ())
    told: list[Change] = []
    for bucket, pairs in _work(database, team_day, rules, now, budget_usd, suspected):
        found = decide(team_day.team_id, pairs, bucket, after.values(), silence)
        after = latest(after.values(), found)
        told += changes_told(found, after.values())
        decided += found
    has_ended = team_day.end <= now
    quiet = f"{team_day.day} ended more than {NOTIFY_DAYS} days ago" if ended_long_ago(team_day, now) else ""
    if not has_ended and not any(rule.buckets == "hour" for rule in rules):
        quiet = f"{team_day.day} has not ended"
    said: tuple[Outgoing, ...] = ()
    if not quiet:
        digests = [rule for rule in team.enabled if rule.kind == "digest" and has_ended]
        said = (
            *_messages(database, team_day, told, team, now),
            *digests_due(database, team_day, digests, list(team.channels), now),
        )
    versions = {rule.rule: rule.version for rule in rules}
    decisions = tuple((each.decision, each.muted) for each in decided)
    result = Evaluation(team_day, decisions, changed(known, after), said, quiet, versions)
    if not dry_run:
        store(database, [result], now)
    return result


def ended_long_ago(team_day: TeamDay, now: datetime) -> bool:
    """Whether a day is so old that nobody is told of it."""
    return team_day.end + timedelta(days=NOTIFY_DAYS) <= now


def changes_told(decided: Sequence[Decided], known: Iterable[Incident]) -> list[Change]:
    """The changes that people are told of."""
    known = list(known)
    return [each.change for each in decided if each.change and not each.muted and is_told(each.change, known)]


def _silence(database: Database, team_id: int, now: datetime, release_property: str) -> Silence:
    mutes = mutes_of(database, team_id)
    released: list[datetime] = []
    if any(each.until_release for each in mutes):
        known = releases_of(database, team_id, now=now, named_by=release_property)
        released = [each.released_at for each in known]
    return silence_of(mutes, now, released)


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
) -> Iterator[tuple[date, list[Pair]]]:
    """What is to be judged: buckets, each with the rules and the histories that they are judged by.

    That is the day, once it has ended; of rules over hours the hours of the day that are whole by now.
    """
    of_days = [rule for rule in rules if rule.buckets == "day"] if team_day.end <= now else []
    of_hours = [rule for rule in rules if rule.buckets == "hour"]
    if of_days:
        found = histories(database, team_day, of_days, days=HISTORY_DAYS, budget_usd=budget_usd, suspected=suspected)
        checked = {theme_id: with_runs_only(each, [team_day.day]) for theme_id, each in found.items()}
        yield team_day.day, pairs_of(of_days, checked)
    hours = hour_histories(database, team_day, of_hours, days=HISTORY_HOURS_DAYS) if of_hours else {}
    for pairs in by_bucket(pairs_of(of_hours, hours), HOURS.day):
        history = pairs[0][1]
        yield history.day(history.days - 1), pairs


def by_bucket(pairs: Sequence[Pair], last: int) -> Iterator[list[Pair]]:
    """For each of the last buckets what is to be judged in it: those whose history is complete there, cut to it."""
    for back in reversed(range(last)):
        whole = [(rule, each) for rule, each in pairs if each.complete[each.days - 1 - back]]
        if whole:
            yield [(rule, each.until(each.days - 1 - back, each.days - last + HOURS.day)) for rule, each in whole]


def pairs_of(rules: Sequence[Rule], found: Mapping[str, History]) -> list[Pair]:
    """Each rule with each history that it is about."""
    return [(rule, each) for rule in rules for theme_id, each in found.items() if judged_by(rule, theme_id)]


def _messages(
    database: Database, team_day: TeamDay, told: Sequence[Change], team: TeamAlerts, now: datetime
) -> list[Outgoing]:
    if not any(name in team.channels for each in told for name in each.rule.channels):
        return []
    outbox = [
        Put(each.channel, each.message, each.created_at, each.not_before)
        for each in deliveries(database, team_day.team_id, now)
    ]
    return messages(
        team_day.team_id, told, team.channels, outbox, now, lambda change: _examples(database, team_day, change)
    )


def _examples(database: Database, team_day: TeamDay, change: Change) -> list[str]:
    """Titles of the most typical items of the lineage; none of what is withheld."""
    incident = change.incident
    if not incident.subject or incident.theme_id == SESSION_REPLAYS:
        return []
    page = item_page(database, team_day, incident.theme_id, lineage_id=incident.subject, sort="typical", limit=EXAMPLES)
    return [f"{each.title} ({each.trace_id})" for each in page.items] if page else []
