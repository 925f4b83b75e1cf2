"""A density clustering that collapses is seen and mended, on data made to collapse and on parts alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.hdbscan import collapse_of

CONFIG = ClusteringConfig(method="hdbscan")


def chained(seed: int = 0) -> NDArray[np.float32]:
    """A ring of eight dense groups joined by thin bridges, and one small group far away: one giant for HDBSCAN."""
    rng = np.random.default_rng(seed)
    angles = np.repeat(np.arange(8) * np.pi / 4, 100) + rng.normal(scale=0.09, size=800)
    bridges = rng.uniform(0, 2 * np.pi, size=400)
    angles = np.concatenate([angles, bridges])
    plane = np.column_stack([np.cos(angles), np.sin(angles), np.full(1200, 1.0)])
    far = np.tile([0.0, 0.0, -1.4], (40, 1))
    points = np.vstack([plane, far])
    wide = np.zeros((len(points), 24))
    wide[:, :3] = points
    return (wide + rng.normal(scale=0.015, size=wide.shape)).astype(np.float32)


def test_the_data_do_collapse_when_nothing_counts_as_a_collapse() -> None:
    lax = ClusteringConfig(method="hdbscan", max_cluster_share=1.0, max_noise_share=1.0)
    result = cluster(chained(), lax)
    assert result.quality.largest_share > 0.9
    assert result.quality.mended_by == ""


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(3))
def test_one_giant_cluster_is_divided_and_the_quality_says_how(seed: int) -> None:
    result = cluster(chained(seed), CONFIG)
    assert result.quality.largest_share <= CONFIG.max_cluster_share
    assert result.quality.noise_share <= CONFIG.max_noise_share
    assert result.quality.clusters > 2
    assert "holds" in result.quality.collapse
    assert result.quality.mended_by


def test_a_cloud_without_groups_is_not_published_as_noise() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 60)).astype(np.float32)
    result = cluster(cloud, CONFIG)
    assert result.quality.clusters >= 2
    assert result.quality.noise_share <= CONFIG.max_noise_share
    assert result.quality.collapse
    assert result.quality.mended_by


def test_where_every_way_collapses_k_means_does_it_and_the_quality_says_so() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 60)).astype(np.float32)
    result = cluster(cloud, ClusteringConfig(method="hdbscan", max_noise_share=0.01))
    assert result.quality.mended_by == "k-means"
    assert result.quality.noise_share == 0
    assert result.quality.clusters >= 3
    assert result.method == "hdbscan"


@pytest.mark.parametrize("seed", range(3))
def test_a_clustering_that_holds_is_left_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, 40))
    points = (centres[np.arange(300) % 6] + 0.2 * rng.normal(size=(300, 40))).astype(np.float32)
    quality = cluster(points, CONFIG).quality
    assert (quality.clusters, quality.collapse, quality.mended_by) == (6, "", "")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([-1] * 10, "no cluster"),
        ([0] * 9 + [-1], "single cluster of 90%"),
        ([0] * 8 + [1] * 2, "one of 2 clusters holds 80%"),
        ([0, 0, 1, 1] + [-1] * 6 + [-1], "64% of the items are noise"),
        ([0] * 5 + [1] * 4 + [-1], ""),
    ],
)
def test_a_collapse_is_reported_by_shares_of_items(labels: list[int], found: str) -> None:
    complaint = collapse_of(np.array(labels, dtype=np.int32), np.ones(len(labels)), CONFIG)
    assert found in complaint if found else complaint == ""


def test_shares_count_every_item_that_a_point_stands_for() -> None:
    labels = np.array([0, 1, 1], dtype=np.int32)
    assert "holds 90%" in collapse_of(labels, np.array([18.0, 1.0, 1.0]), CONFIG)
