"""The impact of a segment and the priority of a task, by keywords and formulas.

When a keyword counts belongs in `trouble_phrases`, matching in `matching`, a model's opinion in `labelling`.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from llma_assets.tasks.trouble_phrases import has_keyword, keyword_pattern, normalised, reports_trouble

FAILURE: Final = (
    "error",
    "failed",
    "failure",
    "exception",
    "crash",
    "not found",
    "404",
    "500",
    "timeout",
    "broken",
    "bug",
    "issue",
    "problem",
    "unexpected",
)
CONFUSION: Final = (
    "confus",
    "struggled",
    "repeatedly",
    "back and forth",
    "multiple attempts",
    "unclear",
    "couldn't find",
    "searched for",
    "looked for",
    "tried to",
)
ABANDONMENT: Final = (
    "abandon",
    "gave up",
    "left",
    "exited",
    "closed",
    "navigated away",
    "didn't complete",
    "incomplete",
)
HIGH_IMPACT: Final = 0.3
"""Noise above this impact is a task by itself; other noise waits for similar segments."""

_PATTERNS: Final = tuple(keyword_pattern(keywords) for keywords in (FAILURE, CONFUSION, ABANDONMENT))
_HALF_LIFE_DAYS: Final = 7.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Flags:
    """What went wrong in a segment, by its words."""

    failure: bool
    confusion: bool
    abandonment: bool

    @property
    def impact(self) -> float:
        """0.4 for failure, 0.3 for confusion, 0.2 for abandonment, together at most 1.

        >>> Flags(True, True, False).impact
        0.7
        """
        return round(min(1.0, 0.4 * self.failure + 0.3 * self.confusion + 0.2 * self.abandonment), 10)


def flags_of(description: str) -> Flags:
    """The flags of a segment's description, by keywords that it does not negate.

    >>> flags_of("The user gave up after error 500")
    Flags(failure=True, confusion=False, abandonment=True)
    >>> flags_of("The user finished without any error")
    Flags(failure=False, confusion=False, abandonment=False)
    """
    text = normalised(description)
    return Flags(*(has_keyword(pattern, text) for pattern in _PATTERNS))


def is_problem(description: str) -> bool:
    """Whether a description reports a problem, with or without a keyword."""
    return flags_of(description).impact > 0 or reports_trouble(normalised(description))


def priority(*, users: int, mean_impact: float, last_seen: datetime, now: datetime) -> float:
    """1.0 ln(1 + users) + 0.5 mean impact + 0.3 · 0.5^(days since the last occurrence / 7).

    Computed whenever a task is read, so that it decays over time. An occurrence in the future counts as now.
    """
    days = max(0.0, (now - last_seen).total_seconds() / _DAY_S)
    return math.log1p(users) + 0.5 * mean_impact + 0.3 * math.exp2(-days / _HALF_LIFE_DAYS)
