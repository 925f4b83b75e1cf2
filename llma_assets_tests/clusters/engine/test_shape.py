"""Strays are no cluster, and groups are as many as the data hold."""

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.groups import _modularity, group_clusters
from llma_assets.clusters.engine.leiden import shared_neighbour_graph
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours
from llma_assets.clusters.engine.noise import dissolve_diffuse, isolation_of

CONFIG = ClusteringConfig(with_map=False)


def topics(rng: np.random.Generator, count: int, each: int, dimensions: int = 64) -> np.ndarray:
    """Topics around a direction that all of them have in common."""
    base = 2 * rng.normal(size=dimensions)
    centres = base + rng.normal(size=(count, dimensions))
    return np.concatenate([centre + 0.4 * rng.normal(size=(each, dimensions)) for centre in centres])


def dissolved(labels: np.ndarray, points: np.ndarray, weights: np.ndarray, neighbours: Neighbours) -> np.ndarray:
    """The labels without what belongs nowhere."""
    isolation = isolation_of(points, neighbours, shared_neighbour_graph(neighbours), seed=0)
    return dissolve_diffuse(labels, points, weights, isolation, neighbours, smallest=5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_texts_that_belong_nowhere_are_no_cluster(seed: int) -> None:
    rng = np.random.default_rng(seed)
    regular = topics(rng, 20, 50)
    # Strays have another direction in common, and nothing else.
    strays = 1.2 * rng.normal(size=64) + 1.5 * rng.normal(size=(120, 64))
    found = cluster(np.vstack([regular, strays]).astype(np.float32), CONFIG)
    noise, is_stray = found.labels < 0, np.arange(len(found.labels)) >= len(regular)
    assert (noise & is_stray).sum() >= 0.5 * noise.sum()
    assert (noise & is_stray).sum() >= 0.4 * is_stray.sum()
    for cluster_id in range(10):
        members = found.labels == cluster_id
        assert (members & is_stray).sum() < members.sum() / 2


def test_of_two_that_are_equally_far_from_their_neighbours_the_one_among_strays_is_lonelier() -> None:
    rng = np.random.default_rng(8)
    topic, strays = 0.3 * rng.normal(size=(100, 16)), 12 + rng.normal(size=(100, 16))
    points = np.vstack([topic, strays]).astype(np.float32)
    at = len(topic) + int(nearest_neighbours(points, 15, seed=0).distances[len(topic) :].mean(axis=1).argmin())
    far = nearest_neighbours(points, 15, seed=0).distances[at].mean()
    odd = np.zeros((1, 16))
    for step in np.linspace(0, 12, 1_000):  # away from the topic, until it is as far from its neighbours as the stray
        odd[0, 0] = -step
        if np.sort(np.linalg.norm(topic - odd, axis=1))[:15].mean() >= far:
            break
    points = np.vstack([points, odd]).astype(np.float32)
    neighbours = nearest_neighbours(points, 15, seed=0)
    own = neighbours.distances.mean(axis=1)
    assert own[-1] >= own[at]
    isolation = isolation_of(points, neighbours, shared_neighbour_graph(neighbours), seed=0)
    assert isolation.loneliness[-1] < isolation.loneliness[at]


def test_a_topic_that_strays_were_put_into_loses_them_and_stays() -> None:
    rng = np.random.default_rng(9)
    regular, strays = topics(rng, 10, 60, 32), 1.6 * rng.normal(size=(90, 32))
    points = np.vstack([regular, strays]).astype(np.float32)
    points -= points.mean(axis=0)
    labels = np.repeat(np.arange(10), 60)
    labels = np.r_[labels, np.full(90, 9)].astype(np.int32)  # all strays are called members of the last topic
    neighbours = nearest_neighbours(points, 15, seed=0)
    found = dissolved(labels, points, np.ones(len(points)), neighbours)
    assert (found[:600] == labels[:600]).all()
    assert (found[600:] < 0).mean() > 0.9


def test_topics_of_one_density_stay_and_a_single_cluster_does() -> None:
    rng = np.random.default_rng(4)
    points = topics(rng, 8, 40).astype(np.float32)
    neighbours = nearest_neighbours(points, 15, seed=0)
    weights = np.ones(len(points))
    labels = np.repeat(np.arange(8), 40).astype(np.int32)
    assert (dissolved(labels, points, weights, neighbours) == labels).all()
    one = np.zeros(len(points), dtype=np.int32)
    assert (dissolved(one, points, weights, neighbours) == one).all()


def test_a_topic_that_is_wider_than_the_others_and_apart_from_them_is_no_stray() -> None:
    rng = np.random.default_rng(6)
    centres = 0.7 * rng.normal(size=(12, 256))
    width = np.r_[np.full(11, 0.8), 1.0]
    points = np.concatenate(
        [centre + each * rng.normal(size=(60, 256)) for centre, each in zip(centres, width, strict=True)]
    ).astype(np.float32)
    neighbours = nearest_neighbours(points, 15, seed=0)
    labels = np.repeat(np.arange(12), 60).astype(np.int32)
    isolation = neighbours.distances.mean(axis=1)
    assert np.median(isolation[-60:]) > np.quantile(isolation, 0.85)
    assert (dissolved(labels, points, np.ones(len(points)), neighbours) == labels).all()


def test_a_point_that_stands_for_a_cluster_keeps_its_cluster() -> None:
    rng = np.random.default_rng(5)
    points = np.vstack([topics(rng, 8, 40, 16), 30 + 8 * rng.normal(size=(12, 16))]).astype(np.float32)
    neighbours = nearest_neighbours(points, 15, seed=0)
    labels = np.r_[np.repeat(np.arange(8), 40), np.full(12, 8)].astype(np.int32)
    weights = np.ones(len(points))
    found = dissolved(labels, points, weights, neighbours)
    assert (found[-12:] == -1).all()
    assert (found[:-12] == labels[:-12]).all()
    weights[-1] = 5
    assert (dissolved(labels, points, weights, neighbours) == labels).all()


@pytest.mark.parametrize("of_each", [3, 5])
def test_groups_are_those_that_were_planted(of_each: int) -> None:
    rng = np.random.default_rng(6)
    middles = 4 * rng.normal(size=(6, 64))
    centres = np.repeat(middles, of_each, axis=0) + rng.normal(size=(6 * of_each, 64))
    points = np.concatenate([centre + 0.4 * rng.normal(size=(40, 64)) for centre in centres]).astype(np.float32)
    found = cluster(points, ClusteringConfig(with_map=False, target_clusters=6 * of_each))
    truth = np.repeat(np.arange(6), of_each * 40)
    groups = np.where(found.labels < 0, -1, found.groups[found.labels])
    pairs = {(int(group), int(own)) for group, own in zip(groups, truth, strict=True) if group >= 0}
    assert len(pairs) == 6  # each group is one of those that were planted, whole


def test_modularity_of_a_tree_is_that_of_its_partitions() -> None:
    rng = np.random.default_rng(7)
    between = rng.integers(0, 20, size=(5, 5)).astype(float)
    between += between.T
    joins = np.array([[0, 1], [2, 3], [5, 6], [4, 7]])
    partitions = [[0, 1, 2, 3, 4], [0, 0, 2, 3, 4], [0, 0, 2, 2, 4], [0, 0, 0, 0, 4], [0, 0, 0, 0, 0]]
    total, degrees = between.sum(), between.sum(axis=1)
    expected = [
        sum(
            between[np.ix_(own, own)].sum() / total - (degrees[own].sum() / total) ** 2
            for group in set(homes)
            for own in [np.flatnonzero(np.array(homes) == group)]
        )
        for homes in partitions
    ]
    assert np.allclose(_modularity(between, joins), expected)


def test_few_clusters_are_groups_of_their_own() -> None:
    centroids = np.eye(10, 16, dtype=np.float32)
    groups = group_clusters(centroids, np.ones(10), np.zeros(16))
    assert groups.tolist() == list(range(10))
