"""Rules about a cluster's life: new, back, gone."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from llma_assets.alerts.judging.closing import Line, Looked
from llma_assets.alerts.judging.history import Floats, History, rolling_sum
from llma_assets.alerts.rule import Rule

NEW_DAYS = 7
BACK_AFTER_CLOSED = 3
"""A lineage whose task was closed is back after so many complete days without a trace."""


def new_cluster(rule: Rule, history: History, t: int) -> Looked:
    """A lineage that no run of the week before had, with enough traces and users since; by days or hours."""
    new = NEW_DAYS * history.scale.day
    since = _summed(history.traces, t, new)
    users = history.users_week[:, t]
    age = t - history.began
    reasons = (
        (history.began > t, "no run has it yet"),
        (history.began <= history.theme_began, "it is in the theme's first run, where everything is new"),
        (age >= new, "it is older than seven days"),
        (history.novelty < rule.min_distance, "a cluster of the 90 days before is like it"),
        (since < max(rule.min_traces, 1), f"fewer than {max(rule.min_traces, 1)} traces since it began"),
        (users < rule.min_users, f"fewer than {rule.min_users} users since it began"),
    )
    # It closes once it is no longer new.
    line = Line(
        value=since, low=since, high=since, limit=np.full(len(since), float(max(rule.min_traces, 1))),
        closing=np.where(age >= new, np.inf, -1.0),
        numbers={"users_since": users, "age_days": age // history.scale.day, "nearest_before": history.novelty},
        back="it is no longer new",
    )  # fmt: skip
    return Looked(line, reasons)


def regressed(rule: Rule, history: History, t: int) -> Looked:
    """A lineage with traces again after so many complete days without one; after a few where its task was closed.

    Of tasks of session replays, one that occurred again after it was resolved.
    """
    if history.regressed_on is not None:
        return _regressed_tasks(rule, history, t, history.regressed_on)
    value = history.traces[:, t]
    # Days without traces before today, counted back over complete days; and those before a start within three days.
    absent = np.zeros(len(value))
    for back in range(3):
        absent = np.maximum(absent, np.where(history.traces[:, t - back] > 0, _absent_before(history, t - back), 0))
    closed, after = history.closed_since(t), np.zeros(len(value))
    for back in range(3):
        is_there = (history.traces[:, t - back] > 0) & (closed < t - back)
        after = np.maximum(after, np.where(is_there, _absent_before(history, t - back, closed), 0))
    few, is_closed = min(BACK_AFTER_CLOSED, rule.absent_days), np.isfinite(closed)
    is_back = (absent >= rule.absent_days) | (after >= few)
    least = max(rule.min_traces, 1)
    since = _summed(history.traces, t, 3)
    reasons = (
        (value <= 0, "no trace today"),
        (~is_back & ~is_closed, f"it was not absent for {rule.absent_days} days"),
        (~is_back, f"it was not absent for {few} days since its task was closed"),
        (since < least, f"fewer than {least} traces since it is back"),
        (history.users_week[:, t] < rule.min_users, f"fewer than {rule.min_users} users"),
    )
    line = Line(
        value=since, low=since, high=since, limit=np.full(len(value), float(least)),
        closing=np.where(_summed(history.traces, t, NEW_DAYS) > 0, -1.0, np.inf),
        numbers={"absent_days": absent, "absent_since_closed": after}, back="it is absent again",
    )  # fmt: skip
    return Looked(line, reasons)


def _regressed_tasks(rule: Rule, history: History, t: int, regressed_on: Mapping[date, frozenset[str]]) -> Looked:
    lately = frozenset[str]().union(*(regressed_on.get(history.day(t - back), ()) for back in range(3)))
    is_back = np.array([each in lately for each in history.lineage_ids], dtype=bool)
    since, users, least = _summed(history.traces, t, NEW_DAYS), history.users_week[:, t], max(rule.min_traces, 1)
    reasons = (
        (~is_back, "it did not occur again after it was resolved"),
        (since < least, f"fewer than {least} occurrences in seven days"),
        (users < rule.min_users, f"fewer than {rule.min_users} users in seven days"),
    )
    line = Line(
        value=since, low=since, high=since, limit=np.full(len(since), float(least)),
        closing=np.where(since > 0, -1.0, np.inf), numbers={"users_week": users}, back="it is absent again",
    )  # fmt: skip
    return Looked(line, reasons)


def gone(rule: Rule, history: History, t: int) -> Looked:
    """A lineage that was there in each of the four weeks before, and is absent since."""
    value = history.traces[:, t]
    end = t - rule.absent_days
    weeks = [_summed(history.traces, end - 7 * back, 7) for back in range(4)]
    usual = np.min(weeks, axis=0)
    absent = _summed(history.traces, t, rule.absent_days)
    users = _summed(history.users, end, 28) / 28
    reasons = (
        (usual <= 0, "it was not there in each of four weeks"),
        (absent > 0, f"it had traces in the last {rule.absent_days} days"),
        (np.sum(weeks, axis=0) / 28 < rule.min_traces, f"it had fewer than {rule.min_traces} traces a day"),
        (users < rule.min_users, f"it had fewer than {rule.min_users} users a day"),
    )
    line = Line(
        value=value, low=value, high=value, limit=np.ones(len(value)),
        closing=np.where(value > 0, np.inf, -1.0), numbers={"fewest_a_week_before": usual, "users_a_day_before": users},
        back="it is there again",
    )  # fmt: skip
    return Looked(line, reasons)


def _summed(values: Floats, t: int, days: int) -> Floats:
    """The sum over the days that end at `t`; 0 before the first."""
    return rolling_sum(values[:, : t + 1], days)[:, t] if t >= 0 else np.zeros(len(values))


def _absent_before(history: History, t: int, after: Floats | None = None) -> Floats:
    """Complete days without a trace just before `t`; 0 for a lineage that was never there before.

    One that began before the first column and has no trace since was absent on all of them.

    Args:
        after: (lineages,) only days after these columns count.
    """
    earlier = history.traces[:, : max(t, 0)] > 0
    complete = history.complete[: max(t, 0)]
    there = earlier.any(axis=1)
    if t <= 0:
        return np.zeros(len(earlier))
    last = np.where(there, earlier.shape[1] - 1 - earlier[:, ::-1].argmax(axis=1), -1)
    if after is not None:
        last = np.maximum(last, np.where(np.isfinite(after), np.clip(after, -1, t - 1), -1)).astype(int)
    since = np.concatenate([[0], np.cumsum(complete)])
    return np.where(there | (history.began < 0), since[t] - since[last + 1], 0).astype(float)
