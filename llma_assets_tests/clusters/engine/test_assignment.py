"""Assigning items to clusters that are there: nearest centroid, inside the cluster's reach."""

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.assignment import BLOCK_ROWS, assign, cluster_radii
from llma_assets.clusters.engine.errors import ClusteringError, InvalidEmbeddingsError


def blobs(seed: int, per_cluster: int, k: int = 4, d: int = 24, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0][:k]
    truth = np.repeat(np.arange(k), per_cluster)
    return (centres[truth] + rng.normal(scale=spread, size=(len(truth), d))).astype(np.float32), truth


@pytest.mark.heavy
def test_new_items_join_the_cluster_of_their_kind() -> None:
    points, _ = blobs(1, 40)
    found = cluster(points, ClusteringConfig(method="kmeans", min_k=4, max_k=4))
    radii = cluster_radii(found.labels, found.distances, 4)
    new, truth = blobs(2, 30)
    labels, distances, strength = assign(new, found.centroids, radii)
    inside = labels >= 0
    assert inside.mean() > 0.9
    for kind in range(4):
        assert len(set(labels[(truth == kind) & inside])) == 1
    assert len(set(labels[inside])) == 4
    assert (distances[inside] <= radii[labels[inside]]).all()
    assert ((strength[inside] > 0) & (strength[inside] <= 1)).all()
    assert (strength[~inside] == 0).all()


@pytest.mark.heavy
def test_members_of_the_clustering_stay_where_they_are() -> None:
    points, _ = blobs(1, 40)
    found = cluster(points, ClusteringConfig(method="kmeans", min_k=4, max_k=4))
    labels, distances, _ = assign(points, found.centroids, cluster_radii(found.labels, found.distances, 4))
    inside = labels >= 0
    assert inside.mean() >= 0.95
    assert (labels[inside] == found.labels[inside]).all()
    np.testing.assert_allclose(distances, found.distances, atol=1e-3)


def test_what_lies_outside_every_cluster_is_noise_with_its_distance() -> None:
    centroids = np.eye(3, dtype=np.float32)
    labels, distances, strength = assign(-centroids, centroids, np.full(3, 0.5))
    assert labels.tolist() == [-1, -1, -1]
    np.testing.assert_allclose(distances, np.sqrt(2), atol=1e-6)
    assert strength.tolist() == [0, 0, 0]


def test_each_cluster_reaches_as_far_as_its_own_radius() -> None:
    centroids = np.eye(2, dtype=np.float32)
    near_each = np.array([[1.0, 0.3], [0.3, 1.0]], dtype=np.float32)
    assert assign(near_each, centroids, np.array([0.5, 0.1])).labels.tolist() == [0, -1]


def test_the_length_of_a_row_does_not_count() -> None:
    points, _ = blobs(3, 10)
    centroids, radii = blobs(4, 1)[0], np.full(4, 0.6)
    plain, scaled = assign(points, centroids, radii), assign(points * np.float32(1000), centroids, radii)
    assert (plain.labels == scaled.labels).all()
    np.testing.assert_allclose(plain.distances, scaled.distances, atol=1e-5)


def test_blocks_give_what_one_product_gives() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(BLOCK_ROWS * 2 + 7, 8)).astype(np.float32)
    centroids = rng.normal(size=(5, 8)).astype(np.float32)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    apart = np.linalg.norm(unit[:, None, :] - centroids[None], axis=2)
    labels, distances, _ = assign(points, centroids, np.full(5, 1.5))
    np.testing.assert_allclose(distances, apart.min(axis=1), atol=1e-5)
    clear = abs(distances - 1.5) > 1e-4
    assert (labels == np.where(apart.min(axis=1) <= 1.5, apart.argmin(axis=1), -1))[clear].all()


def test_the_radius_is_the_95th_percentile_and_a_tenth() -> None:
    distances = np.r_[np.arange(101.0), 7.0]
    radii = cluster_radii(np.r_[np.zeros(101, int), 1], distances, 3)
    np.testing.assert_allclose(radii, [95 * 1.1, 7 * 1.1, 0])


def test_nothing_to_assign_and_nothing_to_assign_to() -> None:
    centroids = np.eye(3, dtype=np.float32)
    assert len(assign(np.empty((0, 3), np.float32), centroids, np.ones(3)).labels) == 0
    alone = assign(centroids, np.empty((0, 3), np.float32), np.empty(0))
    assert alone.labels.tolist() == [-1, -1, -1]
    assert np.isinf(alone.distances).all()


def test_unusable_rows_are_named() -> None:
    points = np.ones((BLOCK_ROWS + 5, 2), np.float32)
    points[BLOCK_ROWS + 1] = 0
    points[3, 0] = np.nan
    with pytest.raises(InvalidEmbeddingsError, match=r"1 rows .* 3") as caught:
        assign(points, np.eye(2, dtype=np.float32), np.ones(2))
    assert caught.value.rows == (3,)
    points[3] = 1
    with pytest.raises(InvalidEmbeddingsError, match=str(BLOCK_ROWS + 1)):
        assign(points, np.eye(2, dtype=np.float32), np.ones(2))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidEmbeddingsError, match="3 dimensions"):
        assign(np.ones((2, 4), np.float32), np.eye(3, dtype=np.float32), np.ones(3))
    with pytest.raises(ClusteringError, match="one value for each of the 3 centroids, found 2"):
        assign(np.ones((2, 3), np.float32), np.eye(3, dtype=np.float32), np.ones(2))
