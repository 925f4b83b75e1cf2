"""What a rule would have done on days that are over, by the code that judges; nothing is stored and nobody is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from llma_assets.alerts.deciding import Pair, decide, latest
from llma_assets.alerts.digests import digests_of
from llma_assets.alerts.evaluate import by_bucket, changes_told, pairs_of
from llma_assets.alerts.hours import HISTORY_HOURS_DAYS, hour_histories
from llma_assets.alerts.incidents import Incident, date_of
from llma_assets.alerts.judging import HISTORY_DAYS, HOURS, Decision
from llma_assets.alerts.messages import Message
from llma_assets.alerts.novelty import novelty_of
from llma_assets.alerts.rule import TESTED, Channel, Rule
from llma_assets.alerts.series import histories, period_of, with_runs_only
from llma_assets.alerts.telling import Put, messages
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

CHANNEL = Channel("preview", "webhook")
"""To which what would have been said goes."""

AFTER_DAY, AFTER_HOUR = timedelta(hours=2), timedelta(minutes=40)
"""So long after a day or an hour it is judged."""


@dataclass(frozen=True, slots=True)
class PreviewDay:
    """What a rule would have done on a day: the changes of incidents, and what would have been said."""

    day: date
    decisions: tuple[Decision, ...]
    said: tuple[str, ...]


def preview(
    database: Database,
    until: TeamDay,
    rule: Rule,
    days: int,
    *,
    budget_usd: float | None = None,
    beside: Sequence[Rule] = (),
) -> list[PreviewDay]:
    """What a rule would have done on the last days, by the code that judges; nothing is stored.

    Before the first of them no incident is open, and nothing is muted.

    Args:
        beside: the team's other rules that are on: what they look at counts for the correction, too.
    """
    if rule.kind == "digest":
        return _digests(database, until, rule, days)
    rule = replace(rule, channels=(CHANNEL.channel,))
    others = [each for each in beside if each.kind in TESTED and (each.rule, each.buckets) != (rule.rule, rule.buckets)]
    others = [each for each in others if each.buckets == rule.buckets]
    found: dict[date, PreviewDay] = {}
    known: Mapping[UUID, Incident] = {}
    outbox: list[Put] = []
    for bucket, now, pairs in _buckets(database, until, [rule, *others], days, budget_usd):
        own, more = ([each for each in pairs if (each[0] is rule) == is_own] for is_own in (True, False))
        decided = decide(until.team_id, own, bucket, known.values(), beside=more)
        known = latest(known.values(), decided)
        told = changes_told(decided, known.values())
        said = messages(until.team_id, told, {CHANNEL.channel: CHANNEL}, outbox, now, lambda change: ())  # noqa: ARG005
        outbox += [Put(name, message, now, at) for name, message, at in said]
        changes = tuple(each.decision for each in decided if each.decision.verdict in ("opened", "worse", "closed"))
        if changes or said:
            day = date_of(bucket)
            was = found.get(day, PreviewDay(day, (), ()))
            lines = tuple(_said(message) for _, message, _ in said)
            found[day] = PreviewDay(day, was.decisions + changes, was.said + lines)
    return list(found.values())


def _buckets(
    database: Database, until: TeamDay, rules: Sequence[Rule], days: int, budget_usd: float | None
) -> Iterator[tuple[date, datetime, list[Pair]]]:
    """Each bucket of the last days, the moment at which it would have been judged, and what by."""
    if rules[0].buckets == "hour":
        by_hour = hour_histories(database, until, rules, days=HISTORY_HOURS_DAYS + days - 1, judged=days)
        for pairs in by_bucket(pairs_of(rules, by_hour), days * HOURS.day):
            history = pairs[0][1]
            t = history.days - 1
            yield history.day(t), history.end(t) + AFTER_HOUR, pairs
        return
    read = histories(database, until, rules, days=HISTORY_DAYS + days - 1, judged=days, budget_usd=budget_usd)
    judged = [until.back(back) for back in reversed(range(days))]
    checked = {theme_id: with_runs_only(each, [day.day for day in judged]) for theme_id, each in read.items()}
    for team_day in judged:
        cut = {theme_id: each.until(each.column(team_day.day), HISTORY_DAYS) for theme_id, each in checked.items()}
        if rules[0].kind == "new_cluster":
            period = period_of(team_day, HISTORY_DAYS)
            cut = {name: replace(each, novelty=novelty_of(database, each, period)) for name, each in cut.items()}
        yield team_day.day, team_day.end + AFTER_DAY, pairs_of(rules, cut)


def _digests(database: Database, until: TeamDay, rule: Rule, days: int) -> list[PreviewDay]:
    found = []
    for back in reversed(range(days)):
        team_day = until.back(back)
        said = tuple(f"{each.headline}. {' '.join(each.facts)}" for each in digests_of(database, team_day, rule))
        if said:
            found.append(PreviewDay(team_day.day, (), said))
    return found


def _said(message: Message) -> str:
    kind = f"in the daily digest, {message.event}" if message.held else message.event
    return f"{kind}: {message.headline}. {' '.join(message.facts)}"
