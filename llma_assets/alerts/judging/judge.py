"""The judgement of one rule on one day of a theme. Preview, judgement and benchmarks all go through `judge`."""

from collections.abc import Callable, Mapping

from llma_assets.alerts.judging.changes_kinds import merged, split
from llma_assets.alerts.judging.clusters_kinds import gone, new_cluster, regressed
from llma_assets.alerts.judging.counts_kinds import escalating, share_shift, threshold
from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.team_kinds import coverage, gate_blocked, noise, nothing_arrived, spend
from llma_assets.alerts.judging.verdicts import Decision, Standing
from llma_assets.alerts.rule import OF_TEAM, Kind, Rule

Judge = Callable[[Rule, History, int, Mapping[str, Standing]], list[Decision]]

_JUDGES: Mapping[Kind, Judge] = {
    "new_cluster": new_cluster,
    "regressed": regressed,
    "escalating": escalating,
    "threshold": threshold,
    "share_shift": share_shift,
    "gone": gone,
    "split": split,
    "merged": merged,
    "noise": noise,
    "coverage": coverage,
    "spend": spend,
    "gate_blocked": gate_blocked,
    "nothing_arrived": nothing_arrived,
}

HISTORY_DAYS = 90
"""Days before the judged one that a judgement may look at."""


def judge(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """Decide about every lineage of a theme, or about the theme, on one day.

    Args:
        rule: what is looked for.
        history: the theme up to the day at least; what comes after it is not looked at.
        t: column of the day.
        standing: the rule's incidents in this theme as the day before left them, by subject.

    Returns:
        a decision for each lineage that had a trace in the four weeks or has an open incident; one for the theme where
        the rule is about it.
    """
    day = history.day(t)
    if rule.kind not in OF_TEAM and (day in history.blocked or not history.complete[t]):
        reason = history.blocked.get(day) or "the day has no complete results"
        subjects = [""] + [each for each, was in standing.items() if was.is_open]
        return [Decision(rule.rule, history.theme_id, each, day, "no_data", reason) for each in subjects]
    return _JUDGES[rule.kind](rule, history, t, _moved(history, standing))


def _moved(history: History, standing: Mapping[str, Standing]) -> dict[str, Standing]:
    """Standings under the lineages that their own were merged into, where these have none that is open."""
    found = dict(standing)
    for gone_id, into in history.moved.items():
        was = found.get(gone_id)
        there = found.get(into)
        if was and was.is_open and not (there and there.is_open):
            found[into] = was
            del found[gone_id]
    return found
