"""The stability of a clustering: its agreement with clusterings of resamples. Graphs are resampled in `resolution`."""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.partition import Recluster

RESAMPLED_SHARE = 0.8


def stability_of(
    labels: NDArray[np.int32],
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    recluster: Recluster,
    *,
    resamples: int,
    seed: int,
) -> float | None:
    """Mean adjusted Rand index between `labels` (m,) and what `recluster` finds on four fifths of the points.

    Returns:
        At most 1; None with fewer than 10 points.
    """
    m = len(points)
    if m < 10:
        return None
    rng = np.random.default_rng(seed)
    agreements = []
    for _ in range(resamples):
        part = np.sort(rng.choice(m, size=round(RESAMPLED_SHARE * m), replace=False))
        agreements.append(adjusted_rand(labels[part], recluster(np.ascontiguousarray(points[part]), weights[part])))
    return float(np.mean(agreements))
