"""What is carried over: held where all earlier runs agree, and given up where the data say otherwise."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, InvalidEmbeddingsError, cluster
from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.leiden import Graph
from llma_assets.clusters.engine.prior import LOYALTY, held_together, labels_of_points

CONFIG = ClusteringConfig(method="graph", with_map=False)


def graph_of(nodes: int, *edges: tuple[int, int]) -> Graph:
    weights = np.zeros((nodes, nodes))
    for one, other in edges:
        weights[one, other] = weights[other, one] = 1.0
    origins, ends = np.nonzero(weights)
    starts = np.searchsorted(origins, np.arange(nodes + 1))
    return Graph(starts.astype(np.int64), ends.astype(np.int32), weights[origins, ends])


def factors(graph: Graph, earlier: Sequence[Sequence[int]]) -> dict[tuple[int, int], float]:
    held = held_together(graph, np.array(earlier))
    assert held.plain is not None
    assert held.plain.tolist() == graph.weights.tolist()
    pairs = zip(graph.origins.tolist(), graph.ends.tolist(), held.weights.tolist(), strict=True)
    return {(one, other): weight for one, other, weight in pairs if one < other}


def test_what_all_runs_agree_on_is_held_and_what_they_do_not_is_left() -> None:
    graph = graph_of(4, (0, 1), (0, 2), (0, 3))
    assert factors(graph, [[0, 5], [0, 5], [1, 6], [0, 6]]) == {(0, 1): LOYALTY, (0, 2): 1 / LOYALTY, (0, 3): 1.0}


def test_a_new_item_amid_one_cluster_counts_as_one_of_it() -> None:
    graph = graph_of(5, (0, 1), (0, 4), (1, 4), (2, 4), (2, 3))
    held = factors(graph, [[7], [7], [3], [3], [-1]])
    assert (held[0, 4], held[1, 4], held[2, 4]) == (LOYALTY, LOYALTY, 1 / LOYALTY)


def test_the_items_of_a_new_topic_are_free() -> None:
    graph = graph_of(5, (0, 1), (1, 2), (2, 3), (3, 4), (2, 4))
    held = factors(graph, [[0], [0], [-1], [-1], [-1]])
    assert held == {(0, 1): LOYALTY, (1, 2): 1.0, (2, 3): 1.0, (2, 4): 1.0, (3, 4): 1.0}


def test_of_runs_that_did_not_know_an_item_one_is_enough_to_leave_it_free() -> None:
    held = factors(graph_of(4, (0, 1), (1, 2), (1, 3)), [[0, 0], [0, -1], [-1, -1], [0, -1]])
    assert held == {(0, 1): 1.0, (1, 2): 1.0, (1, 3): 1.0}


def test_a_point_has_the_clusters_that_most_of_its_items_had() -> None:
    earlier = np.array([[1, 1], [2, 2], [2, 2], [-1, 3], [4, -1]])
    inverse = np.array([0, 0, 0, 1, 2])
    for order in ([0, 1, 2, 3, 4], [4, 2, 1, 0, 3]):
        assert labels_of_points(earlier[order], inverse[order], 4).tolist() == [[2, 2], [-1, -1], [-1, -1], [-1, -1]]


def blurred(seed: int = 5) -> tuple[NDArray[np.float32], NDArray[np.int_]]:
    """Twelve topics that overlap: where they are cut is hard to say. And the first 400 of the 480 rows."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 12, size=480)
    points = 1.1 * rng.normal(size=(12, 24))[topics] + rng.normal(size=(480, 24))
    return points.astype(np.float32), np.arange(400)


def agreement(one: NDArray[np.int_], other: NDArray[np.int_]) -> float:
    places = [np.unique(labels, return_inverse=True)[1].astype(np.int32) for labels in (one, other)]
    return adjusted_rand(*places)


def test_what_could_be_cut_either_way_is_cut_as_before() -> None:
    points, known = blurred()
    before = cluster(points[known], CONFIG)
    earlier = np.full((480, 2), -1)
    earlier[known] = before.labels[:, None]
    resolution = before.quality.resolution
    free = cluster(points, CONFIG, earlier_resolution=resolution)
    held = cluster(points, CONFIG, earlier_resolution=resolution, earlier_labels=earlier)
    assert held.quality.resolution == free.quality.resolution == pytest.approx(resolution)
    assert agreement(held.labels[known], before.labels) > agreement(free.labels[known], before.labels)


def test_what_the_data_refuse_is_not_held() -> None:
    rng = np.random.default_rng(1)
    topics = np.repeat(np.arange(8), 40)
    points = (3 * np.eye(8, 24)[topics] + 0.3 * rng.normal(size=(320, 24))).astype(np.float32)
    found = cluster(points, CONFIG)
    for wrong in (topics // 2, rng.integers(0, 8, size=320)):
        both = np.column_stack([wrong, wrong])
        held = cluster(points, CONFIG, earlier_resolution=found.quality.resolution, earlier_labels=both)
        assert held.quality.resolution == pytest.approx(found.quality.resolution)
        assert agreement(held.labels, topics) > 0.95


def test_another_resolution_cuts_all_anew() -> None:
    points, _ = blurred()
    free = cluster(points, CONFIG)
    worst = min(free.quality.resolution_curve, key=lambda point: point.score)
    earlier = np.zeros((480, 2), dtype=np.int_)
    held = cluster(points, CONFIG, earlier_resolution=worst.resolution, earlier_labels=earlier)
    assert held.quality.resolution == free.quality.resolution
    assert held.labels.tolist() == free.labels.tolist()


def test_labels_that_say_nothing_change_nothing() -> None:
    points, _ = blurred()
    free = cluster(points, CONFIG)
    held = cluster(points, CONFIG, earlier_labels=np.full((480, 2), -1))
    assert held.labels.tobytes() == free.labels.tobytes()
    assert held.strength.tobytes() == free.strength.tobytes()


def test_neither_the_order_of_the_rows_nor_the_numbers_of_the_clusters_count() -> None:
    points, known = blurred()
    before = cluster(points[known], CONFIG)
    earlier = np.full((480, 2), -1)
    earlier[known] = before.labels[:, None]
    resolution = before.quality.resolution
    found = cluster(points, CONFIG, earlier_resolution=resolution, earlier_labels=earlier).labels
    order = np.random.default_rng(2).permutation(480)
    again = cluster(points[order], CONFIG, earlier_resolution=resolution, earlier_labels=earlier[order]).labels
    assert again.tolist() == found[order].tolist()
    renamed = np.where(earlier < 0, -1, 7 * earlier + 3)
    again = cluster(points, CONFIG, earlier_resolution=resolution, earlier_labels=renamed).labels
    assert again.tolist() == found.tolist()


@pytest.mark.parametrize("shape", [(40,), (39, 2), (40, 0)])
def test_labels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidEmbeddingsError, match="earlier_labels"):
        cluster(blurred()[0][:40], CONFIG, earlier_labels=np.zeros(shape, dtype=np.int_))
