import numpy as np
import pytest

from llma_assets.tasks.grouping import NOISE, group_segments
from llma_assets.tasks.matching import MATCH_DISTANCE, unit


def around(centres: np.ndarray, each: int, spread: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(5)
    points = np.repeat(centres, each, axis=0)
    return (points + spread * rng.normal(size=points.shape)).astype(np.float32)


@pytest.mark.heavy
def test_a_batch_that_is_all_alike_is_one_group() -> None:
    assert group_segments(around(np.eye(8)[:1], 3)).tolist() == [0, 0, 0]


def test_two_alike_are_a_group_and_two_unlike_are_none() -> None:
    assert group_segments(around(np.eye(8)[:1], 2)).tolist() == [0, 0]
    assert group_segments(np.eye(8, dtype=np.float32)[:2]).tolist() == [NOISE, NOISE]


def test_one_segment_alone_is_noise() -> None:
    assert group_segments(np.ones((1, 4), dtype=np.float32)).tolist() == [NOISE]


def test_groups_hold_one_thing_each_and_are_numbered_in_order() -> None:
    labels = group_segments(around(np.eye(32)[:12], 6))
    assert labels[0] == 0
    for start in range(0, 72, 6):
        inside = set(labels[start : start + 6].tolist()) - {NOISE}
        assert inside
        assert not inside & set(labels[:start].tolist())


def test_the_same_segments_are_grouped_the_same_way() -> None:
    points = around(np.eye(64)[:20], 5)
    assert group_segments(points).tolist() == group_segments(points.copy()).tolist()


def test_what_is_like_nothing_stays_noise() -> None:
    points = np.concatenate([around(np.eye(32)[:5], 4), np.eye(32, dtype=np.float32)[20:22]])
    assert group_segments(points)[-2:].tolist() == [NOISE, NOISE]


@pytest.mark.parametrize("count", [5, 20, 60])
def test_no_member_is_farther_from_the_middle_of_its_group_than_a_group_may_be_from_its_task(count: int) -> None:
    """HDBSCAN alone would make groups of what is merely less unlike than the rest."""
    points = unit(np.random.default_rng(count).normal(size=(count, 6)).astype(np.float32))
    labels = group_segments(points)
    for group in set(labels.tolist()) - {NOISE}:
        members = points[labels == group]
        middle = unit(members.mean(axis=0)[None])[0]
        assert len(members) >= 2
        assert (1 - members @ middle < MATCH_DISTANCE).all()
