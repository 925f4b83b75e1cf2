"""What a theme's lineages did, day by day or hour by hour, as arrays: all that judging knows. Read in `series.py`.

Where an hour is the bucket, "day" means a bucket: `first_day` is the beginning of the first hour, a datetime in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.scale import DAYS, Scale
from llma_assets.alerts.rule import Measure
from llma_assets.stats import Z95
from llma_assets.team_day import midnight

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A measure of all lineages on all days with its 95 % interval: arrays (lineages, days)."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A theme over consecutive days.

    Attributes:
        theme_id: the theme.
        first_day: the day of column 0.
        lineage_ids: of the rows.
        titles: of lineages, where they have one.
        traces: (lineages, days) traces, estimated where days were sampled.
        variance: (lineages, days) of that estimate; 0 where every trace was looked at.
        total: (days,) traces of the theme, outliers too.
        complete: (days,) whether the day's items are known whole; a day without data is not 0.
        users: (lineages, days) different users of the day; users_week: of the seven days that end there.
        known, errors: (lineages, days) traces whose numbers are known, and those of them with an error.
        cost: (lineages, days) US dollars.
        outliers: (days,) share of items in no cluster.
        began: (lineages,) column of the first run that has the lineage; negative before the first day.
        theme_began: column of the theme's first run.
        novelty: (lineages,) cosine distance to the nearest lineage that was there before; inf if unknown.
        moved_on: by day and lineage that ended that day, the one that holds most of its members.
        blocked: by a day, also where hours are judged, why its results do not count.
        runs: days with a run of their own.
        arrived: (days,) events of the team, None where no rule asks.
        split_on: by day and lineage, those that were split off it that day.
        merged_on: by day and lineage, those that became part of it that day.
        coverage: (days,) of the items that the theme should have clustered, the share that it did; NaN where there were
            none; None where no rule asks.
        spent: (days,) US dollars of the team, for the day's traces or on the day, whichever is more; None where no rule
            asks.
        budget_usd: what the team may spend a day; None for no limit.
        scale: what a bucket is.
        closed: by a lineage of which people made a task, when that was closed, each time with when it was opened again;
            None where it was not.
        regressed_on: of tasks of session replays, which of them regressed on a day; None of lineages.
    """

    theme_id: str
    first_day: date
    lineage_ids: tuple[str, ...]
    traces: Floats
    total: Floats
    complete: NDArray[np.bool_]
    began: NDArray[np.intp]
    variance: Floats
    users: Floats
    users_week: Floats
    known: Floats
    errors: Floats
    cost: Floats
    outliers: Floats
    novelty: Floats
    theme_began: int = 0
    titles: Mapping[str, str] = field(default_factory=dict)
    moved_on: Mapping[date, Mapping[str, str]] = field(default_factory=dict)
    blocked: Mapping[date, str] = field(default_factory=dict)
    runs: frozenset[date] = frozenset()
    arrived: Floats | None = None
    split_on: Mapping[date, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    merged_on: Mapping[date, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    coverage: Floats | None = None
    spent: Floats | None = None
    budget_usd: float | None = None
    scale: Scale = DAYS
    closed: Mapping[str, Sequence[tuple[date, date | None]]] = field(default_factory=dict)
    regressed_on: Mapping[date, frozenset[str]] | None = None

    @classmethod
    def of_counts(
        cls,
        first_day: date,
        lineage_ids: tuple[str, ...],
        traces: Floats,
        *,
        theme_id: str = "traces",
        scale: Scale = DAYS,
        **given: object,
    ) -> "History":
        """A history of which only the counts are known; every trace is another user's, and NaN is a missing day."""
        missing = np.isnan(traces).any(axis=0)
        counts = np.nan_to_num(traces)
        nothing = np.zeros_like(counts)
        found = np.where((counts > 0).any(axis=1), (counts > 0).argmax(axis=1), counts.shape[1])
        filled: dict[str, object] = {
            "total": counts.sum(axis=0),
            "complete": ~missing & (counts.sum(axis=0) > 0),
            "began": np.where(found == 0, -60, found),
            "variance": nothing,
            "users": counts,
            "users_week": rolling_sum(counts, scale.week),
            "known": counts,
            "errors": nothing,
            "cost": nothing,
            "outliers": np.zeros(counts.shape[1]),
            "novelty": np.full(len(counts), np.inf),
            "theme_began": -60,
        }
        return cls(
            theme_id=theme_id, first_day=first_day, lineage_ids=lineage_ids, traces=counts, scale=scale,
            **(filled | given),  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def days(self) -> int:
        """How many days."""
        return int(self.traces.shape[1])

    def day(self, t: int) -> date:
        """The day of a column; a datetime where hours are the buckets."""
        return self.first_day + t * self.scale.bucket

    def end(self, t: int) -> datetime:
        """The moment at which the bucket of a column ends."""
        return midnight(self.first_day) + (t + 1) * self.scale.bucket

    def column(self, day: date) -> int:
        """The column of a day; it may be outside."""
        return (day - self.first_day) // self.scale.bucket

    def counts(self, measure: Measure) -> Measured:
        """A measure as counts that vary like numbers of traces; cost in traces of mean cost."""
        if measure == "users":
            return Measured(self.users, self.users, self.users)
        if measure == "cost":
            mean = self.cost.sum() / max(self.traces.sum(), 1.0)
            value = self.cost / mean if mean > 0 else self.cost
            return Measured(value, value, value)
        half = Z95 * np.sqrt(self.variance)
        return Measured(self.traces, np.maximum(self.traces - half, 0.0), self.traces + half)

    def closed_since(self, t: int) -> Floats:
        """(lineages,) the column in which each lineage's task was closed that is closed at `t`; inf for none."""
        found = np.full(len(self.lineage_ids), np.inf)
        day = self.day(t)
        for row, lineage_id in enumerate(self.lineage_ids):
            for closed, opened in self.closed.get(lineage_id, ()):
                if closed <= day and (opened is None or opened >= day):
                    found[row] = self.column(closed)
        return found

    def until(self, t: int, columns: int) -> "History":
        """The history that ends with a column, of at most so many."""
        first = max(t + 1 - columns, 0)

        def cut(values: Any) -> Any:
            return None if values is None else values[..., first : t + 1]

        by_day = (
            "traces", "total", "complete", "variance", "users", "users_week", "known", "errors", "cost", "outliers",
            "arrived", "coverage", "spent",
        )  # fmt: skip
        return replace(
            self,
            first_day=self.day(first),
            began=self.began - first,
            theme_began=self.theme_began - first,
            **{name: cut(getattr(self, name)) for name in by_day},
        )

    def split(self, t: int) -> dict[str, tuple[str, ...]]:
        """By a lineage, those that were split off it until column `t`."""
        found: dict[str, set[str]] = {}
        for day, of_day in self.split_on.items():
            for parent, parts in of_day.items() if day <= self.day(t) else ():
                found.setdefault(parent, set()).update(parts)
        return {parent: tuple(sorted(parts)) for parent, parts in found.items()}

    def moved(self, t: int) -> dict[str, str]:
        """By a lineage that ended until column `t`, the one that holds most of its members by then.

        One with traces since is there by itself again.
        """
        found: dict[str, str] = {}
        rows = {lineage_id: row for row, lineage_id in enumerate(self.lineage_ids)}
        for day in sorted(self.moved_on):
            if day > self.day(t):
                break
            since = max(self.column(day), 0)
            of_day = {
                gone: into
                for gone, into in self.moved_on[day].items()
                if gone not in rows or not self.traces[rows[gone], since : t + 1].any()
            }
            found = {gone: of_day.get(into, into) for gone, into in (found | of_day).items()}
        return {gone: into for gone, into in found.items() if gone != into}

    def levels(self, measure: Measure) -> Measured:
        """A measure in its own unit."""
        if measure == "cost":
            return Measured(self.cost, self.cost, self.cost)
        if measure == "error_rate":
            return _proportion(self.errors, self.known)
        if measure == "share":
            # With sampling the variance is larger than a binomial one: so many fewer traces say as much.
            thinner = 1 + self.variance / np.maximum(self.traces, 1.0)
            return _proportion(self.traces / thinner, self.total[None, :] / thinner)
        return self.counts(measure)


def rolling_sum(values: Floats, days: int) -> Floats:
    """The sum over the days that end at each column."""
    summed = np.cumsum(np.pad(values, ((0, 0), (days, 0))), axis=1)
    return summed[:, days:] - summed[:, :-days]


BACK_DAYS = 14
"""A lineage that is back after so many days without a trace counts as young again."""


def there_since(history: History, t: int) -> NDArray[np.intp]:
    """(lineages,) the column since which each lineage is there at `t`: its start, or its return after an absence."""
    since = np.minimum(history.began, np.where((history.traces[:, :1] > 0)[:, 0], 0, history.days))
    seen = history.traces[:, : t + 1] > 0
    back = BACK_DAYS * history.scale.day
    absent = rolling_sum(seen.astype(float), back) == 0
    # The first trace after so many days without one, the latest of all.
    returns = np.zeros_like(seen)
    returns[:, back:] = seen[:, back:] & absent[:, back - 1 : -1]
    last = np.where(returns.any(axis=1), t - returns[:, ::-1].argmax(axis=1), -1)
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), history.days)
    found: NDArray[np.intp] = np.maximum(np.minimum(np.minimum(since, first), history.days), last)
    return found


def _proportion(part: Floats, whole: Floats) -> Measured:
    """Wilson's interval, elementwise; of nothing the value is 0 and the interval everything."""
    size = np.maximum(whole, 1e-9)
    share = np.clip(part / size, 0.0, 1.0)
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = Z95 / (1 + z2 / size) * np.sqrt(share * (1 - share) / size + z2 / (4 * size * size))
    none = whole <= 0
    low = np.where(none, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(none, 1.0, np.minimum(centre + half, 1.0))
    return Measured(np.where(none, 0.0, share), low, high)
