"""Neighbours and the map that is made of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import Clustering, ClusteringConfig, InvalidEmbeddingsError, cluster
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours, search_nearest
from llma_assets_tests.clusters.engine.test_graph import topics

pytestmark = pytest.mark.heavy


def plainly(points: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    apart = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1, kind="stable")[:, :k]


def recall(found: Neighbours, expected: NDArray[np.intp]) -> float:
    hits = [len(set(a) & set(b)) for a, b in zip(found.indices.tolist(), expected.tolist(), strict=True)]
    return sum(hits) / expected.size


@pytest.mark.parametrize(("n", "k"), [(2, 15), (7, 3), (100, 15), (901, 15)])
def test_neighbours_are_the_nearest_in_order_without_the_point_itself(n: int, k: int) -> None:
    points, _ = topics(n=n, d=20)
    found = nearest_neighbours(points, k, seed=0)
    expected = plainly(points, min(k, n - 1))
    assert (found.indices == expected).mean() > 0.999
    apart = np.linalg.norm(points[:, None] - points[found.indices], axis=2)
    assert np.allclose(found.distances, apart, atol=1e-3)
    assert (found.indices != np.arange(n)[:, None]).all()


def test_a_point_alone_has_no_neighbours() -> None:
    assert nearest_neighbours(np.ones((1, 4), dtype=np.float32), 15, seed=0).indices.shape == (1, 0)


@pytest.mark.slow
def test_many_points_find_nearly_all_their_neighbours_in_near_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    points, _ = topics(n=3000, d=30, noise=1.2)
    monkeypatch.setattr("llma_assets.clusters.engine.neighbours.EXACT_POINTS", 1000)
    monkeypatch.setattr("llma_assets.clusters.engine.neighbours.BUCKET_POINTS", 60)
    found = nearest_neighbours(points, 15, seed=0)
    again = nearest_neighbours(points, 15, seed=0)
    assert found.indices.tobytes() == again.indices.tobytes()
    assert recall(found, plainly(points, 15)) > 0.95
    assert (found.indices != np.arange(3000)[:, None]).all()


def test_equal_points_in_one_bucket_still_have_all_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.zeros((200, 3), dtype=np.float32)
    points[:150] = 1.0
    monkeypatch.setattr("llma_assets.clusters.engine.neighbours.EXACT_POINTS", 100)
    monkeypatch.setattr("llma_assets.clusters.engine.neighbours.BUCKET_POINTS", 20)
    found = nearest_neighbours(points, 60, seed=0)
    assert found.indices.shape == (200, 60)
    assert np.isfinite(found.distances).all()


def test_strangers_find_the_nearest_points() -> None:
    points, _ = topics(n=200, d=20)
    queries = points[:30] + np.float32(0.01)
    indices, distances = search_nearest(queries, points, 3)
    assert (indices[:, 0] == np.arange(30)).all()
    assert np.allclose(distances[:, 0], 0.01 * 20**0.5, atol=1e-2)


def purity(result: Clustering, of: NDArray[np.bool_] | slice = slice(None)) -> float:
    apart = np.linalg.norm(result.coordinates[:, None] - result.coordinates[None], axis=2)
    near = np.argsort(apart, axis=1)[:, 1:16]
    return float((result.labels[near] == result.labels[:, None])[of].mean())


def test_the_map_goes_on_from_yesterdays_and_new_clusters_find_their_place() -> None:
    points, _ = topics(n=800, k=10)
    first = cluster(points)
    assert purity(first) > 0.9
    before = first.coordinates.copy()
    new = np.isin(first.labels, [2, 7])
    before[new] = np.nan
    second = cluster(points, initial_coordinates=before)
    moved = np.linalg.norm(second.coordinates - first.coordinates, axis=1)
    assert np.median(moved[~new]) < 0.1
    assert purity(second, new) > 0.8
    assert (second.labels == first.labels).all()
    assert np.abs(second.coordinates).max() <= 1.0


def test_a_map_without_a_single_known_item_is_a_new_map() -> None:
    points, _ = topics(n=200)
    unknown = np.full((200, 2), np.nan)
    assert cluster(points, initial_coordinates=unknown).coordinates.tobytes() == cluster(points).coordinates.tobytes()


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.zeros((200, 3)), np.full((200, 2), np.inf)])
def test_coordinates_of_a_wrong_shape_or_size_are_refused(wrong: NDArray[np.float64]) -> None:
    points, _ = topics(n=200)
    with pytest.raises(InvalidEmbeddingsError, match="initial_coordinates"):
        cluster(points, initial_coordinates=wrong)


def test_most_of_very_many_points_are_placed_amid_those_that_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    points, _ = topics(n=900, k=8)
    monkeypatch.setattr("llma_assets.clusters.engine.layout.MAX_LAID_POINTS", 300)
    assert purity(cluster(points)) > 0.85


def test_a_map_can_be_left_out() -> None:
    points, _ = topics(n=200)
    result = cluster(points, ClusteringConfig(with_map=False))
    assert not result.coordinates.any()
    assert result.labels.tolist() == cluster(points).labels.tolist()
