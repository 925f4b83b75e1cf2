"""What `cluster` promises: shapes, order, invariances, edges. Time and quality on real data belong to benchmarks."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import (
    NOISE_LABEL,
    Clustering,
    ClusteringConfig,
    InvalidEmbeddingsError,
    cluster,
    representatives,
)

METHODS = ("graph", "kmeans", "hdbscan")


def mixture(
    n: int = 240, d: int = 48, k: int = 4, noise: float = 0.35, seed: int = 7
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Points around `k` well separated directions, of unequal sizes, and which one each belongs to."""
    rng = np.random.default_rng(seed)
    weights = np.arange(1, k + 1) / np.arange(1, k + 1).sum()
    truth = rng.choice(k, size=n, p=weights)
    centres = rng.normal(size=(k, d))
    return (centres[truth] + noise * rng.normal(size=(n, d))).astype(np.float32), truth


def same_partition(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a.tolist())) == len(set(b.tolist()))


@pytest.fixture(params=METHODS)
def config(request: pytest.FixtureRequest) -> ClusteringConfig:
    return ClusteringConfig(method=request.param)


def assert_consistent(result: Clustering, n: int, d: int) -> None:
    k = len(result.centroids)
    assert result.labels.shape == result.distances.shape == result.ranks.shape == result.strength.shape == (n,)
    assert result.coordinates.shape == (n, 2)
    assert result.centroids.shape == (k, d)
    assert result.centroid_coordinates.shape == (k, 2)
    assert set(result.labels.tolist()) - {NOISE_LABEL} == set(range(k))
    assert result.sizes.tolist() == sorted(result.sizes.tolist(), reverse=True)
    assert ((result.strength >= 0) & (result.strength <= 1)).all()
    assert np.isfinite(result.distances).all()
    assert np.isfinite(result.coordinates).all()
    for label in set(result.labels.tolist()):
        members = np.flatnonzero(result.labels == label)
        by_rank = members[np.argsort(result.ranks[members])]
        assert sorted(result.ranks[members].tolist()) == list(range(len(members)))
        steps = np.diff(result.distances[by_rank])
        assert (steps <= 0).all() if label == NOISE_LABEL else (steps >= 0).all()


def test_planted_clusters_are_found(config: ClusteringConfig) -> None:
    points, truth = mixture()
    result = cluster(points, config)
    clustered = result.labels >= 0
    assert clustered.mean() > 0.95
    assert same_partition(result.labels[clustered], truth[clustered])
    assert_consistent(result, *points.shape)
    assert result.method == config.method


def test_centroids_are_means_of_members_at_length_one_and_distances_are_to_them(config: ClusteringConfig) -> None:
    points, _ = mixture()
    result = cluster(points * 3, config)
    unit = points.astype(np.float64) / np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    for label, centroid in enumerate(result.centroids):
        assert np.allclose(unit[result.labels == label].mean(axis=0), centroid, atol=1e-5)
    to_all = np.linalg.norm(unit[:, None, :] - result.centroids[None], axis=2)
    own = np.where(result.labels < 0, to_all.min(axis=1), to_all[np.arange(len(unit)), result.labels])
    assert np.allclose(result.distances, own, atol=1e-4)


def test_k_is_the_one_with_the_best_silhouette_and_the_curve_tells() -> None:
    points, _ = mixture(k=5)
    curve = cluster(points, ClusteringConfig(method="kmeans", min_k=2, max_k=8)).quality.k_curve
    assert [point.k for point in curve] == list(range(2, 9))
    assert max(curve, key=lambda point: point.silhouette or -1).k == 5
    inertias = [point.inertia for point in curve]
    assert inertias == sorted(inertias, reverse=True)


def test_the_silhouette_is_scikit_learns() -> None:
    from sklearn.metrics import silhouette_score

    points, _ = mixture(d=20, noise=0.8)
    result = cluster(points, ClusteringConfig())
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert result.quality.silhouette == pytest.approx(silhouette_score(unit, result.labels), abs=1e-4)


def test_the_order_of_the_rows_does_not_matter(config: ClusteringConfig) -> None:
    points, _ = mixture(noise=1.0)
    points = np.vstack([points, points[:40]])
    order = np.random.default_rng(3).permutation(len(points))
    straight, shuffled = cluster(points, config), cluster(points[order], config)
    assert (shuffled.labels == straight.labels[order]).all()
    assert shuffled.centroids.tobytes() == straight.centroids.tobytes()
    assert shuffled.coordinates.tobytes() == straight.coordinates[order].tobytes()
    assert shuffled.quality == straight.quality


def test_only_directions_count(config: ClusteringConfig) -> None:
    points, _ = mixture(noise=1.0)
    scale = np.float32(2.0) ** np.random.default_rng(1).integers(-8, 8, size=(len(points), 1))
    assert (cluster(points, config).labels == cluster((points * scale).astype(np.float32), config).labels).all()


def test_the_input_is_not_changed_and_a_second_run_gives_the_same_bytes(config: ClusteringConfig) -> None:
    points, _ = mixture(noise=1.0)
    before = points.copy()
    first, second = cluster(points, config), cluster(points, config)
    assert (points == before).all()
    for name in ("labels", "centroids", "distances", "ranks", "strength", "coordinates", "centroid_coordinates"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert first.quality == second.quality


def test_equal_rows_get_equal_answers_and_count_each(config: ClusteringConfig) -> None:
    points, _ = mixture(n=120)
    doubled = np.vstack([points, points])
    result = cluster(doubled, config)
    assert (result.labels[:120] == result.labels[120:]).all()
    assert (result.distances[:120] == result.distances[120:]).all()
    assert (result.coordinates[:120] == result.coordinates[120:]).all()
    assert result.sizes.sum() + (result.labels < 0).sum() == 240
    assert result.quality.distinct_items == 120
    assert_consistent(result, *doubled.shape)


def test_a_text_repeated_often_is_a_cluster_for_hdbscan_and_not_noise() -> None:
    points, _ = mixture(n=100)
    one = np.random.default_rng(5).normal(size=(1, points.shape[1])).astype(np.float32) * 2
    result = cluster(np.vstack([points, np.repeat(one, 30, axis=0)]), ClusteringConfig(method="hdbscan"))
    repeated = set(result.labels[100:].tolist())
    assert len(repeated) == 1
    assert NOISE_LABEL not in repeated
    assert not repeated & set(result.labels[:100].tolist())


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7])
def test_few_points_give_fewer_clusters_than_points(n: int, config: ClusteringConfig) -> None:
    result = cluster(np.eye(8, dtype=np.float32)[:n], config)
    assert_consistent(result, n, 8)
    assert len(result.centroids) == 1 if n < 3 else 2 <= len(result.centroids) < n


def test_equal_points_are_one_cluster_and_the_quality_says_so(config: ClusteringConfig) -> None:
    result = cluster(np.ones((50, 8), dtype=np.float32), config)
    assert result.labels.tolist() == [0] * 50
    assert result.quality.silhouette is None
    assert result.quality.separation is None
    assert "distinct" in result.quality.collapse
    assert_consistent(result, 50, 8)


def test_one_dimension_is_enough(config: ClusteringConfig) -> None:
    result = cluster(np.array([[1.0], [2.0], [-1.0], [-3.0]] * 10, dtype=np.float32), config)
    assert_consistent(result, 40, 1)


def test_no_rows_are_refused() -> None:
    with pytest.raises(InvalidEmbeddingsError, match="at least one row"):
        cluster(np.empty((0, 8), dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_named(value: float) -> None:
    points, _ = mixture(n=30)
    points[[4, 17], 3] = value
    with pytest.raises(InvalidEmbeddingsError, match=r"2 rows .* NaN or infinite: 4, 17;") as caught:
        cluster(points)
    assert caught.value.rows == (4, 17)


def test_zero_rows_are_named_and_long_lists_are_cut_in_the_message_only() -> None:
    points, _ = mixture(n=60)
    points[10:40] = 0
    with pytest.raises(InvalidEmbeddingsError, match=r"30 rows .* all zero: 10, 11, .* and 20 more") as caught:
        cluster(points)
    assert caught.value.rows == tuple(range(10, 40))


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (4, 0)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidEmbeddingsError):
        cluster(np.ones(shape, dtype=np.float32))


def test_text_is_refused() -> None:
    with pytest.raises(InvalidEmbeddingsError, match="dtype"):
        cluster(np.array([["a", "b"], ["c", "d"]]))  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_tiny_and_huge_rows_have_a_direction_too(scale: float) -> None:
    points, truth = mixture()
    scaled = (points * np.float32(scale)).astype(np.float32)
    assert same_partition(cluster(scaled, ClusteringConfig(method="kmeans")).labels, truth)


def test_quality_can_be_stored_as_json_and_its_shares_are_true(config: ClusteringConfig) -> None:
    points, _ = mixture(noise=1.5)
    result = cluster(points, config)
    stored = json.loads(json.dumps(result.quality.to_dict(), allow_nan=False))
    assert stored["clusters"] == len(result.centroids)
    assert stored["noise_share"] == pytest.approx((result.labels < 0).mean())
    assert stored["largest_share"] == pytest.approx(result.sizes.max() / len(points))
    clustered = result.labels >= 0
    assert stored["inertia"] == pytest.approx((result.distances[clustered] ** 2).sum())


def test_clusters_lie_apart_on_the_map() -> None:
    points, _ = mixture(n=400, d=256, k=6, noise=1.0)
    result = cluster(points, ClusteringConfig())
    apart = np.linalg.norm(result.coordinates[:, None] - result.coordinates[None], axis=2)
    neighbours = np.argsort(apart, axis=1)[:, 1:16]
    purity = (result.labels[neighbours] == result.labels[:, None]).mean()
    assert purity > 0.85
    assert np.abs(result.coordinates).max() <= 1.0


def test_representatives_are_the_closest_members() -> None:
    points, _ = mixture()
    result = cluster(points)
    chosen = representatives(result, n=5)
    assert list(chosen) == list(range(len(result.centroids)))
    for label, indices in chosen.items():
        assert (result.labels[indices] == label).all()
        assert result.ranks[indices].tolist() == [0, 1, 2, 3, 4]


def test_representatives_say_different_things_while_they_can() -> None:
    points, _ = mixture(n=60)
    repeated = np.vstack([points, np.repeat(points[:1], 20, axis=0)])
    result = cluster(repeated)
    indices = representatives(result)[int(result.labels[0])]
    assert len({result.distinct[index] for index in indices}) == len(indices) == 7


def test_small_clusters_have_fewer_representatives() -> None:
    result = cluster(np.eye(4, dtype=np.float32))
    assert sum(len(indices) for indices in representatives(result).values()) == 4
    with pytest.raises(ValueError, match="'n' parameter"):
        representatives(result, n=0)
