"""The method `graph`: what it finds by itself, what can be asked of it, what it calls noise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, cluster, representatives
from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.leiden import Graph, shared_neighbour_graph
from llma_assets.clusters.engine.neighbours import nearest_neighbours
from llma_assets.clusters.engine.tree import grow_tree


def topics(
    n: int = 600, d: int = 64, k: int = 12, noise: float = 0.5, seed: int = 3
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Points around `k` directions of falling weight, and which one each belongs to."""
    rng = np.random.default_rng(seed)
    sizes = 1 / np.arange(1, k + 1) ** 0.7
    truth = rng.choice(k, size=n, p=sizes / sizes.sum())
    centres = rng.normal(size=(k, d))
    return (centres[truth] + noise * rng.normal(size=(n, d))).astype(np.float32), truth


def agreement(labels: NDArray[np.int_], truth: NDArray[np.intp]) -> float:
    return adjusted_rand(labels.astype(np.int32), truth.astype(np.int32))


@pytest.mark.heavy
@pytest.mark.parametrize("k", [3, 5, 12, 30])
def test_the_number_of_clusters_is_found_and_not_given(k: int) -> None:
    points, truth = topics(n=60 * k, k=k)
    result = cluster(points)
    assert agreement(result.labels, truth) > 0.97
    assert abs(result.quality.clusters - k) <= 1


@pytest.mark.parametrize("neighbours", [10, 15, 20])
def test_a_small_change_of_a_parameter_changes_little(neighbours: int) -> None:
    points, truth = topics(k=20, n=1200, noise=0.9)
    result = cluster(points, ClusteringConfig(neighbours=neighbours))
    assert agreement(result.labels, truth) > 0.9


def test_the_curve_tells_what_was_tried_and_the_choice_is_its_best_or_next_to_it() -> None:
    points, _ = topics()
    quality = cluster(points).quality
    curve = quality.resolution_curve
    resolutions = [point.resolution for point in curve]
    assert resolutions == sorted(resolutions)
    assert len(curve) >= 5
    best = max(point.score for point in curve if point.clusters >= 3)
    assert any(point.stability == quality.stability and point.score >= 0.99 * best for point in curve)


def test_about_so_many_clusters_can_be_asked_for() -> None:
    points, _ = topics()
    for wanted in (4, 8, 20):
        assert abs(cluster(points, ClusteringConfig(target_clusters=wanted)).quality.clusters - wanted) <= 1


def test_a_resolution_can_be_asked_for_and_more_of_it_gives_more_clusters() -> None:
    points, _ = topics(noise=1.5)
    found = [cluster(points, ClusteringConfig(resolution=each)).quality for each in (0.3, 3.0)]
    assert found[0].clusters < found[1].clusters
    assert [len(quality.resolution_curve) for quality in found] == [1, 1]


def test_no_cluster_is_smaller_than_asked() -> None:
    points, _ = topics(n=600, k=12)
    assert cluster(points).sizes.min() < 30
    result = cluster(points, ClusteringConfig(min_cluster_size=30))
    assert result.sizes.min() >= 30
    assert result.quality.noise_share > 0


def test_what_lies_between_everything_is_noise_and_members_are_not() -> None:
    points, _ = topics(n=1500, k=12, noise=0.6)
    rng = np.random.default_rng(8)
    lost = (rng.normal(size=(60, 64)) * 1.1).astype(np.float32)
    result = cluster(np.vstack([points, lost]))
    found = result.labels < 0
    assert found[1500:].mean() > 0.5
    assert found[:1500].mean() < 0.01
    assert (result.strength[found] == 0).all()


def test_points_without_structure_are_no_finding_and_the_quality_says_so() -> None:
    cloud = np.random.default_rng(0).normal(size=(400, 64)).astype(np.float32)
    quality = cluster(cloud).quality
    assert quality.clusters >= 1
    assert "chance" in quality.collapse or "resample" in quality.collapse
    assert quality.stability is not None
    assert quality.stability < 0.5


def test_members_between_two_clusters_are_borderline_and_describe_neither() -> None:
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(6, 64))
    points = centres[np.arange(600) % 6] + 0.4 * rng.normal(size=(600, 64))
    between = (centres[0] + centres[1]) / 2 + 0.4 * rng.normal(size=(12, 64))
    result = cluster(np.vstack([points, between]).astype(np.float32), ClusteringConfig(target_clusters=6))
    held = result.strength[:600][result.labels[:600] >= 0]
    assert held.mean() > 0.95
    assert result.strength[600:].mean() < held.mean()
    assert not (result.borderline & (result.labels < 0)).any()
    for members in representatives(result).values():
        assert not result.borderline[members].any()


def test_nearly_equal_items_are_clustered_once_and_get_the_same_answer() -> None:
    points, _ = topics(n=300)
    rng = np.random.default_rng(1)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    jitter = rng.normal(size=(200, 64))
    copies = unit[:1] + 0.004 * jitter / np.linalg.norm(jitter, axis=1, keepdims=True)
    result = cluster(np.vstack([unit, copies]).astype(np.float32))
    same = [0, *range(300, 500)]
    assert len(set(result.labels[same].tolist())) == 1
    assert len(set(result.distinct[same].tolist())) == 1
    assert len(set(map(tuple, result.coordinates[same].tolist()))) == 1
    assert result.quality.distinct_items == 300
    assert result.sizes.sum() + (result.labels < 0).sum() == 500
    apart = cluster(np.vstack([unit, copies]).astype(np.float32), ClusteringConfig(same_distance=0.0))
    assert apart.quality.distinct_items == 500


def test_what_many_items_say_is_a_cluster_and_no_noise() -> None:
    points, _ = topics(n=300)
    alone = np.random.default_rng(9).normal(size=(1, 64)).astype(np.float32)
    result = cluster(np.vstack([points, np.repeat(alone, 20, axis=0)]))
    assert len(set(result.labels[300:].tolist())) == 1
    assert result.labels[300] >= 0


def test_many_clusters_have_an_upper_level_and_few_have_none() -> None:
    rng = np.random.default_rng(2)
    parents = rng.normal(size=(4, 64)) * 2
    centres = np.repeat(parents, 5, axis=0) + rng.normal(size=(20, 64))
    truth = np.arange(1000) % 20
    points = (centres[truth] + 0.3 * rng.normal(size=(1000, 64))).astype(np.float32)
    result = cluster(points)
    assert result.quality.clusters == 20
    parent_of = [int(truth[result.labels == label][0]) // 5 for label in range(20)]
    assert agreement(result.groups, np.array(parent_of)) == 1.0
    few = cluster(points[truth < 6])
    assert few.groups.tolist() == list(range(6))


def test_cuts_of_the_tree_are_nested_and_have_the_number_of_parts_asked_for() -> None:
    points, _ = topics(noise=1.2)
    tree = grow_tree(shared_neighbour_graph(nearest_neighbours(points, 15, seed=0)), 20.0, seed=0)
    fine = tree.at(20.0)
    for resolution in (5.0, 1.0, 0.1):
        coarse = tree.at(resolution)
        assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == len(set(fine.tolist()))
        fine = coarse
    most = len(tree.pairs) + 1
    assert [len(set(tree.into(parts).tolist())) for parts in (1, 2, 7, most)] == [1, 2, 7, most]
    assert (np.diff(tree.resolutions) <= 1e-9).all()


def test_the_tree_always_joins_the_pair_with_the_largest_gain() -> None:
    points, _ = topics(n=300, noise=1.2)
    graph = shared_neighbour_graph(nearest_neighbours(points, 8, seed=0))
    tree = grow_tree(graph, 30.0, seed=0)
    count = len(tree.pairs) + 1
    assert count > 30
    between = np.zeros((count, count))
    np.add.at(between, (tree.fine[graph.origins], tree.fine[graph.ends]), graph.weights)
    total = between.sum()
    for (first, second), resolution in zip(tree.pairs.tolist(), tree.resolutions.tolist(), strict=True):
        degrees = between.sum(axis=1)
        gain = between * total / np.maximum(np.outer(degrees, degrees), 1e-300)
        np.fill_diagonal(gain, -1.0)
        assert first < second
        assert gain[first, second] == pytest.approx(gain.max(), rel=1e-9)
        assert resolution == pytest.approx(gain[first, second], rel=1e-9)
        between[first] += between[second]
        between[:, first] += between[:, second]
        between[second] = between[:, second] = 0.0


def test_agreement_is_scikit_learns_adjusted_rand_index() -> None:
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    first, second = rng.integers(-1, 6, 300), rng.integers(-1, 4, 300)
    second[:150] = first[:150]
    ours = adjusted_rand(first.astype(np.int32), second.astype(np.int32))
    assert ours == pytest.approx(adjusted_rand_score(first, second))
    assert adjusted_rand(np.zeros(5, dtype=np.int32), np.zeros(5, dtype=np.int32)) == 1.0


@pytest.mark.parametrize("method", ["graph", "kmeans", "hdbscan"])
def test_a_radius_holds_nearly_all_members(method: str) -> None:
    points, _ = topics()
    result = cluster(points, ClusteringConfig(method=method))
    inside = result.labels >= 0
    reach = result.distances[inside] <= result.radii[result.labels[inside]]
    assert 0.95 <= reach.mean() <= 1.0
    assert result.quality.stability is not None
    assert result.quality.stability > 0.5


def test_what_is_joined_to_nothing_stays_apart_until_the_last() -> None:
    both = Graph(
        starts=np.array([0, 1, 2, 3, 4, 4, 4]),
        ends=np.array([1, 0, 3, 2], dtype=np.int32),
        weights=np.ones(4),
    )
    with np.errstate(all="raise"):
        tree = grow_tree(both, 1.0, seed=0)
    assert len(set(tree.at(0.01).tolist())) == 4
    assert tree.into(1).tolist() == [0] * 6
    assert np.isfinite(tree.resolutions).all()
