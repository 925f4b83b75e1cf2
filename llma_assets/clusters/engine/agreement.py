"""The agreement of two partitions of the same points: the adjusted Rand index.

L. Hubert, P. Arabie, "Comparing partitions", Journal of Classification 2 (1985).
"""

import numpy as np
from numpy.typing import NDArray


def adjusted_rand(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    """The adjusted Rand index of two labellings (m,), numbered from 0 or from -1: at most 1, 0 by chance."""
    a, b = first.astype(np.intp) + 1, second.astype(np.intp) + 1
    width = int(b.max()) + 1
    joint = _pairs(np.unique(a * width + b, return_counts=True)[1])
    rows, columns = _pairs(np.bincount(a)), _pairs(np.bincount(b))
    m = len(a)
    expected = rows * columns / max(m * (m - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((joint - expected) / (most - expected))


def _pairs(counts: NDArray[np.intp]) -> float:
    return float((counts * (counts - 1.0)).sum() / 2)
