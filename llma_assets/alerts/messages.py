"""What is said of an incident: the same facts for every channel. How a channel shows them belongs in `delivery`."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal
from urllib.parse import quote

from llma_assets.alerts.incidents import Incident, date_of, shown_bucket
from llma_assets.alerts.judging import Decision
from llma_assets.alerts.rule import SESSION_REPLAYS, Rule

Event = Literal["opened", "worse", "again", "closed", "several", "channel_off", "digest", "daily", "test"]
PAGES_VARIABLE = "LLMA_ALERTS_PAGES_URL"
"""Where people find the pages of `llma web`; begins the links of messages."""

SHOWN_TOGETHER = 20
UNKNOWN = "?"
_HEADS: Mapping[str, str] = {"opened": "", "worse": "Worse: ", "again": "Still open: ", "closed": "Closed: "}


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, in plain text that may be hostile; each channel escapes it.

    Attributes:
        event: why it is sent.
        team_id, day, rule, theme_id, lineage_id, incident_id: what it is about.
        severity: 1 to 3.
        headline: what happened, in a line.
        facts: lines: how much, how sure, since when.
        examples: three titles of traces.
        page, mute: links, "" where `PAGES_VARIABLE` is not set.
        mute_command: what mutes it from a shell.
        numbers: of a digest, what each of its facts rests on.
        days: of a digest, how many it is about; 0 of others.
        lineages: of several alerts in one message, the lineage that each of its facts is about, "" for none.
        parts: of several alerts in one message, their incidents; of a daily digest, the messages that waited for it.
        held: it waits for the daily digest, and is not sent by itself.
    """

    event: Event
    team_id: int
    day: str
    headline: str
    facts: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    rule: str = ""
    theme_id: str = ""
    lineage_id: str = ""
    incident_id: str = ""
    severity: int = 1
    page: str = ""
    mute: str = ""
    mute_command: str = ""
    numbers: tuple[Mapping[str, float | int | str], ...] = ()
    days: int = 0
    lineages: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    held: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Message":
        """The message of plain values."""
        lists = {name: tuple(values.get(name, ())) for name in ("facts", "examples", "numbers", "lineages", "parts")}
        return cls(**{**values, **lists})


def message_of(
    event: Event, team_id: int, rule: Rule, incident: Incident, decision: Decision, examples: Sequence[str] = ()
) -> Message:
    """The message about one incident."""
    title = (
        incident.title
        or incident.subject[:8]
        or (f"theme {incident.theme_id}" if incident.theme_id else f"team {team_id}")
    )
    base = os.environ.get(PAGES_VARIABLE, "").strip().rstrip("/")
    lineage = quote(incident.subject, safe="")
    of_task = incident.theme_id == SESSION_REPLAYS
    where = f"?theme={quote(incident.theme_id)}&date={date_of(decision.day)}"
    page = f"{base}/teams/{team_id}/tasks/{lineage}" if of_task else f"{base}/teams/{team_id}/clusters/{lineage}{where}"
    return Message(
        event=event,
        team_id=team_id,
        day=decision.day.isoformat(),
        headline=f"{_HEADS.get(event, '')}{rule.name or rule.rule}: {title}",
        facts=facts_of(rule, decision, incident.opened_day),
        examples=tuple(examples),
        rule=rule.rule,
        theme_id=incident.theme_id,
        lineage_id=incident.subject,
        incident_id=str(incident.incident_id),
        severity=incident.severity,
        page=page if base and lineage else "",
        mute=f"{base}/teams/{team_id}/alerts/{incident.incident_id}#silence" if base else "",
        mute_command=f"llma alerts mute --team {team_id} --rule {rule.rule}"
        + (f" --lineage {incident.subject}" if incident.subject else ""),
    )


def without_words(message: Message, withheld: Collection[str]) -> Message:
    """The message without words of lineages that may not be shown in full by now: numbers, nothing of their texts."""
    if message.event in ("several", "daily") and withheld:
        # Messages from before lineages were kept: nobody knows which of their facts are about what.
        lineages = message.lineages or (UNKNOWN,) * len(message.facts)
        told = [
            f"a cluster of few users{f' ({lineage[:8]})' if lineage != UNKNOWN else ''}"
            if lineage in withheld or lineage == UNKNOWN
            else fact
            for fact, lineage in zip(message.facts, lineages, strict=False)
        ]
        return replace(message, facts=(*told, *message.facts[len(lineages) :]))
    if message.lineage_id not in withheld:
        return message
    headline = f"{_HEADS.get(message.event, '')}{message.rule}: {message.lineage_id[:8]}"
    return replace(message, headline=headline, examples=())


def facts_of(rule: Rule, decision: Decision, since: date) -> tuple[str, ...]:
    """How much, how sure and since when, from the stored numbers alone."""
    numbers = decision.numbers
    lines = []
    if decision.reason:
        lines.append(decision.reason[0].upper() + decision.reason[1:] + ".")
    if rule.kind != "gate_blocked":
        said = _measured(rule, decision)
        if numbers.get("expected") is not None and numbers.get("sigma") is not None:
            said += f"; {_shown(numbers['expected'])} ± {_shown(numbers['sigma'])} are expected"
        if numbers.get("limit") is not None:
            side = "below" if rule.kind == "coverage" else "above"
            said += f"; it is told {side} {_shown(numbers['limit'])}"
        lines.append(said + ".")
    sure = []
    if numbers.get("low") is not None and numbers.get("low") != numbers.get("high"):
        sure.append(f"95 % interval {_shown(numbers['low'])} to {_shown(numbers['high'])}")
    chance = numbers.get("chance_corrected")
    if chance is not None and decision.verdict in ("opened", "worse"):
        sure.append("by chance in fewer than 1 of 1,000 days" if chance < 0.001 else f"by chance with p = {chance:.3f}")
    if numbers.get("users"):
        sure.append(f"{_shown(numbers['users'])} users")
    if sure:
        said = "; ".join(sure)
        lines.append(said[0].upper() + said[1:] + ".")
    lines.append(f"Since {shown_bucket(since)}.")
    return tuple(lines)


def _measured(rule: Rule, decision: Decision) -> str:
    """What was measured, in words that say of what."""
    numbers, day = decision.numbers, shown_bucket(decision.day)
    value, spent, cap = (float(numbers.get(name) or 0) for name in ("value", "spent_usd", "budget_usd"))
    number = _shown(numbers.get("value"))
    if rule.kind == "threshold" and rule.measure in ("error_rate", "share"):
        return f"{rule.measure.replace('_', ' ')} {value:.1%} on {day}"
    said: Mapping[str, str] = {
        "split": f"{number} split off it on {day}",
        "merged": f"{number} became part of it on {day}",
        "gone": f"{number} traces on {day}",
        "noise": f"{value:.0%} of the items of {day} are in no cluster",
        "coverage": f"{value:.0%} of the items of {day} are in the results",
        "spend": f"{spent:,.2f} of {cap:,.2f} USD a day were spent on {day}, {value:.0%}",
        "nothing_arrived": f"{number} events on {day}",
        "new_cluster": f"{number} traces since it began, up to {day}",
        "regressed": f"{number} occurrences in seven days up to {day}"
        if decision.theme_id == SESSION_REPLAYS
        else f"{number} traces in three days up to {day}",
        "share_shift": f"{value:.1%} of the traces of {day}",
    }
    return said.get(rule.kind, f"{number} {rule.measure.replace('_', ' ')} on {day}")


def together(messages: Sequence[Message]) -> Message:
    """Several messages of a team as one; those that there is no room for are counted."""
    shown = [f"{each.headline} ({each.facts[0]})" if each.facts else each.headline for each in messages]
    more = len(shown) - SHOWN_TOGETHER
    base = os.environ.get(PAGES_VARIABLE, "").strip().rstrip("/")
    return Message(
        event="several",
        team_id=messages[0].team_id,
        day=messages[0].day,
        headline=f"{len(messages)} alerts of team {messages[0].team_id} on {messages[0].day}",
        facts=tuple(shown[:SHOWN_TOGETHER] + ([f"and {more} more"] if more > 0 else [])),
        severity=max(each.severity for each in messages),
        incident_id=messages[0].incident_id,
        lineages=tuple(each.lineage_id for each in messages[:SHOWN_TOGETHER]),
        parts=tuple(each.incident_id for each in messages),
        page=f"{base}/teams/{messages[0].team_id}/alerts" if base else "",
        mute_command=f"llma alerts incidents --team {messages[0].team_id}",
    )


def _shown(value: float | int | None) -> str:
    return "?" if value is None else f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
