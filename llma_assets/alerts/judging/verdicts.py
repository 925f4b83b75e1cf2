"""What a rule says about a lineage on a day, with all numbers that it was decided by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from llma_assets.serialization import Bucket

Verdict = Literal["opened", "open", "worse", "closed", "quiet", "no_data"]

Number = float | int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The incident of a rule and a lineage as the evening before left it.

    Attributes:
        opened_day, opening_value, severity: of the incident; the day is a datetime where hours are judged.
        closed_day: None while it is open.
        closed_because: the reason.
    """

    opened_day: date
    opening_value: float
    severity: int = 1
    closed_day: date | None = None
    closed_because: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_day is None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule decided about a subject on a day.

    Attributes:
        rule: the rule's name.
        theme_id: the theme.
        subject: the lineage, "" for the theme as a whole.
        day: the day.
        verdict: `opened`, `open` (goes on), `worse` (its severity rose), `closed`, `quiet` (did not fire), `no_data`.
        reason: why, in words.
        numbers: all that it was decided by.
        severity: 1, 2 or 3; 0 where there is no incident.
        title: of the lineage.
    """

    rule: str
    theme_id: str
    subject: str
    day: Bucket
    verdict: Verdict
    reason: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    severity: int = 0
    title: str = ""

    @property
    def value(self) -> float:
        """What was measured."""
        return float(self.numbers.get("value") or 0.0)


def severity_of(value: float, limit: float) -> int:
    """1 above the limit, 2 from twice it on, 3 from four times it on."""
    ratio = value / limit if limit > 0 else 1.0
    return 3 if ratio >= 4 else 2 if ratio >= 2 else 1


def followed(decisions: list[Decision], before: Mapping[str, Standing]) -> dict[str, Standing]:
    """The standings of a rule's lineages after a day's decisions."""
    after = dict(before)
    for each in decisions:
        was = before.get(each.subject)
        if each.verdict == "opened":
            after[each.subject] = Standing(each.day, each.value, each.severity)
        elif each.verdict == "worse" and was:
            after[each.subject] = Standing(was.opened_day, was.opening_value, each.severity)
        elif each.verdict == "closed" and was:
            after[each.subject] = Standing(was.opened_day, was.opening_value, was.severity, each.day, each.reason)
    return after
