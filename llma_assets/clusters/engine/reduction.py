"""Exact principal components, by the smaller Gram matrix. No clustering, no maps."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """Points in their principal axes.

    Attributes:
        points: float32 (m, p), centred, axes by falling variance.
        mean: float64 (d,), subtracted from the rows.
        explained_variance: share of the variance that the kept axes hold, in [0, 1].
    """

    points: NDArray[np.float32]
    mean: NDArray[np.float64]
    explained_variance: float


def principal_components(unit: NDArray[np.float32], weights: NDArray[np.float64], components: int) -> Reduced:
    """Project `unit` (m, d) on its first `components` principal axes, each row counted `weights` (m,) times.

    Exact: a full symmetric eigensolver on the smaller of the Gram matrices (m, m) and (d, d). A randomized
    solver is as fast, but its error in the trailing axes is what made density clustering unstable.
    Axes carry the sign that makes their largest coordinate positive.
    """
    m, d = unit.shape
    centre = weighted_mean(unit, weights)
    mean = centre.astype(np.float32)
    root = np.sqrt(weights).astype(np.float32)[:, None]
    if m <= d:
        weighted = (unit - mean) * root
        gram = weighted @ weighted.T
    else:
        gram = np.zeros((d, d), dtype=np.float32)
        for part in _blocks(m):
            weighted = (unit[part] - mean) * root[part]
            gram += weighted.T @ weighted
    total = float(np.trace(gram, dtype=np.float64))
    if m == 1 or total <= 0.0:
        return Reduced(np.zeros((m, 1), dtype=np.float32), centre, 1.0)
    keep = min(components, m - 1, d)
    values, vectors = _leading(gram, keep)
    if m <= d:
        points = vectors * np.sqrt(values) / root
    else:
        points = np.empty((m, keep), dtype=np.float32)
        for part in _blocks(m):
            points[part] = (unit[part] - mean) @ vectors
    return Reduced(_with_fixed_signs(points), centre, min(1.0, float(values.sum(dtype=np.float64)) / total))


def axes_of(unit: NDArray[np.float32], weights: NDArray[np.float64], reduced: Reduced) -> NDArray[np.float32]:
    """The principal axes (d, p) of `reduced`: `(rows - mean) @ axes` projects other rows of length 1 as these were.

    With X the centred rows, W their weights and P = X A their projection, the columns of A are eigenvectors of
    X'WX, so that X'WP = A diag(P'WP). An axis without variance is zero.

    Args:
        unit: float32 (m, d), what was reduced.
        weights: float64 (m,).
        reduced: what `principal_components` made of both.
    """
    mean = reduced.mean.astype(np.float32)
    product = np.zeros((unit.shape[1], reduced.points.shape[1]))
    variances = np.zeros(reduced.points.shape[1])
    for part in _blocks(len(unit)):
        weighted = reduced.points[part] * weights[part].astype(np.float32)[:, None]
        product += (unit[part] - mean).T @ weighted
        variances += np.einsum("ij,ij->j", weighted, reduced.points[part], dtype=np.float64)
    return np.divide(product, variances, out=np.zeros_like(product), where=variances > 0).astype(np.float32)


def weighted_mean(unit: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean (d,) of the rows of `unit` (m, d), each counted `weights` (m,) times."""
    total = np.zeros(unit.shape[1])
    for part in _blocks(len(unit)):
        total += weights[part].astype(np.float32) @ unit[part]
    mean: NDArray[np.float64] = total / weights.sum()
    return mean


def _blocks(m: int) -> Iterator[slice]:
    """Blocks of rows, so that not all rows are copied at once."""
    for start in range(0, m, BLOCK_ROWS):
        yield slice(start, start + BLOCK_ROWS)


def _leading(gram: NDArray[np.float32], keep: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The `keep` largest eigenvalues of `gram`, falling, none below zero, and their vectors as columns."""
    from scipy.linalg import eigh

    size = len(gram)
    values, vectors = eigh(
        gram, subset_by_index=(size - keep, size - 1), overwrite_a=True, check_finite=False, driver="evr"
    )
    return np.maximum(values[::-1], 0).astype(np.float32), np.ascontiguousarray(vectors[:, ::-1])


def _with_fixed_signs(points: NDArray[np.float32]) -> NDArray[np.float32]:
    largest = points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])]
    signs = np.where(largest < 0, np.float32(-1), np.float32(1))
    return np.ascontiguousarray(points * signs, dtype=np.float32)
