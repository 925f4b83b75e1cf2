"""What is said to set a cluster apart: planted values are found, chance is not."""

import numpy as np
import pytest

from llma_assets.insights import Counts, distinctions
from llma_assets.insights.comparing import corrected, lift_of


def test_a_value_that_a_cluster_has_more_often_is_told_with_its_shares() -> None:
    found = distinctions(
        [Counts("$ai_model", "small", {0: 30, 1: 5, -1: 5}), Counts("$ai_model", "large", {0: 10, 1: 35, -1: 35})],
        {0: 40, 1: 40, -1: 40},
        {0: 1, 1: 0},
    )
    first, second = found
    assert (first.cluster_id, first.value, first.traces, first.size) == (0, "small", 30, 40)
    assert (first.other_traces, first.other_size, first.share, first.other_share) == (10, 80, 0.75, 0.125)
    assert first.lift == pytest.approx(6.0)
    assert 3 < first.low < 6 < first.high
    assert (first.nearest_id, first.nearest_traces, first.nearest_size, first.beyond_nearest) == (1, 5, 40, True)
    assert (second.cluster_id, second.value) == (1, "large"), "outliers are compared with, not described"


def test_what_the_nearest_cluster_has_as_well_is_said_not_to_tell_them_apart() -> None:
    found = distinctions([Counts("tool", "refund", {0: 38, 1: 37})], {0: 40, 1: 40, 2: 200}, {0: 1, 1: 0, 2: 0})
    assert {each.cluster_id: each.beyond_nearest for each in found} == {0: False, 1: False}


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ([], {0: 5}),
        ([Counts("a", "b", {0: 5})], {0: 5}),
        ([Counts("a", "b", {0: 5, 1: 5})], {0: 5, 1: 5}),
        ([Counts("a", "b", {-1: 5})], {-1: 5, 0: 0}),
        ([Counts("a", "b", {0: 2})], {0: 2, 1: 4000}),
    ],
    ids=["no value", "one cluster", "all have it", "outliers alone", "too few traces"],
)
def test_nothing_is_told_where_there_is_nothing_to_tell(counts: list[Counts], sizes: dict[int, int]) -> None:
    assert distinctions(counts, sizes, {}) == []


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="more traces"):
        distinctions([Counts("a", "b", {0: 6, 1: 1})], {0: 5, 1: 5}, {})


def test_a_lift_of_nothing_outside_is_finite() -> None:
    lift, low, high = lift_of(10, 10, 0, 100)
    assert 1 < low < lift < high < float("inf")


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    p = np.array([[0.01, 0.04], [0.03, 0.9]])
    assert corrected(p) == pytest.approx(np.array([[0.04, 0.04 * 4 / 3], [0.04 * 4 / 3, 0.9]]))


def test_planted_values_are_found_and_few_others() -> None:
    random = np.random.default_rng(7)
    recalls, falses, said = [], 0, 0
    for _ in range(20):
        labels = random.integers(0, 8, 1600)
        sizes = {cluster: int((labels == cluster).sum()) for cluster in range(8)}
        planted = {}
        counts = []
        for number in range(50):
            share = np.full(1600, random.uniform(0.05, 0.4))
            if number < 10:
                planted[f"p{number}"] = number % 8
                share[labels == number % 8] = np.minimum(0.95, share[labels == number % 8] * 2.5 + 0.1)
            has = random.random(1600) < share
            counts.append(
                Counts(f"p{number}", "yes", {cluster: int((has & (labels == cluster)).sum()) for cluster in range(8)})
            )
        found = {(each.name, each.cluster_id) for each in distinctions(counts, sizes, {})}
        recalls.append(np.mean([(name, cluster) in found for name, cluster in planted.items()]))
        falses += len(found - set(planted.items()))
        said += len(found)
    assert np.mean(recalls) >= 0.9
    assert falses / said <= 0.05
