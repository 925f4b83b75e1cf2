"""What came on the newest days only, or comes no more, is a cluster of its own though the cut leaves it in another."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, InvalidEmbeddingsError, cluster
from llma_assets.clusters.ages import CHANCE, NEW_RATIO, chance_of_news, chance_of_silence
from llma_assets.clusters.engine.template_clusters import cluster_with_templates

CONFIG = ClusteringConfig(method="graph", with_map=False)
DAYS, TOPICS, A_DAY = 7, 12, 8
BESIDE = 20


def week(seed: int = 4) -> tuple[NDArray[np.float32], NDArray[np.int_], NDArray[np.bool_]]:
    """Twelve topics, every day of a week, and twenty items of two days that lie beside the first of them."""
    rng = np.random.default_rng(seed)
    centres = 2.0 * np.eye(TOPICS, 32)
    topics = np.tile(np.repeat(np.arange(TOPICS), A_DAY), DAYS)
    days = np.repeat(np.arange(DAYS), TOPICS * A_DAY)
    beside = centres[0] + 1.3 * np.eye(32)[-1]
    points = np.concatenate([centres[topics], np.repeat(beside[None], BESIDE, axis=0)])
    points = points + 0.25 * rng.normal(size=points.shape)
    days = np.r_[days, np.repeat([DAYS - 2, DAYS - 1], BESIDE // 2)]
    new = np.arange(len(points)) >= len(topics)
    return points.astype(np.float32), days, new


def arrivals_of(days: NDArray[np.int_], wholes: NDArray[np.int_] | None = None) -> NDArray[np.int_]:
    return np.column_stack([days, np.arange(len(days)) if wholes is None else wholes])


def test_what_came_in_the_last_two_days_leaves_the_cluster_next_to_it() -> None:
    points, days, new = week()
    coarse = ClusteringConfig(method="graph", with_map=False, resolution=1.0)
    before = cluster(points, coarse).labels
    assert len(np.unique(before[new])) == 1
    assert (before == before[new][0]).sum() > 2 * BESIDE, "the cut alone leaves the new items with the old ones"
    found = cluster(points, coarse, arrivals=arrivals_of(days)).labels
    assert len(np.unique(found[new])) == 1
    assert np.array_equal(found == found[new][0], new)
    old = np.unique(np.column_stack([before[~new], found[~new]]), axis=0)
    assert len(old) == TOPICS, "the others are cut as before"


def test_what_no_longer_comes_leaves_the_cluster_next_to_it() -> None:
    points, days, over = week()
    days[over] = np.arange(BESIDE) % (DAYS - 2)
    days[over & (days == DAYS - 3)] = 0
    coarse = ClusteringConfig(method="graph", with_map=False, resolution=1.0)
    before = cluster(points, coarse).labels
    assert (before == before[over][0]).sum() > 2 * BESIDE, "the cut alone leaves the old items with the others"
    found = cluster(points, coarse, arrivals=arrivals_of(days)).labels
    assert np.array_equal(found == found[over][0], over)
    burst = np.where(over, 1, days)
    assert cluster(points, coarse, arrivals=arrivals_of(burst)).labels.tolist() == before.tolist(), (
        "one day is no topic"
    )


def test_what_came_on_all_days_stays() -> None:
    points, days, new = week()
    days[new] = np.arange(BESIDE) % DAYS
    coarse = ClusteringConfig(method="graph", with_map=False, resolution=1.0)
    found = cluster(points, coarse, arrivals=arrivals_of(days)).labels
    assert found.tolist() == cluster(points, coarse).labels.tolist()


def test_the_many_items_of_one_trace_are_no_news() -> None:
    points, days, new = week()
    wholes = np.arange(len(points))
    wholes[new] = wholes[new][0]
    coarse = ClusteringConfig(method="graph", with_map=False, resolution=1.0)
    found = cluster(points, coarse, arrivals=arrivals_of(days, wholes)).labels
    assert found.tolist() == cluster(points, coarse).labels.tolist()


def test_a_cluster_that_is_new_itself_stays_whole() -> None:
    points, days, new = week()
    rng = np.random.default_rng(0)
    apart = 3 * np.eye(32)[-2] + 0.25 * rng.normal(size=(60, 32))
    points = np.concatenate([points[~new], apart]).astype(np.float32)
    days = np.r_[days[~new], np.repeat([DAYS - 2, DAYS - 1], 30)]
    found = cluster(points, CONFIG, arrivals=arrivals_of(days)).labels
    assert found.tolist() == cluster(points, CONFIG).labels.tolist()
    assert len(np.unique(found[-60:])) == 1


@pytest.mark.parametrize("days", [1, 2])
def test_of_a_day_or_two_nothing_is_called_new(days: int) -> None:
    points, _, _ = week()
    of_days = np.random.default_rng(1).integers(0, days, len(points))
    found = cluster(points, CONFIG, arrivals=arrivals_of(of_days)).labels
    assert found.tolist() == cluster(points, CONFIG).labels.tolist()


def test_the_order_of_the_rows_and_the_numbers_of_days_and_traces_do_not_count() -> None:
    points, days, _ = week()
    found = cluster(points, CONFIG, arrivals=arrivals_of(days)).labels
    order = np.random.default_rng(2).permutation(len(points))
    renamed = arrivals_of(3 * days[order] + 700_000, 7 * order)
    assert cluster(points[order], CONFIG, arrivals=renamed).labels.tolist() == found[order].tolist()


def test_templates_take_no_part() -> None:
    points, days, new = week()
    template = np.full(len(points), -1)
    template[days == 0] = 0
    coarse = ClusteringConfig(method="graph", with_map=False, resolution=1.0)
    found = cluster_with_templates(points, template, coarse, arrivals=arrivals_of(days)).labels
    assert np.array_equal(found == found[new][0], new)


def test_the_chance_is_that_of_a_binomial_and_of_the_likeliest_count_of_days() -> None:
    from scipy.stats import binom  # not while tests are collected: it takes most of a second

    everything = np.full(DAYS, 100)
    counts = np.array([[0, 0, 0, 1, 0, 5, 9], [0] * DAYS])
    expected = min(binom.sf(8, 15, 1 / 7), binom.sf(13, 15, 2 / 7), binom.sf(13, 15, 3 / 7))
    assert chance_of_news(counts, everything).tolist() == [pytest.approx(expected, rel=1e-9), 1.0]
    assert expected < CHANCE
    even = np.full(DAYS, 50) + np.array([[0, 0, 0, 0, 0, 0, 100]])
    assert NEW_RATIO > 3
    assert chance_of_news(even, everything).tolist() == [1.0], "unlikely, but there before"


def test_the_chance_of_silence_is_that_of_a_binomial_and_asks_for_items_on_several_days() -> None:
    from scipy.stats import binom

    everything = np.full(DAYS, 100)
    counts = np.array([[9, 8, 5, 7, 1, 0, 0], [0, 29, 0, 0, 1, 0, 0], [9, 8, 5, 7, 9, 3, 3], [0] * DAYS])
    expected = min(binom.cdf(0, 30, 2 / 7), binom.cdf(1, 30, 3 / 7), binom.cdf(8, 30, 4 / 7))
    assert chance_of_silence(counts, everything).tolist() == [pytest.approx(expected, rel=1e-9), 1.0, 1.0, 1.0]
    assert chance_of_silence(counts, everything, daily_days=1)[1] < CHANCE


@pytest.mark.parametrize("shape", [(40,), (39, 2), (40, 3)])
def test_arrivals_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidEmbeddingsError, match="arrivals"):
        cluster(week()[0][:40], CONFIG, arrivals=np.zeros(shape, dtype=np.int_))
