"""What the `hdbscan` method takes from its package: labels, outlier scores, a place for items outside the sample."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, ClusteringError, cluster
from llma_assets.clusters.engine.assignment import unit_rows
from llma_assets.clusters.engine.density import Attempt, fit_density
from llma_assets.clusters.engine.unsampled import assign_unsampled

CONFIG = ClusteringConfig(method="hdbscan", with_map=False)
ATTEMPT = Attempt("eom", min_cluster_size=8, min_samples=2, dimensions=20)


def groups(n: int = 300, *, noise: float = 0.2, seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(6, 40))
    return (centres[np.arange(n) % 6] + noise * rng.normal(size=(n, 40))).astype(np.float32)


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("min_samples", [2, 5])
def test_labels_and_strengths_are_those_of_scikit_learn(selection: str, min_samples: int) -> None:
    from sklearn.cluster import HDBSCAN

    points = groups(noise=0.9)[:, :20].copy()
    found = fit_density(points, np.ones(300), Attempt(selection, 8, min_samples, 20))
    other = HDBSCAN(min_cluster_size=8, min_samples=min_samples, cluster_selection_method=selection, copy=True)
    other.fit(points.astype(np.float64))
    assert found.labels.max() > 0
    assert (found.labels < 0).any()
    assert (found.labels == other.labels_).all()
    assert np.allclose(found.strength, other.probabilities_)


def test_a_clustered_item_that_is_placed_again_gets_its_own_label_and_about_its_strength() -> None:
    points = groups(noise=0.9)
    result = cluster(points, CONFIG)
    assert result.predict is not None
    labels, strength = result.predict(unit_rows(points))
    assert result.quality.noise_share > 0
    assert (labels == result.labels).all()
    assert np.abs(strength - result.strength).mean() < 0.02


def test_items_outside_the_sample_go_where_it_is_dense_and_not_where_a_centroid_is_near() -> None:
    """A ring has its centroid where nothing is: the nearest centroid of its items is the other cluster's."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, size=400)
    ring = np.column_stack([2 * np.cos(angles), 2 * np.sin(angles), np.full(400, 2.0)])
    inside = np.column_stack([0.2 * rng.normal(size=(100, 2)), np.full(100, 2.0)])
    points = np.vstack([ring, inside]).astype(np.float32)
    lax = ClusteringConfig(method="hdbscan", with_map=False, max_cluster_share=0.9, min_cluster_size=60)
    result = cluster(points, lax)
    assert sorted(result.sizes.tolist()) == [100, 400]
    angle = np.linspace(0, 6, 20)
    rest = np.column_stack([2 * np.cos(angle), 2 * np.sin(angle), np.full(20, 2.0)])
    rest = np.vstack([rest, [[0.0, 0.0, -2.0]]]).astype(np.float32)
    placed = assign_unsampled(result, 21, [(np.arange(21), rest)])
    assert set(placed.labels[500:520].tolist()) == {int(result.labels[0])}
    assert placed.labels[520] == -1
    unit = rest[:20] / np.linalg.norm(rest[:20], axis=1, keepdims=True)
    apart = np.linalg.norm(unit - result.centroids[result.labels[0]], axis=1)
    assert np.allclose(placed.distances[500:520], apart, atol=1e-5)
    assert (placed.strength[500:520] > 0).all()
    assert placed.strength[520] == 0
    by_centroids = assign_unsampled(replace(result, predict=None), 21, [(np.arange(21), rest)])
    assert (by_centroids.labels[500:520] != result.labels[0]).any()


def test_the_place_of_an_item_does_not_depend_on_the_order_of_those_that_were_clustered() -> None:
    points, rest = groups(noise=0.6), unit_rows(groups(120, noise=0.6, seed=9))
    order = np.random.default_rng(2).permutation(len(points))
    straight, shuffled = cluster(points, CONFIG).predict, cluster(points[order], CONFIG).predict
    assert straight is not None
    assert shuffled is not None
    for one, other in zip(straight(rest), shuffled(rest), strict=True):
        assert one.tobytes() == other.tobytes()


def test_the_item_farthest_from_all_has_the_largest_outlier_score() -> None:
    far = -10 * groups(1, noise=0.0)
    result = cluster(np.vstack([groups(), far]), CONFIG)
    scores = result.outlier_scores
    assert scores is not None
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.argmax() == 300
    assert np.median(scores) < 0.5 < scores[300]
    assert cluster(groups(), ClusteringConfig(with_map=False)).outlier_scores is None


def test_a_text_that_came_often_leaves_the_others_of_its_cluster_their_strength() -> None:
    """Copies lie on one another, infinitely dense; measured by them all others would have strength 0."""
    points = groups()
    alone, crowd = cluster(points, CONFIG), cluster(np.vstack([points, np.repeat(points[:1], 2, axis=0)]), CONFIG)
    mates = np.flatnonzero(alone.labels == alone.labels[0])[1:]
    assert (crowd.labels[mates] == crowd.labels[0]).all()
    assert np.median(crowd.strength[mates]) > 0.5
    assert crowd.outlier_scores is not None
    assert np.median(crowd.outlier_scores[mates]) < 0.5
    assert crowd.predict is not None
    labels, strength = crowd.predict(unit_rows(points[mates] + np.float32(0.01)))
    assert (labels == crowd.labels[0]).all()
    assert np.median(strength) > 0.5


def test_where_k_means_had_to_help_centroids_place_what_was_not_clustered() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 60)).astype(np.float32)
    result = cluster(cloud, ClusteringConfig(method="hdbscan", max_noise_share=0.01, with_map=False))
    assert result.quality.mended_by == "k-means"
    assert result.predict is None
    assert result.outlier_scores is None


def test_without_the_package_the_error_names_it_and_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hdbscan", None)
    with pytest.raises(ClusteringError, match=r"pip install 'hdbscan>=.*graph or kmeans"):
        cluster(groups(), CONFIG)
    assert cluster(groups(), ClusteringConfig(with_map=False)).quality.clusters == 6


MEMORY = """
import resource
import numpy as np
from llma_assets.clusters import ClusteringConfig, cluster
rng = np.random.default_rng(0)
centres = rng.normal(size=(60, 384)).astype(np.float32)
points = centres[rng.integers(0, 60, 5000)] + 0.8 * rng.standard_normal((5000, 384), dtype=np.float32)
peaks = []
for method in ("kmeans", "hdbscan"):
    found = cluster(points, ClusteringConfig(method=method))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(found.quality.clusters, round(peaks[1] - peaks[0]))
"""


@pytest.mark.slow
def test_five_thousand_items_take_hardly_more_memory_than_k_means() -> None:
    """What the libraries take once loaded depends on the machine (291 to 330 MB); a table of distances would be 100."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=240)
    clusters, more_mb = map(int, done.stdout.split())
    assert clusters > 1
    assert more_mb < 60
