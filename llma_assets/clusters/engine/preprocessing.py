"""Preprocessing of every method: validate, normalise, merge exact duplicates. No clustering."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.errors import InvalidEmbeddingsError

SHOWN_ROWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The distinct rows of the input, in an order that depends on their content alone.

    Every later step sees the rows in this order, so the answer does not depend on the order of the input.

    Attributes:
        unit: float32 (m, d), rows of length 1.
        weights: float64 (m,), how many input rows each stands for.
        inverse: intp (n,), the distinct row of each input row.
    """

    unit: NDArray[np.float32]
    weights: NDArray[np.float64]
    inverse: NDArray[np.intp]


def checked(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `embeddings` as a float32 array (n, d), each row divided by its largest entry.

    Raises:
        InvalidEmbeddingsError: not two-dimensional, no rows, no columns, not numbers, or rows that are
            zero, NaN or infinite.
    """
    array = np.asarray(embeddings)
    if array.ndim != 2:
        raise InvalidEmbeddingsError(f"embeddings must have two dimensions (n, d), found shape {array.shape}")
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise InvalidEmbeddingsError(f"embeddings must have at least one row and column, found {array.shape}")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise InvalidEmbeddingsError(f"embeddings must be numbers, found dtype {array.dtype}")
    # Avoids a temporary copy of the array; integers are widened first, because the smallest one has no negative.
    wide = np.float64 if np.issubdtype(array.dtype, np.integer) else array.dtype
    largest = np.maximum(array.max(axis=1).astype(wide), -array.min(axis=1).astype(wide))[:, None]
    _refuse(np.flatnonzero(~np.isfinite(largest)), "NaN or infinite")
    _refuse(np.flatnonzero(largest == 0), "all zero")
    # Scaling by the largest entry avoids overflows of lengths and of conversions to float32.
    return np.ascontiguousarray(array / largest, dtype=np.float32)


def _refuse(rows: NDArray[np.intp], what: str) -> None:
    if rows.size == 0:
        return
    shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS].tolist())
    more = f" and {rows.size - SHOWN_ROWS} more" if rows.size > SHOWN_ROWS else ""
    raise InvalidEmbeddingsError(
        f"{rows.size} rows of the embeddings are {what}: {shown}{more}; leave them out before clustering",
        tuple(int(row) for row in rows),
    )


def checked_coordinates(coordinates: NDArray[np.float64] | None, n: int) -> NDArray[np.float64] | None:
    """Return `coordinates` as float64 (n, 2); None if there are none, or all are NaN.

    Raises:
        InvalidEmbeddingsError: another shape, or infinite.
    """
    if coordinates is None:
        return None
    array = np.asarray(coordinates, dtype=np.float64)
    if array.shape != (n, 2):
        raise InvalidEmbeddingsError(f"initial_coordinates must have shape ({n}, 2), found {array.shape}")
    _refuse(np.flatnonzero(np.isinf(array).any(axis=1)), "infinite in initial_coordinates")
    new: NDArray[np.bool_] = np.isnan(array[:, 0]) | np.isnan(array[:, 1])
    return None if new.all() else np.where(new[:, None], np.nan, array)


def checked_labels(labels: NDArray[np.int_] | None, n: int) -> NDArray[np.int_] | None:
    """Return `labels` as int (n, r); None if there are none, or no item has one in all r runs.

    Raises:
        InvalidEmbeddingsError: another shape, or no integers.
    """
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.ndim != 2 or len(array) != n or array.shape[1] == 0 or not np.issubdtype(array.dtype, np.integer):
        raise InvalidEmbeddingsError(
            f"earlier_labels must be integers of shape ({n}, runs), found {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int_) if (array >= 0).all(axis=1).any() else None


def normalise(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row of `embeddings` (n, d) to length 1 in place; negative zeros become zeros."""
    lengths = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings, dtype=np.float64)[:, None]).astype(np.float32)
    embeddings /= lengths
    embeddings += np.float32(0.0)
    return embeddings


def deduplicate(unit: NDArray[np.float32]) -> Distinct:
    """Merge equal rows of `unit` (n, d) and sort the distinct ones.

    The order is by the rows' bytes. Little-endian floats begin with their least significant byte, so the
    order is practically random, and k-means starts from it without a bias.
    """
    n, d = unit.shape
    rows = np.ascontiguousarray(unit, dtype="<f4").view(np.dtype((np.void, d * 4))).reshape(n)
    order = np.argsort(rows, kind="stable")
    ordered = unit[order]
    first = np.ones(n, dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.cumsum(first) - 1
    inverse = np.empty(n, dtype=np.intp)
    inverse[order] = group
    weights = np.bincount(group).astype(np.float64)
    return Distinct(ordered[first] if not first.all() else ordered, weights, inverse)
