"""From numbers to decisions: what opens, goes on, gets worse or closes, and the reason where nothing fired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.correction import FALSE_ALARMS, Family
from llma_assets.alerts.judging.history import Floats, History
from llma_assets.alerts.judging.scale import HOURS
from llma_assets.alerts.judging.verdicts import Decision, Number, Standing, severity_of
from llma_assets.alerts.rule import Rule

Reasons = Sequence[tuple[NDArray[np.bool_], str]]
TOO_LONG = ("it was open for 14 days", "it was open for 72 hours")
NOT_THERE = "nothing is counted as this cluster any longer"
REMEMBERED_DAYS = 28
"""A lineage without a trace for so long is not decided about, unless an incident of it is open."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The measured values of a day and the limits that they are held against, each (lineages,).

    Attributes:
        value, low, high: the measure and its interval.
        limit: what opens an incident; its size says how severe a value is.
        closing: an open incident whose compared value is below it closes.
        numbers: more that is stored with the decision.
        compared: what is held against the limits where it is not the value itself.
        back: why an incident closes whose value is below `closing`.
    """

    value: Floats
    low: Floats
    high: Floats
    limit: Floats
    closing: Floats
    numbers: Mapping[str, NDArray[np.floating | np.integer]]
    compared: Floats | None = None
    back: str = "it is back within what is expected for a whole day"


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a rule sees of the lineages in a bucket, before it is known what else the team was looked at for.

    Attributes:
        line: values and limits.
        reasons: why a lineage is quiet, the first that holds is told; one for which none holds opens an incident.
        chance: (lineages,) how likely so much is if nothing happened; None where a value is no guess.
        asked: (lineages,) of which the rule may tell by all that does not depend on what is measured; others are not
            tested. None: of all.
        at_most: a chance above it, corrected for all that was looked at, is quiet; one for all, or (lineages,).
    """

    line: Line
    reasons: Reasons
    chance: Floats | None = None
    asked: NDArray[np.bool_] | None = None
    at_most: float | Floats = FALSE_ALARMS

    def tested(self, history: History, t: int) -> Floats:
        """The chances of what could have been told of: of lineages with a trace in the bucket."""
        if self.chance is None:
            return np.empty(0)
        seen = history.traces[:, t] > 0
        return self.chance[seen if self.asked is None else seen & self.asked]


def decisions_of(
    rule: Rule, history: History, t: int, standing: Mapping[str, Standing], looked: Looked, family: Family
) -> list[Decision]:
    """A decision for each lineage of the last four weeks, and for each with an open incident."""
    day = history.day(t)
    line, reasons, more = looked.line, list(looked.reasons), dict(looked.line.numbers)
    if looked.chance is not None:
        corrected = np.where(history.traces[:, t] > 0, family.corrected(looked.chance), 1.0)
        more |= {"chance": looked.chance, "chance_corrected": corrected}
        reasons.append((corrected > looked.at_most, "so much is likely by chance among so many clusters"))
    compared = line.value if line.compared is None else line.compared
    since = max(t - REMEMBERED_DAYS * history.scale.day, 0)
    seen: NDArray[np.bool_] = (history.traces[:, since : t + 1] > 0).any(axis=1)  # type: ignore[assignment]
    first = np.full(len(seen), len(reasons))
    for number in reversed(range(len(reasons))):
        first = np.where(reasons[number][0], number, first)
    found = []
    for row, lineage_id in enumerate(history.lineage_ids):
        was = standing.get(lineage_id)
        if not seen[row] and not (was and was.is_open):
            continue
        numbers: dict[str, Number] = {
            "value": _number(line.value[row]), "low": _number(line.low[row]), "high": _number(line.high[row]),
            "traces": _number(history.traces[row, t]), "users": _number(history.users[row, t]),
            **{name: _number(each[row]) for name, each in more.items()},
        }  # fmt: skip
        quiet = reasons[first[row]][1] if first[row] < len(reasons) else ""
        severity = severity_of(float(compared[row]), float(line.limit[row]))
        verdict, reason = "quiet", quiet
        if was and was.is_open:
            if lasted := _why_closed(was, history, t, line, row, quiet=bool(quiet)):
                verdict, reason, severity = "closed", lasted, was.severity
            elif not quiet and severity > was.severity:
                verdict, reason = "worse", "it got worse"
            else:
                verdict, reason, severity = "open", f"open since {was.opened_day}", was.severity
        elif not quiet and was and was.closed_because in TOO_LONG and _age(history, was, t) < history.scale.silent:
            reason = f"{was.closed_because.replace('was open', 'was told')}; what lasts is told no more"
        elif not quiet:
            verdict, reason = "opened", ""
        found.append(
            Decision(
                rule.rule, history.theme_id, lineage_id, day, verdict, reason, numbers,  # type: ignore[arg-type]
                0 if verdict == "quiet" else severity, history.titles.get(lineage_id, ""),
            )
        )  # fmt: skip
    unknown = {each: was for each, was in standing.items() if was.is_open and each not in history.lineage_ids}
    return found + [
        Decision(rule.rule, history.theme_id, each, day, "closed", NOT_THERE, {"value": 0.0}, was.severity)
        for each, was in unknown.items()
    ]


def _why_closed(was: Standing, history: History, t: int, line: Line, row: int, *, quiet: bool) -> str:
    compared = float((line.value if line.compared is None else line.compared)[row])
    if _age(history, was, t) >= history.scale.longest:
        return TOO_LONG[history.scale == HOURS]
    if compared < float(line.closing[row]):
        return line.back
    # A weekend of a lasting incident is half of its Friday, and still far above what is expected of it.
    return "it fell to half of what it was when it opened" if quiet and compared <= was.opening_value / 2 else ""


def _age(history: History, was: Standing, t: int) -> int:
    """Buckets since it opened."""
    return t - history.column(was.opened_day)


def _number(value: np.floating | np.integer) -> Number:
    number = float(value)
    return None if not np.isfinite(number) else round(number, 6)
