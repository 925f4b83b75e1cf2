"""What each cluster of a theme did by day beside what was expected of it: what the rule `escalating` compares."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

from llma_assets.alerts.judging import HISTORY_DAYS, bands
from llma_assets.alerts.rule import USUAL_K
from llma_assets.alerts.series import counts_history
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, standings_of
from llma_assets.serialization import FirstDay, OptionalRounded, Rounded, TeamId, ThemeId
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class ExpectedDay:
    """One cluster on one day.

    Attributes:
        traces: items of the day; of sampled days the estimated number.
        expected: the median of the same weekday over the four weeks before, None where there is no day to go by.
        low, high: expected ± k sigma.
        outside: whether it is above or below that.
    """

    day: date
    traces: Rounded
    expected: OptionalRounded
    low: OptionalRounded
    high: OptionalRounded
    outside: bool


@dataclass(frozen=True, slots=True)
class ExpectedSeries:
    """A cluster over some days that have results."""

    lineage_id: str
    title: str
    days: tuple[ExpectedDay, ...]

    @property
    def outside(self) -> int:
        """On how many days it was outside its band."""
        return sum(each.outside for each in self.days)


@dataclass(frozen=True, slots=True)
class ExpectedTrends:
    """The clusters of a theme beside what was expected of them, those with most traces first.

    Attributes:
        k: sigma on each side of what is expected; one more where a weekday has fewer than two weeks behind it.
    """

    team_id: TeamId
    theme_id: ThemeId
    first_day: FirstDay
    until: date
    k: Rounded
    series: tuple[ExpectedSeries, ...]


def expected_trends(
    database: Database, team_id: int, theme_id: str, first_day: date, until: date, *, k: float = USUAL_K
) -> ExpectedTrends:
    """Each cluster of a theme from a day to another, and the band that it was expected in.

    Args:
        k: sigma on each side; by default those of a rule.
    """
    shown = (until - first_day).days + 1
    history = counts_history(database, TeamDay(team_id, until), theme_id, days=HISTORY_DAYS + shown)
    if history is None:
        return ExpectedTrends(team_id, theme_id, first_day, until, k, ())
    first = history.days - shown
    found = bands(history, first, k=k)
    decided = standings_of(database, team_id)
    series = []
    for row, lineage_id in enumerate(history.lineage_ids):
        if decided.get(lineage_id, NOTHING).hidden:
            continue
        days = []
        for at in range(shown):
            traces = float(history.traces[row, first + at])
            if not history.complete[first + at]:
                continue
            value, low, high = (float(each[row, at]) for each in (found.value, found.low, found.high))
            known = not math.isnan(value)
            days.append(
                ExpectedDay(
                    first_day + timedelta(days=at),
                    traces,
                    value if known else None,
                    low if known else None,
                    high if known else None,
                    known and not low <= traces <= high,
                )
            )
        if any(each.traces for each in days):
            series.append(ExpectedSeries(lineage_id, history.titles.get(lineage_id, ""), tuple(days)))
    ordered = sorted(series, key=lambda each: (-sum(day.traces for day in each.days), each.lineage_id))
    return ExpectedTrends(team_id, theme_id, first_day, until, k, tuple(ordered))
