"""The history of tasks of session replays, by days. Those of clusters are in `series.py`."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from llma_assets.alerts.judging import History
from llma_assets.alerts.rule import SESSION_REPLAYS
from llma_assets.tasks import Regressed

WEEK = 7


def replays_history(tasks: Sequence[Regressed], first: date, last: date) -> History:
    """Occurrences of tasks by day; every day is complete, for what came is what there is."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    on: dict[date, set[str]] = {}
    for each in tasks:
        for day in each.days:
            on.setdefault(day, set()).add(each.task_id)
    return History.of_counts(
        first,
        tuple(each.task_id for each in tasks),
        np.array([[each.segments.get(day, 0) for day in days] for each in tasks], float),
        theme_id=SESSION_REPLAYS,
        titles={each.task_id: each.title for each in tasks},
        users=np.array([[len(each.users.get(day, ())) for day in days] for each in tasks], float),
        users_week=np.array([[len(_users_of_week(each, day)) for day in days] for each in tasks], float),
        runs=frozenset(days),
        complete=np.ones(len(days), dtype=bool),
        regressed_on={day: frozenset(of_day) for day, of_day in on.items()},
    )


def _users_of_week(task: Regressed, until: date) -> frozenset[str]:
    return frozenset[str]().union(*(task.users.get(until - timedelta(days=back), ()) for back in range(WEEK)))
