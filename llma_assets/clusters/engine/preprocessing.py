"""Preprocessing of every method: validate, normalise, merge exact duplicates. No clustering."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.errors import InvalidEmbeddingsError

SHOWN_ROWS = 10
BLOCK_ROWS = 512
KEY_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Rows that can be scaled to length 1. They are scaled where they are needed, because a copy of all is large.

    Attributes:
        array: (n, d), of any kind of number; not changed.
        largest: (n, 1), the largest entry of each row. Scaling by it first avoids overflows of lengths and of
            conversions to float32.
    """

    array: NDArray[Any]
    largest: NDArray[Any]

    def unit(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """Some of the rows, float32 (b, d), at length 1; the same bytes whatever others are asked for."""
        return normalise(np.ascontiguousarray(self.array[rows] / self.largest[rows], dtype=np.float32))


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


def checked(embeddings: NDArray[np.float32]) -> Checked:
    """The rows of `embeddings` (n, d), once it is sure that each has a direction.

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
    return Checked(array, largest)


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


def checked_arrivals(arrivals: NDArray[np.int_] | None, n: int) -> NDArray[np.int_] | None:
    """Return `arrivals` as int (n, 2); None if there are none.

    Raises:
        InvalidEmbeddingsError: another shape, or no integers.
    """
    if arrivals is None:
        return None
    array = np.asarray(arrivals)
    if array.shape != (n, 2) or not np.issubdtype(array.dtype, np.integer):
        raise InvalidEmbeddingsError(
            f"arrivals must be integers of shape ({n}, 2), found {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int_)


def normalise(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row of `embeddings` (n, d) to length 1 in place; negative zeros become zeros."""
    # Widened first: a cast within the sum would work through a buffer, whose ends depend on what rows stand around.
    wide = embeddings.astype(np.float64)
    embeddings /= np.sqrt(np.einsum("ij,ij->i", wide, wide)[:, None]).astype(np.float32)
    embeddings += np.float32(0.0)
    return embeddings


def deduplicate(rows: Checked) -> Distinct:
    """Scale rows to length 1, merge equal ones and sort the distinct ones.

    The order is by the rows' bytes. Little-endian floats begin with their least significant byte, so the
    order is practically random, and k-means starts from it without a bias.
    """
    n, d = rows.array.shape
    heads = np.zeros((n, KEY_BYTES // 4), dtype="<f4")
    for part in _blocks(n):
        heads[part, :d] = rows.unit(part)[:, : heads.shape[1]]
    # Read as numbers whose first byte counts most, the first bytes of a row have the order of bytes.
    keys = heads.view(f">u{KEY_BYTES}")[:, 0].astype(np.uint64)
    order = np.argsort(keys, kind="stable")
    same = np.diff(keys[order]) == 0
    places = np.flatnonzero(np.r_[False, same] | np.r_[same, False])
    first = np.ones(n, dtype=bool)
    if len(places):
        # Only where these are equal the whole rows have to be looked at.
        among = np.sort(order[places])
        unit = rows.unit(among)
        ranked = np.argsort(unit.astype("<f4", copy=False).view(np.dtype((np.void, d * 4)))[:, 0], kind="stable")
        order[places] = among[ranked]
        unit = unit[ranked]
        first[places[1:]] = (unit[1:] != unit[:-1]).any(axis=1)
    inverse = np.empty(n, dtype=np.intp)
    inverse[order] = group = np.cumsum(first) - 1
    kept = order[first]
    distinct = np.empty((len(kept), d), dtype=np.float32)
    for part in _blocks(len(kept)):
        distinct[part] = rows.unit(kept[part])
    return Distinct(distinct, np.bincount(group).astype(np.float64), inverse)


def _blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, BLOCK_ROWS):
        yield slice(start, start + BLOCK_ROWS)
