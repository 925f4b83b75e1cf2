"""The chart of an incident: its values by day, the band of what is expected, and when it opened and closed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from llma_assets.alerts import Incident, StoredDecision, shown_bucket

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1000, 240, 60, 36, 18, 24
TICKS = 4
"""About so many lines across."""


@dataclass(frozen=True, slots=True)
class Dot:
    """The value of a day; `is_open` while the incident is, `words` for people."""

    x: float
    y: float
    is_open: bool
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line and what happened then."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class IncidentChart:
    """Positions in a picture of `WIDTH` × `HEIGHT`.

    Attributes:
        values: the line of the values, one list of points for each stretch without a gap.
        bands: what is expected, ± k sigma, one polygon a stretch.
        expected: the middle of each band.
        dots: one a day with a value.
        marks: opening and closing.
        ticks: (y, what it stands for).
        first, last: days of the two ends.
    """

    values: tuple[str, ...]
    bands: tuple[str, ...]
    expected: tuple[str, ...]
    dots: tuple[Dot, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT


def incident_chart(incident: Incident, days: Sequence[StoredDecision]) -> IncidentChart | None:
    """The chart of an incident from the decisions about it, oldest first; None where fewer than two have a value."""
    shown = [each for each in days if isinstance(each.numbers.get("value"), int | float)]
    if len(shown) < 2:
        return None
    first, last = shown[0].day, shown[-1].day
    span = (last - first) or timedelta(days=1)
    bands = {each.day: _band(each) for each in shown}
    highs = [band[2] for band in bands.values() if band]
    top = max([_value(each) for each in shown] + highs)
    top = top * 1.08 or 1.0

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * ((day - first) / span), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)

    def line(points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{px},{py}" for px, py in points)

    values, areas, middles = [], [], []
    for stretch in _stretches(shown):
        values.append(line([(x(each.day), y(_value(each))) for each in stretch]))
        known = [(x(each.day), band) for each in stretch if (band := bands[each.day])]
        if known:
            upper = [(at, y(band[2])) for at, band in known]
            lower = [(at, y(band[0])) for at, band in reversed(known)]
            areas.append(line(upper + lower))
            middles.append(line([(at, y(band[1])) for at, band in known]))
    dots = [
        Dot(
            x(each.day),
            y(_value(each)),
            each.verdict in ("opened", "open", "worse"),
            f"{shown_bucket(each.day)}: {_figure(_value(each))}"
            + (f", {_figure(band[1])} expected" if (band := bands[each.day]) else "")
            + f"; {each.verdict.replace('_', ' ')}",
        )
        for each in shown
    ]
    marks = [Mark(x(incident.opened_day), "opened")] if first <= incident.opened_day <= last else []
    if not incident.is_open and first <= incident.closed_day <= last:
        marks.append(Mark(x(incident.closed_day), "closed"))
    ticks = [(y(each), _figure(each)) for each in _round_figures(top)]
    ends = shown_bucket(first), shown_bucket(last)
    return IncidentChart(tuple(values), tuple(areas), tuple(middles), tuple(dots), tuple(marks), tuple(ticks), *ends)


def _value(decision: StoredDecision) -> float:
    return float(decision.numbers["value"])


def _band(decision: StoredDecision) -> tuple[float, float, float] | None:
    """Lower end, middle and upper end of what is expected; None where nothing is."""
    numbers = decision.numbers
    expected, sigma = numbers.get("expected"), numbers.get("sigma")
    if not isinstance(expected, int | float) or not isinstance(sigma, int | float):
        return None
    wide = float(numbers.get("k") or 3) * sigma
    return max(expected - wide, 0.0), float(expected), expected + wide


def _stretches(days: Sequence[StoredDecision]) -> list[list[StoredDecision]]:
    """Buckets without a gap between them, together."""
    bucket = timedelta(hours=1) if isinstance(days[0].day, datetime) else timedelta(days=1)
    found = [[days[0]]]
    for before, each in pairwise(days):
        if each.day - before.day != bucket:
            found.append([])
        found[-1].append(each)
    return found


def _round_figures(top: float) -> list[float]:
    """Round numbers from 0 up to below `top`.

    >>> _round_figures(64.8)
    [0.0, 20.0, 40.0, 60.0]
    """
    size = 10 ** math.floor(math.log10(top / TICKS))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= top / TICKS)
    return [float(step * at) for at in range(math.floor(top / step) + 1)]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
