"""The resolution of the run before is kept where it is nearly as good as the best, and only there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clusters import ClusteringConfig, InvalidConfigError, cluster

pytestmark = pytest.mark.heavy

CONFIG = ClusteringConfig(method="graph")


def nested(apart: float = 0.5) -> NDArray[np.float32]:
    """Eight broad topics of four narrow ones each: the further apart these lie, the more cuts are nearly as good."""
    rng = np.random.default_rng(3)
    broad = rng.normal(size=(8, 32))
    narrow = np.repeat(broad, 4, axis=0) + apart * rng.normal(size=(32, 32))
    return (np.repeat(narrow, 25, axis=0) + 0.6 * rng.normal(size=(800, 32))).astype(np.float32)


def test_what_is_nearly_as_good_is_kept() -> None:
    points = nested(0.7)
    best = cluster(points, CONFIG)
    curve = best.quality.resolution_curve
    top = max(point.score for point in curve)
    others = [point for point in curve if 0.92 * top < point.score and point.resolution != best.quality.resolution]
    assert others, "the planted topics should leave more than one good resolution"
    for other in others:
        kept = cluster(points, CONFIG, earlier_resolution=other.resolution)
        assert kept.quality.resolution == other.resolution


def test_what_is_much_worse_is_not_kept() -> None:
    points = nested()
    best = cluster(points, CONFIG)
    curve = best.quality.resolution_curve
    worst = min(curve, key=lambda point: point.score)
    assert worst.score < 0.8 * max(point.score for point in curve)
    again = cluster(points, CONFIG, earlier_resolution=worst.resolution)
    assert again.quality.resolution == best.quality.resolution
    assert again.labels.tolist() == best.labels.tolist()


@pytest.mark.parametrize("resolution", [1e-9, 1e9])
def test_what_cannot_be_a_resolution_of_this_data_changes_nothing(resolution: float) -> None:
    points = nested()
    assert cluster(points, CONFIG, earlier_resolution=resolution).labels.tolist() == (
        cluster(points, CONFIG).labels.tolist()
    )


@pytest.mark.parametrize("resolution", [0.0, -1.0, float("nan")])
def test_no_number_above_zero_is_refused(resolution: float) -> None:
    with pytest.raises(InvalidConfigError):
        cluster(nested()[:40], CONFIG, earlier_resolution=resolution)
