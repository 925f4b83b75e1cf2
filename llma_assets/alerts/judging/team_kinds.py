"""Rules about a theme or a team as a whole: outliers, coverage, blocked results, spend, nothing arrived."""

from collections.abc import Mapping

import numpy as np

from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.verdicts import Decision, Number, Standing, Verdict, severity_of
from llma_assets.alerts.rule import Rule

Numbers = dict[str, Number]
COVERED = 0.8
"""Less of what should have been clustered is told, where the rule says nothing else."""
NEAR_CAP = 0.8
"""So much of the budget is near it, where the rule says nothing else."""


def noise(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """More than so large a share of a day's items is in no cluster."""
    if not history.complete[t]:
        return [_decision(rule, history, t, "no_data", "the day has no complete results", {})]
    share, limit = float(history.outliers[t]), float(rule.above or 0.5)
    why = "" if share > limit else f"{share:.0%} of the items are in no cluster; at most {limit:.0%} may be"
    return [_told(rule, history, t, standing, why, {"value": share, "limit": limit}, severity_of(share, limit))]


def coverage(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """Less than such a share of the items that a theme should have clustered on a day is in its results."""
    known = history.coverage
    if known is None or not history.complete[t] or np.isnan(known[t]):
        return [_decision(rule, history, t, "no_data", "the day has no complete results", {})]
    share, limit = float(known[t]), COVERED if rule.below is None else float(rule.below)
    why = "" if share < limit else f"{share:.0%} of the items are in the results; at least {limit:.0%} must be"
    numbers: Numbers = {"value": share, "limit": limit}
    return [_told(rule, history, t, standing, why, numbers, severity_of(1 - share, max(1 - limit, 0.01)))]


def spend(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """The models of a day cost such a share of the team's budget."""
    cap, limit = history.budget_usd, NEAR_CAP if rule.above is None else float(rule.above)
    if cap is None or cap <= 0 or history.spent is None:
        return [_told(rule, history, t, standing, "the team has no daily budget", {"value": 0.0}, 1)]
    spent = float(history.spent[t])
    share = spent / cap
    why = "" if share >= limit else f"{share:.0%} of the budget was spent; it is told from {limit:.0%} on"
    numbers: Numbers = {"value": share, "limit": limit, "spent_usd": spent, "budget_usd": cap}
    return [_told(rule, history, t, standing, why, numbers, 3 if share >= 1 else 2)]


def gate_blocked(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """A blocking check failed on the day's results, or there are none although traces came."""
    why = history.blocked.get(history.day(t), "")
    numbers: Numbers = {"value": float(bool(why)), "traces": float(history.total[t])}
    decision = _told(rule, history, t, standing, "" if why else "every blocking check passed", numbers, 2)
    if decision.verdict != "opened":
        return [decision]
    return [_decision(rule, history, t, "opened", why, numbers, 2)]


def nothing_arrived(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """A day without traces, although the same weekday of the four weeks before had some."""
    arrived = history.total if history.arrived is None else history.arrived
    before = [float(arrived[each]) for each in range(t - 7, t - 29, -7) if each >= 0]
    numbers: Numbers = {"value": float(arrived[t]), "fewest_before": min(before, default=0.0)}
    why = "" if before and min(before) > 0 and arrived[t] <= 0 else "traces arrived, or none are expected"
    return [_told(rule, history, t, standing, why, numbers, 2)]


def _told(
    rule: Rule, history: History, t: int, standing: Mapping[str, Standing], quiet: str, numbers: Numbers, severity: int
) -> Decision:
    was = standing.get("")
    verdict: Verdict = "quiet" if quiet else "opened"
    if was and was.is_open:
        verdict, quiet = ("closed", quiet) if quiet else ("open", f"open since {was.opened_day}")
    return _decision(rule, history, t, verdict, quiet, numbers, 0 if verdict == "quiet" else severity)


def _decision(
    rule: Rule, history: History, t: int, verdict: Verdict, reason: str, numbers: Numbers, severity: int = 0
) -> Decision:
    return Decision(rule.rule, history.theme_id, "", history.day(t), verdict, reason, numbers, severity)
