"""Places of what was expected of a cluster: a line of its traces by day over the band, as SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from llma_assets.alerts import ExpectedDay, ExpectedSeries

WIDTH, HEIGHT, EDGE = 280, 72, 5
"""Pixels; `EDGE` is left free on each side."""


@dataclass(frozen=True, slots=True)
class BandPicture:
    """A cluster's days as paths.

    Attributes:
        series: what is drawn.
        top: the highest value of the picture, at its upper edge.
        band: outline of the band, with a part for each run of days that have one.
        line: of the traces, with a part for each run of days that follow one another.
        outside: places of the days outside the band, and what they are.
    """

    series: ExpectedSeries
    top: float
    band: str
    line: str
    outside: tuple[tuple[float, float, ExpectedDay], ...]


def band_pictures(found: Sequence[ExpectedSeries], first_day: date, until: date) -> list[BandPicture]:
    """A picture of each series; the same day stands at the same place in all."""
    step = (WIDTH - 2 * EDGE) / max(1, (until - first_day).days)
    return [_picture(each, first_day, step) for each in found]


def _picture(series: ExpectedSeries, first_day: date, step: float) -> BandPicture:
    top = max([each.traces for each in series.days] + [each.high or 0.0 for each in series.days] + [1.0])

    def x(each: ExpectedDay) -> float:
        return round(EDGE + (each.day - first_day).days * step, 1)

    def y(value: float) -> float:
        return round(HEIGHT - EDGE - value / top * (HEIGHT - 2 * EDGE), 1)

    band = [
        "M"
        + "L".join(f"{x(each):g} {y(each.high or 0):g}" for each in part)
        + "L"
        + "L".join(f"{x(each):g} {y(each.low or 0):g}" for each in reversed(part))
        + "Z"
        for part in _runs([each for each in series.days if each.high is not None])
        if len(part) > 1
    ]
    line = ["M" + "L".join(f"{x(each):g} {y(each.traces):g}" for each in part) for part in _runs(series.days)]
    outside = tuple((x(each), y(each.traces), each) for each in series.days if each.outside)
    return BandPicture(series, top, "".join(band), "".join(line), outside)


def _runs(days: Sequence[ExpectedDay]) -> list[list[ExpectedDay]]:
    """Days that follow one another, together."""
    found: list[list[ExpectedDay]] = []
    for each in days:
        if found and (each.day - found[-1][-1].day).days == 1:
            found[-1].append(each)
        else:
            found.append([each])
    return found
