"""The judgement of a team's rules in one bucket. Preview, judgement and benchmarks go through `judge_together`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from llma_assets.alerts.judging.changes_kinds import merged, split
from llma_assets.alerts.judging.closing import Looked, decisions_of
from llma_assets.alerts.judging.clusters_kinds import gone, new_cluster, regressed
from llma_assets.alerts.judging.correction import Family
from llma_assets.alerts.judging.counts_kinds import escalating, share_shift, threshold
from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.team_kinds import coverage, gate_blocked, noise, nothing_arrived, spend
from llma_assets.alerts.judging.verdicts import Decision, Standing
from llma_assets.alerts.rule import OF_TEAM, Kind, Rule

Look = Callable[[Rule, History, int], Looked]
Judge = Callable[[Rule, History, int, Mapping[str, Standing]], list[Decision]]

_LOOKS: Mapping[Kind, Look] = {
    "new_cluster": new_cluster,
    "regressed": regressed,
    "escalating": escalating,
    "threshold": threshold,
    "share_shift": share_shift,
    "gone": gone,
    "split": split,
    "merged": merged,
}
_JUDGES: Mapping[Kind, Judge] = {
    "noise": noise,
    "coverage": coverage,
    "spend": spend,
    "gate_blocked": gate_blocked,
    "nothing_arrived": nothing_arrived,
}

HISTORY_DAYS = 90
"""Days before the judged one that a judgement may look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A rule, and a theme that it is judged in.

    Attributes:
        history: up to the bucket at least; what comes after it is not looked at.
        standing: the rule's incidents in this theme as the bucket before left them, by subject; None where nothing is
            to be decided, and it only counts as looked at.
    """

    rule: Rule
    history: History
    standing: Mapping[str, Standing] | None = field(default_factory=dict)


def judge_together(works: Sequence[Work], bucket: date) -> list[list[Decision]]:
    """Decide about all that a team's rules look at in one bucket.

    Chances are corrected over all of them: over every series of the team, whatever its theme, measure or rule.

    Returns:
        of each work a decision for each lineage that had a trace in the four weeks or has an open incident; one for the
        theme where the rule is about it.
    """
    looks = [_look(each.rule, each.history, each.history.column(bucket)) for each in works]
    family = Family(
        look.tested(each.history, each.history.column(bucket)) for each, look in zip(works, looks, strict=True) if look
    )
    return [_decided(each, look, family, bucket) for each, look in zip(works, looks, strict=True)]


def judge(rule: Rule, history: History, t: int, standing: Mapping[str, Standing]) -> list[Decision]:
    """Decide about one rule in one theme, as if nothing else was looked at."""
    return judge_together([Work(rule, history, standing)], history.day(t))[0]


def _look(rule: Rule, history: History, t: int) -> Looked | None:
    if rule.kind in OF_TEAM or _no_data(history, t):
        return None
    return _LOOKS[rule.kind](rule, history, t)


def _decided(work: Work, look: Looked | None, family: Family, bucket: date) -> list[Decision]:
    rule, history, standing = work.rule, work.history, work.standing
    t = history.column(bucket)
    if standing is None:
        return []
    if rule.kind in OF_TEAM:
        return _JUDGES[rule.kind](rule, history, t, standing)
    if look is None:
        subjects = [""] + [each for each, was in standing.items() if was.is_open]
        reason = _no_data(history, t)
        return [Decision(rule.rule, history.theme_id, each, bucket, "no_data", reason) for each in subjects]
    return decisions_of(rule, history, t, _moved(history, t, standing), look, family)


def _no_data(history: History, t: int) -> str:
    """Why a bucket is not judged, "" if it is."""
    bucket = history.day(t)
    found = history.blocked.get(bucket.date() if isinstance(bucket, datetime) else bucket, "")
    return found or ("" if history.complete[t] else f"the {history.scale.name} has no complete results")


def _moved(history: History, t: int, standing: Mapping[str, Standing]) -> dict[str, Standing]:
    """Standings under the lineages that their own were merged into, where these have none that is open."""
    found = dict(standing)
    for gone_id, into in history.moved(t).items():
        was = found.get(gone_id)
        there = found.get(into)
        if was and was.is_open and not (there and there.is_open):
            found[into] = was
            del found[gone_id]
    return found
