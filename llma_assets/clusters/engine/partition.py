"""The result of a method: a partition of the distinct points, and how it was found.

The result of a whole clustering, over all items, belongs in `clustering`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.resolution import ResolutionScore


@dataclass(frozen=True, slots=True)
class KScore:
    """One point of the curve that k was chosen from.

    Attributes:
        k: number of clusters.
        silhouette: mean silhouette in the reduced space, None where it is not defined.
        inertia: sum of squared distances to the centroids, in the reduced space.
    """

    k: int
    silhouette: float | None
    inertia: float


Recluster = Callable[[NDArray[np.float32], NDArray[np.float64]], NDArray[np.int32]]
"""Clusters other points (m, p) with weights (m,) with the same parameters: labels (m,)."""

Predict = Callable[[NDArray[np.float32]], tuple[NDArray[np.int32], NDArray[np.float64]]]
"""Assigns other points (b, p) in the same axes: labels (b,), -1 is noise, and strength (b,) in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """A partition of the distinct points.

    Attributes:
        labels: int32 (m,), any numbering, -1 is noise.
        strength: float64 (m,) in [0, 1] where the method has its own measure of membership, else None.
        outlier_scores: float64 (m,) in [0, 1] where the method has them, else None.
        predict: the method's own assignment of unseen points, None if it has none.
        k_curve: every k that was tried, ascending; empty if k is no parameter.
        resolution: at which the partition was found, None where that is not a parameter.
        resolution_curve: what was tried, by rising resolution; empty where it is not a parameter.
        stability: mean agreement with resamples where the method has measured it, else None.
        recluster: clusters other points with the same parameters, to measure stability; None if that is done.
        collapse: why the method's first answer was not usable, "" if it was.
        fallback: what replaced that answer, "" if nothing did.
    """

    labels: NDArray[np.int32]
    strength: NDArray[np.float64] | None = None
    outlier_scores: NDArray[np.float64] | None = None
    predict: Predict | None = None
    k_curve: tuple[KScore, ...] = ()
    resolution: float | None = None
    resolution_curve: tuple[ResolutionScore, ...] = ()
    stability: float | None = None
    recluster: Recluster | None = None
    collapse: str = ""
    fallback: str = ""
