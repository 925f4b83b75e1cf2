"""One bucket of a team: what its rules decide, and what becomes of its incidents. Knows no database.

The asset decides about a day by it, and a preview about many.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from llma_assets.alerts.incidents import Incident, incident_id
from llma_assets.alerts.judging import HOURS, Decision, History, Standing, Work, judge_together
from llma_assets.alerts.rule import Rule

Pair = tuple[Rule, History]
"""A rule and a theme that it is judged in."""


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that opens, changes or continues an incident.

    Attributes:
        mute_ended: somebody had silenced it until now.
    """

    rule: Rule
    incident: Incident
    decision: Decision
    mute_ended: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and the incident that it is about.

    Attributes:
        muted: nobody is told of it.
        change: None where there is no incident.
    """

    decision: Decision
    muted: bool
    change: Change | None


Silence = Callable[[Decision, History], tuple[bool, bool]]
"""Whether a decision is muted, and whether it was until the bucket before."""


def never(decision: Decision, history: History) -> tuple[bool, bool]:  # noqa: ARG001
    """Nothing is muted."""
    return False, False


def decide(
    team_id: int,
    pairs: Sequence[Pair],
    bucket: date,
    known: Iterable[Incident],
    silence: Silence = never,
    beside: Sequence[Pair] = (),
) -> list[Decided]:
    """What a team's rules decide in one bucket.

    Args:
        known: the team's incidents.
        silence: what people muted.
        beside: what the team's other rules look at: it counts for the correction, and nothing is decided about it.
    """
    incidents: dict[tuple[str, str, bool], list[Incident]] = {}
    for each in known:
        incidents.setdefault((each.rule_id, each.theme_id, each.of_hours), []).append(each)
    own = [incidents.get((rule.rule, history.theme_id, history.scale == HOURS), []) for rule, history in pairs]
    works = [Work(rule, history, _standing(of, bucket)) for (rule, history), of in zip(pairs, own, strict=True)] + [
        Work(rule, history, None) for rule, history in beside
    ]
    found = []
    for (rule, history), of, decisions in zip(pairs, own, judge_together(works, bucket), strict=False):
        of_rule = {each.incident_id: each for each in of}
        for decision in decisions:
            muted, was_muted = silence(decision, history)
            incident = _after(team_id, rule, history, decision, list(of_rule.values()), muted)
            change = Change(rule, incident, decision, was_muted and not muted) if incident else None
            if incident:
                of_rule[incident.incident_id] = incident
            found.append(Decided(decision, muted, change))
    return found


def _standing(own: Sequence[Incident], bucket: date) -> dict[str, Standing]:
    found = {}
    for each in sorted(own, key=lambda each: each.opened_day):
        if was := each.before(bucket):
            found[each.subject] = was
    return found


def _after(
    team_id: int, rule: Rule, history: History, decision: Decision, own: Sequence[Incident], muted: bool
) -> Incident | None:
    """The incident after a decision; None where there is none."""
    subject, day = decision.subject, decision.day
    if decision.verdict == "opened":
        return _opened(team_id, rule, history, decision, own, muted)
    if decision.verdict not in ("open", "worse", "closed"):
        return None
    before = {subject, *(gone for gone, into in history.moved(history.column(day)).items() if into == subject)}
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
    linked = tuple(sorted({*incident.linked, *history.split(history.column(day)).get(subject, ())}))
    after = replace(incident, subject=subject, title=decision.title or incident.title, linked=linked)
    if decision.verdict == "worse":
        after = replace(after, severity=max(decision.severity, after.severity))
    if decision.verdict == "closed" and (after.is_open or after.closed_day >= day):
        after = replace(after, closed_day=day, closed_because=decision.reason)
    return after


def _opened(
    team_id: int, rule: Rule, history: History, decision: Decision, own: Sequence[Incident], muted: bool
) -> Incident | None:
    subject, day = decision.subject, decision.day
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
    return made


def latest(known: Iterable[Incident], decided: Iterable[Decided]) -> dict[UUID, Incident]:
    """Incidents as they are after decisions, by their ids."""
    found: dict[UUID, Incident] = {each.incident_id: each for each in known}
    return found | {each.change.incident.incident_id: each.change.incident for each in decided if each.change}


def changed(known: Iterable[Incident], after: Mapping[UUID, Incident]) -> tuple[Incident, ...]:
    """Those that are not as they were."""
    before = {each.incident_id: each for each in known}
    return tuple(each for each in after.values() if before.get(each.incident_id) != each)
