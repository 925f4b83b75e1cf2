"""Which cut wins on text that is hard to divide, and how far it stays the same for nearly the same data."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.accuracy_data import directions, few_topics, overlapping
from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.resolution import evenness_of, score_of

pytestmark = pytest.mark.heavy

CONFIG = ClusteringConfig(with_map=False)


def agreement(labels: NDArray[np.int_], truth: NDArray[np.str_]) -> float:
    return adjusted_rand(labels.astype(np.int32), np.unique(truth, return_inverse=True)[1].astype(np.int32))


@pytest.mark.parametrize("seed", [2, 3])
def test_two_topics_are_two_clusters(seed: int) -> None:
    vectors, truth = few_topics((300, 300), seed)
    found = cluster(vectors, CONFIG)
    assert found.quality.clusters == 2
    assert agreement(found.labels, truth) > 0.95


@pytest.mark.parametrize("sizes", [(1350, 75, 75), (900, 100)])
def test_one_topic_of_nine_tenths_stays_whole_beside_small_ones(sizes: tuple[int, ...]) -> None:
    vectors, truth = few_topics(sizes, 5)
    assert agreement(cluster(vectors, CONFIG).labels, truth) > 0.9


@pytest.mark.parametrize("seed", [1, 21])
def test_neither_a_giant_nor_crumbs_win_on_topics_that_overlap(seed: int) -> None:
    vectors, truth = overlapping(2600, 20, 0.8, seed)
    found = cluster(vectors, CONFIG)
    assert 10 <= found.quality.clusters <= 45
    assert found.quality.largest_share < 0.3
    assert found.quality.noise_share < 0.3
    assert agreement(found.labels, truth) > 0.3


def test_random_directions_are_one_cluster_and_both_reasons_are_kept() -> None:
    quality = cluster(directions(800, 1)[0], CONFIG).quality
    assert quality.clusters == 1
    assert "no structure that a resample confirms" in quality.collapse
    assert "no closer together than chance puts them" in quality.collapse
    assert "one cluster of all" in quality.mended_by


def test_nearly_the_same_data_give_nearly_the_same_answer() -> None:
    vectors, _ = overlapping(1500, 12, 1.0, 4, background=0.05)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = cluster(vectors, CONFIG).labels.astype(np.int32)
    found = [adjusted_rand(whole, cluster(np.round(unit, 5), CONFIG).labels.astype(np.int32))]
    for gone in (3, 700):
        kept = np.delete(np.arange(len(vectors)), gone)
        found.append(adjusted_rand(whole[kept], cluster(vectors[kept], CONFIG).labels.astype(np.int32)))
    other = cluster(vectors, ClusteringConfig(with_map=False, seed=1)).labels.astype(np.int32)
    found.append(adjusted_rand(whole, other))
    assert min(found) >= 0.75
    assert np.mean(found) >= 0.9


def test_a_dominant_part_is_divided_where_a_cut_of_its_own_is_confirmed() -> None:
    """Ten topics that lie near each other, and two far away."""
    rng = np.random.default_rng(6)
    near = rng.normal(size=(1, 64)) + 0.55 * rng.normal(size=(10, 64))
    centres = np.vstack([near, -2 * near[:1], 2 * rng.normal(size=(1, 64))])
    truth = np.concatenate([np.repeat(np.arange(10), 90), np.repeat([10, 11], 60)])
    vectors = (centres[truth] + 0.45 * rng.normal(size=(len(truth), 64))).astype(np.float32)
    found = cluster(vectors, CONFIG)
    assert found.quality.largest_share < 0.2
    assert agreement(found.labels, truth.astype(np.str_)) > 0.9


def test_noise_and_a_cluster_above_its_share_count_against_a_cut() -> None:
    good = {"clusters": 7, "stability": 0.8, "separation": 0.2, "noise": 0.05, "largest": 0.2}
    assert score_of(**good) > score_of(**{**good, "noise": 0.3}) > 0
    assert score_of(**good) > score_of(**{**good, "largest": 0.55}) > 0
    assert score_of(**{**good, "clusters": 1, "largest": 1.0}) == 0
    assert [evenness_of(clusters, share) for clusters, share in ((2, 0.5), (4, 1.0), (1, 1.0))] == [1.0, 0.0, 0.0]
