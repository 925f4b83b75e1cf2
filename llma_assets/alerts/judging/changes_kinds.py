"""Rules about what became of a cluster in a run: split, merged. Each is said once, on the day that the run says so."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from llma_assets.alerts.judging.closing import Line, Looked
from llma_assets.alerts.judging.history import History, rolling_sum
from llma_assets.alerts.rule import Rule

WEEK = 7
ByDay = Mapping[date, Mapping[str, tuple[str, ...]]]


def split(rule: Rule, history: History, t: int) -> Looked:
    """A lineage of which others were split off on the day."""
    return _changed(rule, history, t, history.split_on, "nothing was split off it", "parts")


def merged(rule: Rule, history: History, t: int) -> Looked:
    """A lineage that others became part of on the day."""
    return _changed(rule, history, t, history.merged_on, "no other was merged into it", "merged")


def _changed(rule: Rule, history: History, t: int, changes: ByDay, quiet: str, name: str) -> Looked:
    today = changes.get(history.day(t), {})
    number = np.array([float(len(today.get(each, ()))) for each in history.lineage_ids])
    week = rolling_sum(history.traces[:, : t + 1], WEEK)[:, t]
    users = history.users_week[:, t]
    reasons = (
        (number <= 0, quiet),
        (week < rule.min_traces, f"fewer than {rule.min_traces} traces in seven days"),
        (users < rule.min_users, f"fewer than {rule.min_users} users in seven days"),
    )
    line = Line(
        value=number, low=number, high=number, limit=np.ones(len(number)), closing=np.full(len(number), np.inf),
        numbers={name: number, "traces_week": week, "users_week": users}, back="it was told on its day",
    )  # fmt: skip
    return Looked(line, reasons)
