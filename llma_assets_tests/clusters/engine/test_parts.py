"""The parts that the front is made of, against plain computations of the same."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters.engine.kmeans import refine_kmeans
from llma_assets.clusters.engine.measures import numbered_by_size
from llma_assets.clusters.engine.preprocessing import checked, deduplicate, normalise
from llma_assets.clusters.engine.reduction import principal_components
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer, pairwise_distances


def random(n: int, d: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(40, 200), (200, 40)])
def test_components_are_those_of_the_singular_value_decomposition_whichever_gram_matrix_is_smaller(
    n: int, d: int
) -> None:
    points = random(n, d)
    reduced = principal_components(points, np.ones(n), 10)
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(np.abs(reduced.points), np.abs(u[:, :10] * s[:10]), atol=1e-3)
    assert reduced.explained_variance == pytest.approx((s[:10] ** 2).sum() / (s**2).sum(), abs=1e-4)


@pytest.mark.parametrize(("n", "d"), [(30, 80), (80, 30)])
def test_a_weight_counts_as_that_many_rows(n: int, d: int) -> None:
    points = random(n, d)
    weights = np.random.default_rng(1).integers(1, 5, size=n)
    weighted = principal_components(points, weights.astype(np.float64), 5).points
    repeated = principal_components(np.repeat(points, weights, axis=0), np.ones(weights.sum()), 5).points
    assert np.allclose(weighted, repeated[np.cumsum(weights) - 1], atol=1e-3)


def test_distances_are_euclidean_symmetric_and_zero_on_the_diagonal() -> None:
    points = random(50, 12)
    found = pairwise_distances(points)
    assert np.allclose(found, np.linalg.norm(points[:, None] - points[None], axis=2), atol=1e-4)
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()


def test_silhouettes_with_weights_are_those_of_the_repeated_points() -> None:
    from sklearn.metrics import silhouette_score

    points, labels = random(60, 6), np.arange(60, dtype=np.int32) % 3
    points[labels == 1] += 2
    weights = np.random.default_rng(2).integers(1, 4, size=60)
    expected = silhouette_score(np.repeat(points, weights, axis=0), np.repeat(labels, weights))
    scorer = SilhouetteScorer(points, weights.astype(np.float64), sample=100, seed=0)
    assert scorer.score(labels) == pytest.approx(expected, abs=1e-4)


def test_noise_takes_no_part_in_silhouettes() -> None:
    from sklearn.metrics import silhouette_score

    points, labels = random(60, 6), (np.arange(60, dtype=np.int32) % 3) - 1
    scorer = SilhouetteScorer(points, np.ones(60), sample=100, seed=0)
    kept = labels >= 0
    assert scorer.score(labels) == pytest.approx(silhouette_score(points[kept], labels[kept]), abs=1e-4)
    assert scorer.score(np.zeros(60, dtype=np.int32)) is None


def test_a_sampled_silhouette_is_near_the_whole_one() -> None:
    points, labels = random(1500, 6), np.arange(1500, dtype=np.int32) % 3
    points[labels == 2] += 3
    whole = SilhouetteScorer(points, np.ones(1500), sample=1500, seed=0).score(labels)
    sampled = SilhouetteScorer(points, np.ones(1500), sample=400, seed=0).score(labels)
    assert whole is not None
    assert sampled == pytest.approx(whole, abs=0.05)


def test_equal_rows_become_one_with_their_count_and_negative_zero_is_zero() -> None:
    rows = np.array([[1, 0], [0, 2], [1, -0.0], [5, 0]], dtype=np.float32)
    distinct = deduplicate(checked(rows))
    assert sorted(distinct.weights.tolist()) == [1, 3]
    assert (distinct.unit[distinct.inverse] == normalise(rows)).all()


@pytest.mark.parametrize("dimensions", [1, 2, 3, 40])
def test_distinct_rows_are_in_the_order_of_their_bytes_also_where_they_begin_alike(dimensions: int) -> None:
    rows = random(1500, dimensions)
    rows[:700] = rows[700:1400]
    rows[300:1200, :2] = 0.5  # from here on only what comes later tells them apart
    distinct = deduplicate(checked(rows))
    found = [row.tobytes() for row in distinct.unit]
    assert found == sorted(set(found))
    assert (distinct.unit[distinct.inverse] == checked(rows).unit(slice(None))).all()
    assert (np.bincount(distinct.inverse) == distinct.weights).all()


def test_polishing_never_makes_the_inertia_worse_and_empties_no_cluster() -> None:
    unit = normalise(random(200, 30))
    labels = np.random.default_rng(4).integers(0, 7, size=200).astype(np.int32)

    def inertia(assigned: NDArray[np.int32]) -> float:
        return sum(float(((unit[assigned == c] - unit[assigned == c].mean(axis=0)) ** 2).sum()) for c in range(7))

    polished = refine_kmeans(unit, np.ones(200), labels)
    assert inertia(polished) < inertia(labels)
    assert np.bincount(polished, minlength=7).min() > 0


def test_clusters_are_numbered_by_size_and_ties_by_their_first_row() -> None:
    labels = np.array([9, 4, 4, -1, 7, 7, 2, 2, 2], dtype=np.int32)
    numbered = numbered_by_size(labels, np.ones(9))
    assert numbered.tolist() == [3, 1, 1, -1, 2, 2, 0, 0, 0]
