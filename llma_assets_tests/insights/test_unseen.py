"""How much is unseen: the estimate holds on draws from kinds whose number and frequency are known."""

import numpy as np
import pytest

from llma_assets.insights import unseen


def test_the_interval_holds_the_share_of_kinds_that_were_not_drawn() -> None:
    random = np.random.default_rng(3)
    frequency = 1 / np.arange(1, 401)
    frequency /= frequency.sum()
    held = 0
    for _ in range(200):
        drawn = np.bincount(random.choice(400, size=300, p=frequency), minlength=400)
        truth = float(frequency[drawn == 0].sum())
        found = unseen([int(count) for count in drawn if count > 1], int((drawn == 1).sum()))
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 200 <= 0.99


@pytest.mark.parametrize(
    ("sizes", "outliers", "share", "low", "high"),
    [([40, 60], 0, 0.0, 0.0, 0.03), ([], 5, 1.0, 1.0, 1.0), ([1, 9], 0, 0.1, 0.0, 0.28594)],
)
def test_the_ends(sizes: list[int], outliers: int, share: float, low: float, high: float) -> None:
    found = unseen(sizes, outliers)
    assert found is not None
    assert (found.share, found.low, found.high) == (share, low, pytest.approx(high, abs=1e-4))


def test_of_nothing_nothing_is_said() -> None:
    assert unseen([], 0) is None
