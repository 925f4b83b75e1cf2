"""The map of a clustering as a picture: each island has its number and, if there is room, its title.

Colours alone cannot tell many clusters apart, least of all for the colour-blind: the numbers do, the legend and the
tables have the same ones. Where labels go belongs in `map_labels.py`. Equal input gives equal bytes, and no picture is
larger than `MAX_BYTES`, because Dagster keeps it in the database of its instance.
"""

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters import NOISE_LABEL
from llma_assets.markdown import shortened
from llma_assets.reports.map_labels import Islands, Measure, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_BYTES = 150_000
DISCLAIMER = "Near points are alike; distances between far clusters mean little."
WIDTH, MAP_HEIGHT, LEGEND_LINE = 9.6, 6.4, 0.185
"""Inches; a dialog of Dagster in a window of 1,280 pixels shows 9.6 inches at 100 dots each."""
LEGEND_COLUMNS, LEGEND_SIZE = 2, 8.5
LEGEND_WIDTHS = (64, 56, 50, 44, 38, 32, 26)
"""Characters of a title in the legend: the first that fits into its column."""
MAX_LEGEND = 120
"""Clusters that the legend names; the table has all."""
MAX_POINTS = 8_000
"""Points that are drawn: of more, every second, third … of each cluster."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4FA3")
"""M. Okabe's and K. Ito's colours that stand out on white, and a violet: told apart with any kind of colour vision."""
MARKERS = "os^DvP*X<>"
"""Clusters of equal colour differ in shape."""
GREY = "#b4b4b4"
INK = "#111111"
DOTS, SHADES = (100, 75, 50), (6, 3, 1)
"""Dots an inch, and shades of each colour: the first that `MAX_BYTES` allows."""


def map_markdown(
    labels: NDArray[np.int_], coordinates: NDArray[np.float64], titles: Mapping[int, str], heading: str
) -> str:
    """The map as an inline PNG in Markdown; see `map_png`."""
    picture = map_png(labels, coordinates, titles, heading)
    return f"![map](data:image/png;base64,{base64.b64encode(picture).decode()})"


def map_png(
    labels: NDArray[np.int_], coordinates: NDArray[np.float64], titles: Mapping[int, str], heading: str
) -> bytes:
    """The map as a PNG of at most `MAX_BYTES`.

    Args:
        labels: (n,) cluster of each item, -1 is noise.
        coordinates: (n, 2) position of each item.
        titles: name of each cluster.
        heading: what the picture shows.
    """
    places = np.ascontiguousarray(coordinates, dtype=np.float64).tobytes()
    return _picture(labels.astype(np.int64).tobytes(), places, tuple(sorted(titles.items())), heading, MAX_BYTES)


# Three assets in a row show the same map: only the first of them draws it.
@lru_cache(maxsize=8)
def _picture(
    labels: bytes, coordinates: bytes, titles: tuple[tuple[int, str], ...], heading: str, max_bytes: int
) -> bytes:
    places = np.frombuffer(coordinates).reshape(-1, 2)
    for dots in DOTS:
        pixels = _drawn(np.frombuffer(labels, dtype=np.int64), places, dict(titles), heading, dots)
        for shades in SHADES:
            picture = _png(pixels, shades)
            if len(picture) <= max_bytes:
                return picture
    return picture


def _drawn(
    labels: NDArray[np.int_], coordinates: NDArray[np.float64], titles: Mapping[int, str], heading: str, dots: int
) -> Any:
    """The picture's pixels, uint8 (height, width, 4)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    islands = Islands.of(labels, coordinates)
    lines = -(-min(len(islands.cluster_ids), MAX_LEGEND) // LEGEND_COLUMNS) + 1
    height = MAP_HEIGHT + LEGEND_LINE * (lines + 1)
    figure = Figure(figsize=(WIDTH, height), dpi=dots)
    canvas: Any = FigureCanvasAgg(figure)
    map_share, margin = MAP_HEIGHT / height, 0.012
    axes = figure.add_axes((margin, 1 - map_share, 1 - 2 * margin, map_share - 0.4 / height))
    axes.set_title(_drawable(heading, 110), fontsize=11, loc="left")
    _draw_points(axes, labels, coordinates)
    known = {cluster_id: _drawable(titles.get(cluster_id, ""), 200) for cluster_id in islands.cluster_ids}
    place_labels(axes, canvas.get_renderer(), islands, known, _colour)
    legend = figure.add_axes((margin, 0, 1 - 2 * margin, 1 - map_share))
    _draw_legend(legend, canvas.get_renderer(), islands, known, int((labels == NOISE_LABEL).sum()), lines)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _draw_points(axes: "Axes", labels: NDArray[np.int_], coordinates: NDArray[np.float64]) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("#d0d0d0")
    axes.margins(0.06)
    step = -(-len(labels) // MAX_POINTS) or 1
    for cluster_id in sorted({int(label) for label in labels}):
        points = coordinates[labels == cluster_id][::step]
        noise = cluster_id == NOISE_LABEL
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=7 if noise else 15,
            color=GREY if noise else _colour(cluster_id),
            marker="o" if noise else _marker(cluster_id),
            linewidths=0,
            zorder=1 if noise else 2,
        )


def _draw_legend(
    axes: "Axes", renderer: Any, islands: Islands, titles: Mapping[int, str], noise: int, lines: int
) -> None:
    """The numbers with their titles, down one column after the other; what the map is and is not below."""
    axes.set_axis_off()
    axes.set_xlim(0, LEGEND_COLUMNS)
    axes.set_ylim(lines + 0.6, -1)
    measure, window = Measure(axes, renderer), axes.get_window_extent(renderer)
    room = 0.9 * window.width / LEGEND_COLUMNS
    shown = sorted(islands.cluster_ids)[:MAX_LEGEND]
    style: dict[str, Any] = {"fontsize": LEGEND_SIZE, "va": "center_baseline"}
    for place, cluster_id in enumerate(shown):
        column, line = divmod(place, lines - 1)
        axes.scatter([column + 0.01], [line], s=24, color=_colour(cluster_id), marker=_marker(cluster_id), linewidths=0)
        axes.text(column + 0.078, line, str(cluster_id), weight="bold", ha="right", **style)
        title = titles[cluster_id] or "(its title is in the table)"
        lengths = [f"{shortened(title, width)} ({islands.sizes[cluster_id]:,})" for width in LEGEND_WIDTHS]
        fitting = (text for text in lengths if measure(text, LEGEND_SIZE)[0] <= room)
        axes.text(column + 0.09, line, next(fitting, lengths[-1]), **style)
    notes = [f"Grey: {noise:,} outliers. "] if noise else []
    notes += [f"{left:,} more clusters are in the table. "] if (left := len(islands.cluster_ids) - len(shown)) else []
    axes.text(0.004, lines, "".join(notes) + DISCLAIMER, fontsize=LEGEND_SIZE, color="#555555", va="center_baseline")


def _colour(cluster_id: int) -> str:
    return COLOURS[cluster_id % len(COLOURS)]


def _marker(cluster_id: int) -> str:
    return MARKERS[cluster_id // len(COLOURS) % len(MARKERS)]


def _drawable(text: str, width: int) -> str:
    """Text for matplotlib: one line, no mathtext, bounded, of characters that the font has; "" where it has few."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties())).get_char_index
    line = shortened(text, width)
    kept = "".join(character for character in line if known(ord(character)))
    return kept.replace("$", r"\$") if len(kept) * 2 > len(line) else ""


def _png(pixels: Any, shades: int) -> bytes:
    """The picture with a palette of its own colours, which takes a third of the room."""
    from PIL import Image

    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in (INK, GREY, *COLOURS) for value in _shades(colour, shades)] + [255] * 3)
    packed = Image.fromarray(pixels).convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    image = io.BytesIO()
    packed.save(image, format="png", optimize=True)
    return image.getvalue()


def _shades(colour: str, shades: int) -> list[int]:
    """A colour as red, green and blue, then mixed with more and more white."""
    channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return [round(channel + (255 - channel) * step / shades) for step in range(shades) for channel in channels]
