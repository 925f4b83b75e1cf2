"""Places the numbers and titles of a map so that they cover neither each other nor points of other clusters.

Greedy, the largest cluster first: a number takes the free place that is nearest to its island's middle, a title one
beside its number, or none. (adjustText moves all labels until they settle, with random steps; it can leave none out,
and here each run has to draw the same picture.)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters import NOISE_LABEL
from llma_assets.markdown import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBER_SIZE, TITLE_SIZE = 9.0, 8.0
TITLE_WIDTHS = (40, 26, 16)
"""Characters of a title on the map: the first that fits."""
MAX_TITLES = 60
COVERED = 2
"""Points of clusters that a title may cover."""
WIDEST = 150.0
"""Pixels: a title stands beside an island of at most this width and height, beside the number of a wider one."""
HIDDEN_SHARE = 0.5
"""Of an island's points, what its number may cover; where the middle would cover more it stands beside."""
GAP = 3.0
"""Pixels between labels."""
HALO = 2.6
"""Width of the white line around a number, so that it can be read on points of any colour."""
RINGS, DIRECTIONS = 6, 12
"""Places that a number tries around the middle of its island: circles, and places on each."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Islands:
    """The clusters as places on a map.

    Attributes:
        cluster_ids: the clusters by falling size.
        sizes: their items.
        middles: the place of the item nearest to each cluster's median place: on the island, whatever its shape.
        labels: int (n,), the cluster of each item.
        coordinates: float64 (n, 2), its place.
    """

    cluster_ids: tuple[int, ...]
    sizes: Mapping[int, int]
    middles: Mapping[int, NDArray[np.float64]]
    labels: NDArray[np.int_]
    coordinates: NDArray[np.float64]

    @classmethod
    def of(cls, labels: NDArray[np.int_], coordinates: NDArray[np.float64]) -> "Islands":
        """The clusters of a run.

        Args:
            labels: (n,) cluster of each item, -1 is noise.
            coordinates: (n, 2) place of each item.
        """
        found, counts = np.unique(labels[labels != NOISE_LABEL], return_counts=True)
        sizes = {int(cluster_id): int(count) for cluster_id, count in zip(found, counts, strict=True)}
        middles = {}
        for cluster_id in sizes:
            own = coordinates[labels == cluster_id]
            middles[cluster_id] = own[np.argmin(((own - np.median(own, axis=0)) ** 2).sum(axis=1))]
        order = sorted(sizes, key=lambda cluster_id: (-sizes[cluster_id], cluster_id))
        return cls(tuple(order), sizes, middles, labels, coordinates)


def place_labels(
    axes: "Axes", renderer: Any, islands: Islands, titles: Mapping[int, str], colour: Callable[[int], str]
) -> None:
    """Draw the number of each island, and its title where there is room.

    Args:
        renderer: of the figure, which measures texts.
        titles: what can be drawn of each cluster's name; nothing is for "".
        colour: of a cluster.
    """
    axes.autoscale_view()
    axes.autoscale(False)  # Labels are placed in pixels: from here on the map must not move below them.
    window = axes.get_window_extent(renderer)
    page = (window.x0, window.y0, window.x1, window.y1)
    points = axes.transData.transform(islands.coordinates) if len(islands.coordinates) else np.empty((0, 2))
    measure = Measure(axes, renderer)
    occupied: list[Box] = []
    numbers: dict[int, Box] = {}
    for cluster_id in islands.cluster_ids:
        middle = axes.transData.transform(islands.middles[cluster_id])
        size, own = measure(str(cluster_id), NUMBER_SIZE, weight="bold"), points[islands.labels == cluster_id]
        free = [box for box in _around(middle, size) if _is_free(box, page, occupied)]
        most = HIDDEN_SHARE * len(own)
        box = next((box for box in free if _covered(box, own) <= most), (free or [_box(middle, size)])[0])
        occupied.append(box)
        numbers[cluster_id] = box
        _draw_number(axes, cluster_id, box, middle, colour(cluster_id))
    clustered = points[islands.labels != NOISE_LABEL]
    for cluster_id in islands.cluster_ids[:MAX_TITLES]:
        island = _core(points[islands.labels == cluster_id], numbers[cluster_id])
        for text in dict.fromkeys(shortened(titles[cluster_id], width) for width in TITLE_WIDTHS):
            size = measure(text, TITLE_SIZE)
            places = (box for box in _beside(island, size) if _is_free(box, page, occupied))
            place = next((box for box in places if _covered(box, clustered) <= COVERED), None)
            if text and place is not None:
                occupied.append(place)
                _draw_title(axes, text, place)
                break


class Measure:
    """Tells how wide and high a text is, in pixels."""

    def __init__(self, axes: "Axes", renderer: Any) -> None:
        self._axes = axes
        self._renderer = renderer

    def __call__(self, text: str, size: float, **style: Any) -> tuple[float, float]:
        artist = self._axes.text(0, 0, text, fontsize=size, **style)
        extent = artist.get_window_extent(self._renderer)
        artist.remove()
        return extent.width, extent.height


def _box(middle: NDArray[np.float64], size: tuple[float, float]) -> Box:
    return (middle[0] - size[0] / 2, middle[1] - size[1] / 2, middle[0] + size[0] / 2, middle[1] + size[1] / 2)


def _around(middle: NDArray[np.float64], size: tuple[float, float]) -> list[Box]:
    """The middle itself, then places on wider and wider circles."""
    boxes = [_box(middle, size)]
    for ring in range(1, RINGS + 1):
        for turn in np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False):
            away = 0.75 * ring * max(size) * np.array([np.cos(turn), np.sin(turn)])
            boxes.append(_box(middle + away, size))
    return boxes


def _core(points: NDArray[np.float64], number: Box) -> Box:
    """Where a title must not be: an island's number and most of its points, but for an island that is all over."""
    low, high = np.quantile(points, [0.1, 0.9], axis=0)
    if max(high - low) > WIDEST:
        return number
    return (min(number[0], low[0]), min(number[1], low[1]), max(number[2], high[0]), max(number[3], high[1]))


def _beside(island: Box, size: tuple[float, float]) -> list[Box]:
    """Right of an island, left, above, below, and the corners."""
    width, height = size
    left, bottom, right, top = island
    across, middle = (left + right) / 2, (bottom + top) / 2
    corners = [
        (right + 2 * GAP, middle - height / 2),
        (left - 2 * GAP - width, middle - height / 2),
        (across - width / 2, top + GAP),
        (across - width / 2, bottom - GAP - height),
        (left, top + GAP),
        (left, bottom - GAP - height),
        (right - width, top + GAP),
        (right - width, bottom - GAP - height),
    ]
    return [(x, y, x + width, y + height) for x, y in corners]


def _is_free(box: Box, page: Box, occupied: list[Box]) -> bool:
    inside = page[0] + GAP <= box[0] and page[1] + GAP <= box[1] and box[2] <= page[2] - GAP and box[3] <= page[3] - GAP
    return inside and not any(
        box[0] < other[2] + GAP and other[0] < box[2] + GAP and box[1] < other[3] + GAP and other[1] < box[3] + GAP
        for other in occupied
    )


def _covered(box: Box, points: NDArray[np.float64]) -> int:
    """How many points are under a box."""
    within = (points > np.array(box[:2])) & (points < np.array(box[2:]))
    return int(within.all(axis=1).sum())


def _draw_number(axes: "Axes", cluster_id: int, box: Box, middle: NDArray[np.float64], colour: str) -> None:
    from matplotlib.patheffects import withStroke

    back = axes.transData.inverted()
    at = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    x, y = back.transform(at)
    if np.hypot(*(at - middle)) > box[2] - box[0] + box[3] - box[1]:
        to_x, to_y = back.transform(middle)
        axes.plot([x, to_x], [y, to_y], color=colour, linewidth=0.8, zorder=3)
    axes.text(
        x,
        y,
        str(cluster_id),
        fontsize=NUMBER_SIZE,
        weight="bold",
        color="#111111",
        ha="center",
        va="center",
        zorder=5,
        path_effects=[withStroke(linewidth=HALO, foreground="white")],
    )


def _draw_title(axes: "Axes", text: str, box: Box) -> None:
    x, y = axes.transData.inverted().transform((box[0], (box[1] + box[3]) / 2))
    axes.text(
        x,
        y,
        text,
        fontsize=TITLE_SIZE,
        color="#222222",
        va="center",
        zorder=4,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
    )
