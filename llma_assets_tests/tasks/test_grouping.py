import numpy as np

from llma_assets.tasks.grouping import NOISE, group_segments


def around(centres: np.ndarray, each: int, spread: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(5)
    points = np.repeat(centres, each, axis=0)
    return (points + spread * rng.normal(size=points.shape)).astype(np.float32)


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
