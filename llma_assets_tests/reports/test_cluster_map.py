"""The map: a picture that is the same for the same clusters, small, and readable however many there are."""

import base64
import io
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from llma_assets.reports import cluster_map, map_markdown, map_png
from llma_assets.reports.cluster_map import MAX_BYTES, _colour, _drawable, _marker
from llma_assets.reports.map_labels import Islands, place_labels

Box = tuple[float, float, float, float]


def scattered(clusters: int, items: int = 600) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Islands of growing width at places of their own, and a tenth of noise."""
    random = np.random.default_rng(clusters)
    labels = np.arange(items) % (clusters + 1) - (np.arange(items) % (clusters + 1) == clusters) * (clusters + 1)
    places = random.uniform(-10, 10, size=(clusters + 1, 2))
    return labels, places[labels] + random.normal(0, 0.3, size=(items, 2))


@pytest.mark.heavy
def test_the_map_is_a_png_and_the_same_for_the_same_input() -> None:
    labels = np.array([0, 0, 1, -1])
    coordinates = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 1.0], [0.5, 0.5]])
    titles = {0: "a $\\frac{$ _x_ 🦜 <b>" + "long " * 50, 1: "b\nc"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = map_markdown(labels, coordinates, titles, "team 1")
    data = base64.b64decode(first.removeprefix("![map](data:image/png;base64,").removesuffix(")"))
    assert data.startswith(b"\x89PNG")
    cluster_map._picture.cache_clear()
    assert map_markdown(labels, coordinates, titles, "team 1") == first


@pytest.mark.parametrize(
    ("clusters", "items"),
    [
        (0, 30),
        (1, 30),
        pytest.param(60, 3_000, marks=pytest.mark.heavy),
        pytest.param(200, 20_000, marks=pytest.mark.heavy),
    ],
)
def test_a_map_of_any_number_of_clusters_is_small_and_fits_a_dialog(clusters: int, items: int) -> None:
    labels, coordinates = scattered(clusters, items)
    titles = {cluster_id: f"What cluster {cluster_id} is about: words, more words" for cluster_id in range(clusters)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = map_png(labels, coordinates, titles, "team 1")
    assert len(picture) <= MAX_BYTES
    width, height = Image.open(io.BytesIO(picture)).size
    assert width <= 960
    assert height <= 2_000


@pytest.mark.heavy
def test_a_map_that_would_be_too_large_loses_shades_and_then_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, coordinates = scattered(20, 3_000)
    whole = map_png(labels, coordinates, {}, "team 1")
    monkeypatch.setattr("llma_assets.reports.cluster_map.MAX_BYTES", len(whole) // 3)
    assert len(map_png(labels, coordinates, {}, "team 1")) <= len(whole) // 3


def texts_of(clusters: int) -> tuple[dict[str, Box], Box]:
    """What a map writes into it, and where, in pixels; and the map's own box."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # not while tests are collected: it takes its time
    from matplotlib.figure import Figure

    labels, coordinates = scattered(clusters, 40 * clusters)
    figure = Figure(figsize=(9.6, 6.4), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.scatter(coordinates[:, 0], coordinates[:, 1])
    titles = {cluster_id: f"Title {cluster_id} of it" for cluster_id in range(clusters)}
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    place_labels(axes, renderer, Islands.of(labels, coordinates), titles, _colour)
    boxes = {}
    for text in axes.texts:
        window = text.get_window_extent(renderer)
        boxes[text.get_text()] = (window.x0, window.y0, window.x1, window.y1)
    page = axes.get_window_extent(renderer)
    return boxes, (page.x0, page.y0, page.x1, page.y1)


@pytest.mark.parametrize("clusters", [28, 60])
def test_each_island_has_its_number_and_no_label_covers_another_or_leaves_the_map(clusters: int) -> None:
    boxes, page = texts_of(clusters)
    assert {str(number) for number in range(clusters)} <= boxes.keys()
    titled = [text for text in boxes if text.startswith("Title")]
    assert len(titled) > clusters / 2
    placed = list(boxes.items())
    for place, (text, box) in enumerate(placed):
        assert page[0] <= box[0] and page[1] <= box[1] and box[2] <= page[2] and box[3] <= page[3], text  # noqa: PT018
        for other, other_box in placed[place + 1 :]:
            apart = box[2] <= other_box[0] or other_box[2] <= box[0] or box[3] <= other_box[1] or other_box[3] <= box[1]
            assert apart, (text, other)


def test_the_number_is_on_its_island_even_where_that_is_a_ring() -> None:
    turns = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    middle = Islands.of(np.zeros(50, dtype=np.int_), ring).middles[0]
    assert np.hypot(*middle) == pytest.approx(1)


def test_no_two_of_sixty_clusters_look_alike() -> None:
    looks = {(_colour(number), _marker(number)) for number in range(60)}
    assert len(looks) == 60


@pytest.mark.parametrize(
    ("title", "drawn"),
    [("Refund 🦜 asked", "Refund  asked"), ("银行卡丢失", ""), ("costs $5", r"costs \$5"), ("a\nb", "a b"), ("", "")],
)
def test_what_the_font_has_no_signs_for_is_left_to_the_table(title: str, drawn: str) -> None:
    assert _drawable(title, 80) == drawn
