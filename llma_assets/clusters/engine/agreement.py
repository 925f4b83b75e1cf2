"""The agreement of two partitions of the same points: the adjusted Rand index.

L. Hubert, P. Arabie, "Comparing partitions", Journal of Classification 2 (1985).
"""

import numpy as np
from numpy.typing import NDArray

CELLS_TO_COUNT = 1_000_000
"""Up to so many pairs of labels all are counted; with more, only those that occur."""


def adjusted_rand(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    """The adjusted Rand index of two labellings (m,), numbered from 0 or from -1: at most 1, 0 by chance."""
    a, b = first.astype(np.intp) + 1, second.astype(np.intp) + 1
    width = int(b.max()) + 1
    cells = a * width + b
    few = (int(a.max()) + 1) * width <= CELLS_TO_COUNT
    joint = _pairs(np.bincount(cells) if few else np.unique(cells, return_counts=True)[1])
    rows, columns = _pairs(np.bincount(a)), _pairs(np.bincount(b))
    m = len(a)
    expected = rows * columns / max(m * (m - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((joint - expected) / (most - expected))


def _pairs(counts: NDArray[np.intp]) -> float:
    return float((counts * (counts - 1.0)).sum() / 2)
