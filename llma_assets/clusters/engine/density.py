"""One call of the `hdbscan` package: labels, strength, outlier scores, and the assignment of unseen points.

Collapses and fallbacks belong in `hdbscan`. The package's outlier score is GLOSH:
R. J. G. B. Campello, D. Moulavi, A. Zimek, J. Sander, "Hierarchical density estimates for data clustering,
visualization, and outlier detection", ACM TKDD 10 (2015).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.errors import MissingPackageError
from llma_assets.clusters.engine.partition import Predict

ALGORITHM = "prims_kdtree"
"""Finds the exact tree in memory that grows with the items, not with their square. `boruvka_kdtree` finds the same tree
in the same memory and takes two to three times as long: in dozens of dimensions a k-d tree rules out next to nothing.
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to run HDBSCAN.

    Attributes:
        selection: "eom" takes the most persistent clusters, "leaf" the smallest ones of the tree.
        min_cluster_size: in items.
        min_samples: neighbours that make a point dense, the point itself counted; 1 counts as 2.
        dimensions: leading axes used; density means little in many.
    """

    selection: str
    min_cluster_size: int
    min_samples: int
    dimensions: int

    def __str__(self) -> str:
        return (
            f"{self.selection} selection, min_cluster_size {self.min_cluster_size}, "
            f"min_samples {self.min_samples}, {self.dimensions} dimensions"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """What HDBSCAN finds in m distinct points.

    Attributes:
        labels: int32 (m,), -1 is noise.
        strength: float64 (m,) in [0, 1], HDBSCAN's probability of membership; 0 for noise.
        outlier_scores: float64 (m,) in [0, 1]; higher where the density is lower than in the nearest cluster.
        predict: labels and strength of other points (b, p) in the same axes.
    """

    labels: NDArray[np.int32]
    strength: NDArray[np.float64]
    outlier_scores: NDArray[np.float64]
    predict: Predict


def fit_density(points: NDArray[np.float32], weights: NDArray[np.float64], attempt: Attempt) -> Density:
    """Run HDBSCAN once.

    Args:
        points: float32 (m, p), distinct, axes by falling variance.
        weights: float64 (m,); a point that stands for many is repeated, up to the number that makes a cluster.
        attempt: how.

    Raises:
        MissingPackageError: the `hdbscan` package is not installed.
    """
    repeats = np.minimum(weights, attempt.min_cluster_size).astype(np.intp)
    first = np.cumsum(repeats) - repeats
    repeated = np.repeat(np.arange(len(points)), repeats)
    leading = points[repeated, : attempt.dimensions].astype(np.float64)
    model = (
        _package()
        .HDBSCAN(
            min_cluster_size=attempt.min_cluster_size,
            # The package does not count the point itself.
            min_samples=max(1, min(attempt.min_samples - 1, len(leading) // 2)),
            cluster_selection_method=attempt.selection,
            algorithm=ALGORITHM,
            approx_min_span_tree=False,
            core_dist_n_jobs=1,
        )
        .fit(leading)
    )
    labels = np.asarray(model.labels_, dtype=np.int32)
    joined = _finite_lambdas(model, len(leading))
    model.generate_prediction_data()
    strength = _strength(model, labels, joined)
    scores = np.clip(np.asarray(model.outlier_scores_, dtype=np.float64), 0.0, 1.0)
    labels = np.where(labels < 0, np.int32(NOISE_LABEL), labels)
    return Density(labels[first], strength[first], scores[first], _predictor(model, attempt))


def _package() -> Any:
    try:
        import hdbscan
    except ModuleNotFoundError as error:
        if error.name != "hdbscan":
            raise
        raise MissingPackageError(
            "the clustering method 'hdbscan' needs the package hdbscan, which is not installed (it has no wheel for "
            "Linux on ARM): pip install 'hdbscan>=0.8.44,<0.9', or use the method graph or kmeans"
        ) from error
    return hdbscan


def _finite_lambdas(model: Any, n: int) -> NDArray[np.float64]:
    """Replace infinite densities by the largest finite one of the cluster, and return the density of each point (n,).

    Points at the same position have infinite density: relative to it every other member of the cluster would have
    strength 0, and outlier scores would be NaN.
    """
    tree = model.condensed_tree_._raw_tree
    lambdas, parents = tree["lambda_val"], tree["parent"]
    finite = np.isfinite(lambdas)
    if not finite.all():
        densest = np.zeros(int(parents.max()) + 1)
        np.maximum.at(densest, parents[finite], lambdas[finite])
        densest[densest == 0] = lambdas[finite].max(initial=1.0)
        lambdas[~finite] = densest[parents[~finite]]
    joined = np.empty(n)
    single = tree["child"] < n
    joined[tree["child"][single]] = lambdas[single]
    return joined


def _strength(model: Any, labels: NDArray[np.int32], joined: NDArray[np.float64]) -> NDArray[np.float64]:
    """The density at which each point joined its cluster as a share of the cluster's largest, 0 for noise."""
    data = model.prediction_data_
    ends = np.ones(int(labels.max(initial=NOISE_LABEL)) + 2)  # the last one is noise's
    for label, node in data.reverse_cluster_map.items():
        ends[label] = data.max_lambdas[node]
    end = ends[labels]
    share = np.divide(np.minimum(joined, end), end, out=np.ones(len(labels)), where=end > 0)
    return np.where(labels < 0, 0.0, share)


def _predictor(model: Any, attempt: Attempt) -> Predict:
    def predict(points: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        leading = points[:, : attempt.dimensions].astype(np.float64)
        labels, strength = _package().approximate_predict(model, leading)
        return np.asarray(labels, dtype=np.int32), np.clip(np.asarray(strength, dtype=np.float64), 0.0, 1.0)

    return predict
