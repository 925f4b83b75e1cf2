"""Two dimensions for the eye. Distances on the map mean little; nothing is computed from it."""

import numpy as np
from numpy.typing import NDArray


def map_points(
    points: NDArray[np.float32], weights: NDArray[np.float64], labels: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Lay out the reduced `points` (m, p) so that the clusters in `labels` (m,) stay apart.

    Linear discriminant axes: the two directions that spread the clusters' means most against the scatter
    inside the clusters (R. A. Fisher 1936; shrunk towards a sphere, because p may exceed m). With fewer
    than three clusters the axes missing are principal ones. Noise is projected like the rest.

    Returns:
        float64 (m, 2), centred, scaled so that the largest coordinate is 1.
    """
    p = points.shape[1]
    axes = _discriminant_axes(points.astype(np.float64), weights, labels)
    for index in range(p):
        if axes.shape[1] >= 2:
            break
        candidate = np.zeros(p)
        candidate[index] = 1.0
        candidate -= axes @ (axes.T @ candidate)
        length = float(np.linalg.norm(candidate))
        if length > 1e-6:
            axes = np.column_stack([axes, candidate / length])
    laid = np.zeros((len(points), 2))
    laid[:, : axes.shape[1]] = points @ axes
    laid -= np.average(laid, axis=0, weights=weights)
    largest = np.abs(laid).argmax(axis=0)
    laid *= np.where(laid[largest, [0, 1]] < 0, -1.0, 1.0)
    scale = float(np.abs(laid).max())
    return laid / scale if scale > 0 else laid


def _discriminant_axes(
    points: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Up to two orthonormal columns (p, ≤2)."""
    from scipy.linalg import eigh

    p = points.shape[1]
    k = int(labels.max()) + 1
    if k < 2:
        return np.zeros((p, 0))
    rows = labels >= 0
    kept, own, mass = points[rows], labels[rows], weights[rows]
    means = np.vstack([np.average(kept[own == c], axis=0, weights=mass[own == c]) for c in range(k)])
    sizes = np.bincount(own, weights=mass, minlength=k)
    spread = means - np.average(means, axis=0)
    # Clusters count alike, so that a small one is not hidden behind a large one.
    between = spread.T @ spread / k
    inner = (kept - means[own]) * np.sqrt(mass)[:, None]
    within = inner.T @ inner / sizes.sum()
    shrunk = 0.5 * within + 0.5 * np.eye(p) * max(float(np.trace(within)) / p, 1e-12)
    keep = min(2, k - 1, p)
    vectors = eigh(between, shrunk, subset_by_index=(p - keep, p - 1), check_finite=False)[1][:, ::-1]
    return np.asarray(np.linalg.qr(vectors)[0], dtype=np.float64)
