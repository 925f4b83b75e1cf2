"""Places and sizes: of what templates draw as SVG, the flow of clusters and the treemap of shares; of areas of the map.

Pure: from reports to numbers. Which colours and words they get is the templates' business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite

from llma_assets.reports import ClusterResult, FlowCluster, LineageFlow, Trend
from llma_assets.team_day import midnight
from llma_assets.visible import visible
from llma_assets.web.problems import InvalidInput

SHOWN_LINEAGES = 14
"""Clusters that the flow draws on their own; the others are one band."""
STEP, BAR, TALL, GAP, NAMES = 96, 12, 340, 3, 300
"""Pixels: from day to day, of a day's bar, of all shares, between clusters, and for the titles on the right."""


@dataclass(frozen=True, slots=True)
class Band:
    """A cluster on a day: a box in the picture."""

    day: date
    cluster: FlowCluster
    colour: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Join:
    """What a cluster came from: the path of a ribbon, and whether it is another lineage's."""

    path: str
    colour: int
    is_other: bool
    words: str


@dataclass(frozen=True, slots=True)
class FlowPicture:
    """A flow as boxes and ribbons.

    Attributes:
        width, height: of the picture.
        days: where each day stands, from the left.
        bands: the clusters.
        joins: the ribbons between days.
        names: the bands of the last day, and where their titles stand.
        left_out: different clusters that are not drawn on their own.
    """

    width: int
    height: int
    days: tuple[tuple[date, float], ...]
    bands: tuple[Band, ...]
    joins: tuple[Join, ...]
    names: tuple[tuple[Band, float], ...]
    left_out: int


def flow_picture(flow: LineageFlow, colours: Mapping[str, int] | None = None) -> FlowPicture:
    """Place the clusters of each day below one another, the same one always at the same turn.

    Args:
        colours: those that clusters have elsewhere on the page, by lineage.
    """
    known = colours or {}
    order = _order(flow)
    shown = order[:SHOWN_LINEAGES]
    turn = {lineage_id: number for number, lineage_id in enumerate(shown)}
    bands: dict[tuple[int, str], Band] = {}
    for column, each in enumerate(flow.days):
        y = 24.0
        for cluster in sorted((c for c in each.clusters if c.lineage_id in turn), key=lambda c: turn[c.lineage_id]):
            height = max(2.0, round(TALL * cluster.share, 1))
            bands[column, cluster.lineage_id] = Band(
                each.day,
                cluster,
                known.get(cluster.lineage_id, turn[cluster.lineage_id]),
                column * STEP + 8,
                round(y, 1),
                height,
            )
            y += height + GAP
    joins = [
        _join(source, band)
        for (column, _), band in bands.items()
        for parent in band.cluster.parents
        if (source := bands.get((column - 1, parent)))
    ]
    last = [band for (column, _), band in bands.items() if column == len(flow.days) - 1]
    names = _names(last)
    bottom = max([band.y + band.height for band in bands.values()] + [y for _, y in names], default=0)
    return FlowPicture(
        width=(len(flow.days) - 1) * STEP + BAR + 16 + NAMES,
        height=round(bottom + 16),
        days=tuple((each.day, column * STEP + 8.0) for column, each in enumerate(flow.days)),
        bands=tuple(bands.values()),
        joins=tuple(joins),
        names=names,
        left_out=len(order) - len(shown),
    )


def _order(flow: LineageFlow) -> list[str]:
    """The lineages, largest first; one that was split off stands right after the one that it came from."""
    largest: dict[str, int] = {}
    parent: dict[str, str] = {}
    for day in flow.days:
        for cluster in day.clusters:
            largest[cluster.lineage_id] = max(cluster.size, largest.get(cluster.lineage_id, 0))
            others = [each for each in cluster.parents if each != cluster.lineage_id]
            if others and cluster.lineage_id not in cluster.parents:
                parent.setdefault(cluster.lineage_id, others[0])
    order = sorted(largest, key=lambda each: (-largest[each], each))
    for child in order[:SHOWN_LINEAGES]:
        if parent.get(child) in order[:SHOWN_LINEAGES]:
            order.remove(child)
            order.insert(order.index(parent[child]) + 1, child)
    return order


def _join(source: Band, target: Band) -> Join:
    left, right = source.x + BAR, target.x
    middle = (left + right) / 2
    is_other = source.cluster.lineage_id != target.cluster.lineage_id
    # A cluster that was split off takes a part of where it came from, not all of it.
    high = min(source.height, target.height) if is_other else source.height
    start = source.y + source.height - high if target.y > source.y else source.y
    a, b, c, d = start, start + high, target.y, target.y + target.height
    path = (
        f"M{left:g} {a:.1f}C{middle:g} {a:.1f} {middle:g} {c:.1f} {right:g} {c:.1f}"
        f"V{d:.1f}C{middle:g} {d:.1f} {middle:g} {b:.1f} {left:g} {b:.1f}Z"
    )
    words = f"{source.cluster.title} → {target.cluster.title}" if is_other else ""
    return Join(path, source.colour, is_other, words)


def _names(bands: Sequence[Band]) -> tuple[tuple[Band, float], ...]:
    """Titles beside their bands, each at least a line below the one before."""
    found, free = [], 0.0
    for band in sorted(bands, key=lambda each: each.y):
        y = max(band.y + band.height / 2 + 4, free)
        found.append((band, round(y, 1)))
        free = y + 17
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Slice:
    """A cluster's part of a day's bar: number of the cluster among the trends, None for all others together."""

    number: int | None
    day: date
    value: int
    x: float
    y: float
    width: float
    height: float


STACKED = 7
"""Clusters that a day's bar shows on their own."""
CHART = (1000, 220)


def stacked_days(trends: Sequence[Trend], *, as_shares: bool) -> list[Slice]:
    """A bar for each day, the largest clusters on top of one another, the others as one on top of them.

    Args:
        as_shares: whether each bar is as high as the chart; by default its height is the day's items.
    """
    days = [point.day for point in trends[0].points] if trends else []
    largest = sorted(
        (number for number, each in enumerate(trends) if each.lineage_id), key=lambda number: -trends[number].items
    )[:STACKED]
    totals = [sum(each.points[at].items for each in trends) for at in range(len(days))]
    width, height = CHART
    step, top = width / max(1, len(days)), max(totals, default=0)
    found = []
    for at, day in enumerate(days):
        scale, y = height / max(1, totals[at] if as_shares else top), float(height)
        own = [(number, trends[number].points[at].items) for number in largest]
        parts: list[tuple[int | None, int]] = [*own, (None, totals[at] - sum(items for _, items in own))]
        for number, items in parts:
            if items:
                y -= items * scale
                left, wide = round(at * step + 1, 1), round(max(1.0, min(step, 90) - 2), 1)
                found.append(Slice(number, day, items, left, round(y, 1), wide, round(items * scale, 1)))
    return found


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment above the days: how far from the left, and what happened then."""

    x: float
    words: str


def markers(trends: Sequence[Trend], moments: Iterable[tuple[datetime, str]]) -> list[Marker]:
    """Where moments are within the days of `stacked_days`, with their words; days without items have no place."""
    days = [point.day for point in trends[0].points] if trends else []
    step = CHART[0] / max(1, len(days))
    return [
        Marker(round((at + (moment - midnight(day)) / timedelta(days=1)) * step, 1), words)
        for moment, words in moments
        for at, day in enumerate(days)
        if midnight(day) <= moment < midnight(day) + timedelta(days=1)
    ]


@dataclass(frozen=True, slots=True)
class Tile:
    """One of several values as a box; `number` says which, `words` what fits into it."""

    number: int
    x: float
    y: float
    width: float
    height: float
    words: str = ""


AREA = (1000, 360)


def share_areas(clusters: Sequence[ClusterResult]) -> list[Tile]:
    """A box for each cluster, its area its share; those of a group stand together, the largest group first."""
    groups: dict[str, list[int]] = {}
    for number, each in enumerate(clusters):
        if each.cluster.size:
            groups.setdefault(each.group or f"cluster {number}", []).append(number)
    sizes = {name: sum(clusters[number].cluster.size for number in group) for name, group in groups.items()}
    order = sorted(groups, key=lambda name: -sizes[name])
    found = []
    for place in treemap([sizes[name] for name in order], *AREA):
        group = groups[order[place.number]]
        for part in treemap([clusters[number].cluster.size for number in group], place.width, place.height):
            each = clusters[group[part.number]]
            words = visible(f"{round(100 * (each.share.value or 0))} % {each.cluster.title}")
            room = int((part.width - 24) / 7.2)
            fitting = words if len(words) <= room else f"{words[: room - 1]}…" if room >= 8 else ""
            found.append(
                Tile(
                    group[part.number],
                    round(place.x + part.x, 1),
                    round(place.y + part.y, 1),
                    part.width,
                    part.height,
                    fitting if part.height >= 32 else "",
                )
            )
    return found


def treemap(values: Sequence[float], width: float, height: float) -> list[Tile]:
    """Boxes whose areas are as the values, as near to squares as may be.

    M. Bruls, K. Huizing, J. van Wijk, Squarified Treemaps, 2000.

    Args:
        values: positive, falling.

    >>> [(tile.x, tile.y, tile.width, tile.height) for tile in treemap([2, 1, 1], 4, 2)]
    [(0.0, 0.0, 2.0, 2.0), (2.0, 0.0, 2.0, 1.0), (2.0, 1.0, 2.0, 1.0)]
    """
    total = sum(values)
    areas = [value * width * height / total for value in values] if total else []
    tiles: list[Tile] = []
    x, y = 0.0, 0.0
    while len(tiles) < len(areas):
        first, side = len(tiles), min(width, height)
        row = [areas[first]]
        while first + len(row) < len(areas):
            longer = [*row, areas[first + len(row)]]
            if _worst(longer, side) > _worst(row, side):
                break
            row = longer
        depth, at = sum(row) / side if side else 0.0, 0.0
        for area in row:
            length = area / depth if depth else 0.0
            across = width >= height
            box = (x, y + at, depth, length) if across else (x + at, y, length, depth)
            left, top, wide, tall = (round(value, 1) for value in box)
            tiles.append(Tile(len(tiles), left, top, wide, tall))
            at += length
        if width >= height:
            x, width = x + depth, width - depth
        else:
            y, height = y + depth, height - depth
    return tiles


def _worst(row: Sequence[float], side: float) -> float:
    whole = sum(row)
    return max(max(side * side * area / whole**2, whole**2 / (side * side * area)) for area in row)


def corners(area: str) -> list[tuple[float, float]]:
    """The corners of a part of the map.

    >>> corners("0,0;1,0;0,1.5")
    [(0.0, 0.0), (1.0, 0.0), (0.0, 1.5)]

    Raises:
        InvalidInput: they are not at least three pairs of numbers.
    """
    pairs = [tuple(part.split(",")) for part in area.split(";")] if area else []
    try:
        found = [(float(x), float(y)) for x, y in pairs]
    except ValueError:
        found = []
    if area and (len(found) < 3 or not all(isfinite(value) for corner in found for value in corner)):
        raise InvalidInput("an area is at least three corners such as 0,0;1,0;0,1", field="area")
    return found
