"""Whether it got better: sizes, shares, error rates and costs of lineages by day, with their uncertainty. No database.

An item counts on its own day, in the lineage that it had when its day was first clustered. So each day's figures are
of that day's items alone, windows do not smear them over a week, and a later run does not change the past.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from llma_assets.clusters import NOISE_TITLE, NOTHING, Lineage, Standing, counted_as
from llma_assets.serialization import Amount
from llma_assets.stats import Share

WEEK = 7
Verdict = Literal["more", "less", "same", "unknown"]


@dataclass(frozen=True, slots=True)
class DayCount:
    """Items of one day in one lineage.

    Attributes:
        item_day: the day of the items.
        lineage_id: "" is noise.
        items: how many.
        traces: of how many traces.
        known: of these, how many still have their text's numbers stored.
        errors: of the known ones, how many have an error.
        cost_usd: sum over the known ones.
    """

    item_day: date
    lineage_id: str
    items: int
    known: int
    errors: int
    cost_usd: float
    traces: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """The last seven days against the seven before.

    Attributes:
        before, now: the two proportions.
        low, high: the difference now − before at 95 %; R. G. Newcombe, Statist. Med. 17 (1998), method 10.
        verdict: "more" or "less" where the interval leaves out 0, "unknown" where one side is of nothing.
    """

    before: Share
    now: Share
    low: float
    high: float
    verdict: Verdict

    @classmethod
    def between(cls, before: Share, now: Share) -> "Change":
        """Compare two proportions of independent counts."""
        if before.value is None or now.value is None:
            return cls(before, now, -1.0, 1.0, "unknown")
        difference = now.value - before.value
        low = difference - math.hypot(now.value - now.low, before.high - before.value)
        high = difference + math.hypot(now.high - now.value, before.value - before.low)
        return cls(before, now, low, high, "more" if low > 0 else "less" if high < 0 else "same")


@dataclass(frozen=True, slots=True)
class Point:
    """One lineage on one day; `share` is of all items of the day, outliers and hidden ones too.

    Of lineages that people merged `traces` adds up, though one trace may have items in several.
    """

    day: date
    items: int
    share: Share
    error_rate: Share
    cost_usd: Amount
    traces: int = 0


@dataclass(frozen=True, slots=True)
class Trend:
    """One lineage over the days.

    Attributes:
        lineage_id: "" is noise.
        title: what it is called.
        state: "new" if it began after the first day, "ended" if the two latest runs have it no more, else "".
        first_day, last_day: of the runs that have it, whole history; None for noise.
        items: of all days.
        traces: different traces, those of each day added up.
        cost_usd: of all days.
        merged_lineage_ids: what people count with it.
        share, error_rate: the last seven days against the seven before.
        points: one a day that has any items at all, oldest first.
    """

    lineage_id: str
    title: str
    state: Literal["", "new", "ended"]
    first_day: date | None
    last_day: date | None
    items: int
    cost_usd: Amount
    merged_lineage_ids: tuple[str, ...]
    share: Change
    error_rate: Change
    points: Annotated[tuple[Point, ...], Field(serialization_alias="days")]
    traces: int = 0


def trends(
    counts: Sequence[DayCount],
    lineages: Collection[Lineage],
    decided: Mapping[str, Standing],
    *,
    run_days: Sequence[date],
) -> list[Trend]:
    """The trends of one theme: new lineages first, then those that ended, then the others by size; noise last.

    What people merged is counted together, and what they hid is left out, though it still counts in the wholes.

    Args:
        counts: items by day and lineage.
        lineages: what is known of the lineages, all of its history.
        decided: what people decided, by lineage id.
        run_days: days of the runs that have lineages, ascending.
    """
    totals = dict.fromkeys(sorted({count.item_day for count in counts}), 0)
    groups: dict[str, list[DayCount]] = {}
    for count in counts:
        totals[count.item_day] += count.items
        groups.setdefault(counted_as(count.lineage_id, decided) if count.lineage_id else "", []).append(count)
    known = {lineage.lineage_id: lineage for lineage in lineages}
    found = [
        _trend(
            key, group, totals, [known[each] for each in sorted(_ids(key, group)) if each in known], decided, run_days
        )
        for key, group in groups.items()
        if not decided.get(key, NOTHING).hidden
    ]
    order = {"new": 0, "ended": 1, "": 2}
    return sorted(found, key=lambda each: (not each.lineage_id, order[each.state], -each.items, each.lineage_id))


def _ids(key: str, group: Sequence[DayCount]) -> set[str]:
    return {key} | {count.lineage_id for count in group}


def _trend(
    key: str,
    group: Sequence[DayCount],
    totals: Mapping[date, int],
    lineages: Sequence[Lineage],
    decided: Mapping[str, Standing],
    run_days: Sequence[date],
) -> Trend:
    by_day: dict[date, list[DayCount]] = {day: [] for day in totals}
    for count in group:
        by_day[count.item_day].append(count)
    own = next((lineage for lineage in lineages if lineage.lineage_id == key), None)
    title = decided.get(key, NOTHING).title or (own.title if own else "") or key[:8]
    first_day = min((lineage.first_day for lineage in lineages), default=None)
    last_day = max((lineage.last_day for lineage in lineages), default=None)
    state: Literal["", "new", "ended"] = ""
    if last_day is not None and run_days and last_day < run_days[-2:][0]:
        state = "ended"
    elif first_day is not None and run_days and first_day > run_days[0]:
        state = "new"
    last = max(totals)
    return Trend(
        lineage_id=key,
        title=title if key else NOISE_TITLE,
        state=state,
        first_day=first_day,
        last_day=last_day,
        items=sum(count.items for count in group),
        points=tuple(_point(day, by_day[day], totals[day]) for day in sorted(totals)),
        share=Change.between(
            *(_share(group, totals, *_days_back(last, weeks)) for weeks in (1, 0)),
        ),
        error_rate=Change.between(*(_error_rate(group, *_days_back(last, weeks)) for weeks in (1, 0))),
        cost_usd=sum(count.cost_usd for count in group),
        traces=sum(count.traces for count in group),
        merged_lineage_ids=tuple(sorted(_ids(key, group) - {key})),
    )


def _point(day: date, counts: Sequence[DayCount], total: int) -> Point:
    items = sum(count.items for count in counts)
    return Point(
        day,
        items,
        Share.of(items, total),
        Share.of(sum(count.errors for count in counts), sum(count.known for count in counts)),
        sum(count.cost_usd for count in counts),
        sum(count.traces for count in counts),
    )


def _days_back(last: date, weeks: int) -> tuple[date, date]:
    """The week that ends so many weeks before `last`, both ends included."""
    until = last - timedelta(days=WEEK * weeks)
    return until - timedelta(days=WEEK - 1), until


def _share(group: Sequence[DayCount], totals: Mapping[date, int], first: date, last: date) -> Share:
    return Share.of(
        sum(count.items for count in group if first <= count.item_day <= last),
        sum(total for day, total in totals.items() if first <= day <= last),
    )


def _error_rate(group: Sequence[DayCount], first: date, last: date) -> Share:
    within = [count for count in group if first <= count.item_day <= last]
    return Share.of(sum(count.errors for count in within), sum(count.known for count in within))
