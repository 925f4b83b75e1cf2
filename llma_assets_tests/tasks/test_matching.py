import numpy as np
import pytest

from llma_assets.tasks.matching import UNMATCHED, match_tasks, weighted_mean


def at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_group_within_the_distance_is_the_tasks_and_one_beyond_has_none() -> None:
    matched, distances = match_tasks(at(10, 90), at(0), 0.3)
    assert matched.tolist() == [0, UNMATCHED]
    assert distances[0] == pytest.approx(1 - np.cos(np.radians(10)), abs=1e-6)
    assert np.isnan(distances[1])


def test_pairs_are_one_to_one_first_and_the_rest_takes_what_is_closest() -> None:
    # Both groups are closest to task 0; the closer one gets it, the other its own second choice.
    matched, _ = match_tasks(at(2, 10), at(0, 30), 0.3)
    assert matched.tolist() == [0, 1]


def test_two_groups_may_be_the_same_tasks() -> None:
    matched, _ = match_tasks(at(5, 10), at(0), 0.3)
    assert matched.tolist() == [0, 0]


def test_lengths_do_not_matter() -> None:
    matched, _ = match_tasks(at(10) * np.float32(7), at(0) * np.float32(0.1), 0.3)
    assert matched.tolist() == [0]


def test_ties_go_to_the_earlier_task() -> None:
    matched, _ = match_tasks(at(0), np.concatenate([at(20), at(20)]), 0.3)
    assert matched.tolist() == [0]


def test_many_groups_are_matched_in_blocks_as_they_are_at_once() -> None:
    rng = np.random.default_rng(3)
    tasks = rng.normal(size=(50, 8)).astype(np.float32)
    groups = (tasks[rng.integers(50, size=1500)] + 0.01 * rng.normal(size=(1500, 8))).astype(np.float32)
    whole, _ = match_tasks(groups, tasks, 0.05)
    parts = np.concatenate([match_tasks(groups[start : start + 1], tasks, 0.05)[0] for start in range(1500)])
    assert (whole != UNMATCHED).all()
    assert (whole == parts).mean() > 0.99


def test_nothing_matches_where_there_is_nothing() -> None:
    nothing = np.empty((0, 4), dtype=np.float32)
    some = np.ones((2, 4), dtype=np.float32)
    assert match_tasks(nothing, some)[0].tolist() == []
    assert match_tasks(some, nothing)[0].tolist() == [UNMATCHED, UNMATCHED]


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="the same dimension, got 3 and 2"):
        match_tasks(np.ones((1, 3), dtype=np.float32), np.ones((1, 2), dtype=np.float32))


def test_the_mean_is_weighted_by_counts() -> None:
    mean = weighted_mean(np.array([1, 0], np.float32), 3, np.array([0, 1], np.float32), 1)
    assert mean.tolist() == [0.75, 0.25]
