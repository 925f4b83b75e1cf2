"""Who is told what of a team's incidents: what is said by itself, what in one message, and what in the daily digest.

Between two daily digests a channel is told of up to three openings by themselves; of more than three at once in one
message. What comes after that is in the digest, and so are the closings of what was not told by itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llma_assets.alerts.daily import digest_day, sent_at
from llma_assets.alerts.deciding import Change
from llma_assets.alerts.delivery import message_id
from llma_assets.alerts.incidents import STILL_OPEN, Incident
from llma_assets.alerts.messages import Event, Message, message_of, together
from llma_assets.alerts.quiet_hours import not_before
from llma_assets.alerts.rule import SAID_ONCE, Channel

MANY_AT_ONCE = 3
"""More at once become one message."""

_TOLD: Mapping[str, Event] = {"opened": "opened", "worse": "worse", "closed": "closed", "open": "again"}

Outgoing = tuple[str, Message, datetime]
"""A channel, what it is told, and the moment before which it is not sent."""

Examples = Callable[[Change], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Put:
    """A message that is in the outbox."""

    channel: str
    message: Message
    created_at: datetime
    not_before: datetime


def is_told(change: Change, known: Iterable[Incident]) -> bool:
    """Whether people are told: again only as often as was asked, and not soon after an earlier incident."""
    day, incident, rule = change.decision.day, change.incident, change.rule
    if change.decision.verdict == "open":
        lasts, again = day - incident.opened_day, timedelta(days=rule.again_days or 0)
        return change.mute_ended or (bool(again) and bool(lasts) and not lasts % again)
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


def messages(
    team_id: int,
    told: Sequence[Change],
    channels: Mapping[str, Channel],
    outbox: Sequence[Put],
    now: datetime,
    examples: Examples,
) -> list[Outgoing]:
    """The messages about changes, by channel; what is in the outbox already comes as it is there.

    Args:
        told: changes of one evaluation that people are told of.
        outbox: the team's messages of the last weeks.
        examples: titles of traces that show a change that is told by itself.
    """
    found = []
    for name in dict.fromkeys(name for each in told for name in each.rule.channels if name in channels):
        there = [each for each in outbox if each.channel == name]
        at_once = _AtOnce(name, channels[name], there, now, examples)
        changes = [(each, _said(team_id, each)) for each in told if name in each.rule.channels]
        # Whether a closing is said by itself follows from how its opening was.
        at_once.say([each for each in changes if each[1].event != "closed"])
        at_once.close([each for each in changes if each[1].event == "closed"])
        found += at_once.found
    return found


def _said(team_id: int, change: Change) -> Message:
    return message_of(_TOLD[change.decision.verdict], team_id, change.rule, change.incident, change.decision)


class _AtOnce:
    """What one channel is told after one evaluation."""

    def __init__(self, name: str, channel: Channel, there: Sequence[Put], now: datetime, examples: Examples) -> None:
        self.found: list[Outgoing] = []
        self._name, self._now, self._examples = name, now, examples
        self._is_keyed = channel.kind == "pagerduty"  # one incident there for one here, whatever their number
        self._there = {message_id(name, each.message): each for each in there}
        self._groups = {part: each for each in there if each.message.event == "several" for part in each.message.parts}
        self._alone: set[str] = set()
        self._told: set[str] = set(self._groups)
        for each in there:
            self._note(each.message)
        lately = [each.message for each in there if digest_day(each.created_at) == digest_day(now)]
        self._is_grouped = any(each.event == "several" for each in lately)
        self._single = sum(each.event == "opened" and not each.held for each in lately)

    def say(self, changes: Sequence[tuple[Change, Message]]) -> None:
        """Openings, changes for the worse, and what is told again."""
        fresh = []
        for change, message in changes:
            group = self._groups.get(message.incident_id) if message.event == "opened" else None
            if was := group or self._there.get(message_id(self._name, message)):
                self._add(was.message, was.not_before)
            elif self._is_keyed or (message.event != "opened" and message.incident_id in self._alone):
                self._by_itself(change, message)
            else:
                fresh.append((change, message))
        if len(fresh) > MANY_AT_ONCE and not self._is_grouped:
            self._add(together([each for _, each in fresh]), max(not_before(each.rule, self._now) for each, _ in fresh))
            self._is_grouped = True
            self._told |= {each.incident_id for _, each in fresh}
            return
        for change, message in fresh:
            if self._is_grouped or self._single >= MANY_AT_ONCE:
                self._hold(change, message)
            else:
                self._single += 1
                self._by_itself(change, message)

    def close(self, changes: Sequence[tuple[Change, Message]]) -> None:
        """Closings: of what the channel was not told of, nothing is said."""
        for change, message in changes:
            if was := self._there.get(message_id(self._name, message)):
                self._add(was.message, was.not_before)
            elif message.incident_id in self._alone:
                self._by_itself(change, message)
            elif message.incident_id in self._told:
                self._hold(change, message)

    def _by_itself(self, change: Change, message: Message) -> None:
        shown = tuple(self._examples(change)) if message.event == "opened" else ()
        self._add(replace(message, examples=shown), not_before(change.rule, self._now))

    def _hold(self, change: Change, message: Message) -> None:
        self._add(replace(message, held=True), sent_at(change.rule, self._now))

    def _add(self, message: Message, at: datetime) -> None:
        self._note(message)
        made = (self._name, message, at)
        if made not in self.found:
            self.found.append(made)

    def _note(self, message: Message) -> None:
        if message.event in ("opened", "worse", "again"):
            (self._told if message.held else self._alone).add(message.incident_id)
