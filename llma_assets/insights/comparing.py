"""Which values are over-represented in a cluster, tested on counts of traces. Pure: knows no database.

Each value of each cluster is one test: Fisher's exact test of the cluster against all others together, and another
against its nearest cluster alone. Many are made at once, so that what is reported is corrected by Y. Benjamini and
Y. Hochberg, JRSS B 57 (1995), 289-300: of what is said at most a set share is expected to be chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.stats import Z95

FALSE_SHARE = 0.05
"""Of the values that are reported, at most this share is expected to be there by chance."""
LEAST_LIFT = 1.2
"""A smaller difference is left out, however certain it is."""
LEAST_TRACES = 3
"""Fewest traces of a cluster that have a value which is reported."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many traces of each cluster have one value.

    Attributes:
        name: of the property, such as `$ai_model`, or `tool`, `error`.
        value: its value.
        traces: by cluster; one that is missing has none.
    """

    name: str
    value: str
    traces: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Distinction:
    """A value that a cluster has more often than the other traces of its team.

    Attributes:
        cluster_id: the cluster.
        name, value: the property and its value.
        traces, size: how many of the cluster's traces have it, and how many there are.
        other_traces, other_size: of all other traces of the run.
        lift: share inside over share outside, both with half a trace added where one is 0.
        low, high: interval of the lift at 95 %.
        q: the smallest share of chance findings at which this one would be reported.
        nearest_id: the nearest cluster, None without another.
        nearest_traces, nearest_size: of its traces.
        beyond_nearest: whether it tells the cluster from its nearest one, too, under the same correction.
    """

    cluster_id: int
    name: str
    value: str
    traces: int
    size: int
    other_traces: int
    other_size: int
    lift: float
    low: float
    high: float
    q: float
    nearest_id: int | None
    nearest_traces: int
    nearest_size: int
    beyond_nearest: bool

    @property
    def share(self) -> float:
        """Of the cluster's traces, in [0, 1]."""
        return self.traces / self.size

    @property
    def other_share(self) -> float:
        """Of the other traces, in [0, 1]."""
        return self.other_traces / self.other_size


def distinctions(
    counts: Sequence[Counts],
    sizes: Mapping[int, int],
    nearest: Mapping[int, int],
    *,
    noise: int = -1,
    false_share: float = FALSE_SHARE,
    least_lift: float = LEAST_LIFT,
    least_traces: int = LEAST_TRACES,
) -> list[Distinction]:
    """The values that set clusters apart, by cluster, the most certain first.

    Args:
        counts: one for each value; those that are the same in all traces say nothing and cost nothing.
        sizes: traces by cluster, with the outliers, which are compared with but not described.
        nearest: the nearest other cluster of each, where there is one.
        noise: the number of the outliers.

    Raises:
        ValueError: more traces have a value than a cluster holds.
    """
    whole = sum(sizes.values())
    named = [cluster_id for cluster_id, size in sizes.items() if cluster_id != noise and 0 < size < whole]
    told = [each for each in counts if 0 < sum(each.traces.values()) < whole]
    if not named or not told:
        return []
    inside = np.array([[each.traces.get(cluster_id, 0) for cluster_id in named] for each in told], dtype=np.int64)
    size = np.array([sizes[cluster_id] for cluster_id in named], dtype=np.int64)
    total = np.array([sum(each.traces.values()) for each in told], dtype=np.int64)[:, None]
    if (inside > size).any():
        raise ValueError("more traces have a value than their cluster holds")
    q = corrected(_upper_tail(inside, np.broadcast_to(size, inside.shape), total, whole))
    beside = [nearest.get(cluster_id) for cluster_id in named]
    beside_size = np.array([0 if each is None else sizes.get(each, 0) for each in beside], dtype=np.int64)
    beside_inside = np.array(
        [[0 if each is None else value.traces.get(each, 0) for each in beside] for value in told], dtype=np.int64
    )
    reported = (q <= false_share) & (inside >= least_traces)
    rows, columns = np.nonzero(reported)
    beyond = np.zeros(inside.shape, dtype=bool)
    if len(rows):
        pair = inside[rows, columns], beside_inside[rows, columns]
        pair_size = size[columns], beside_size[columns]
        p = _upper_tail(pair[0], pair_size[0], pair[0] + pair[1], pair_size[0] + pair_size[1])
        beyond[rows, columns] = (corrected(p) <= false_share) & (pair_size[1] > 0)
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        part, others = int(inside[row, column]), int(total[row, 0] - inside[row, column])
        lift, low, high = lift_of(part, int(size[column]), others, whole - int(size[column]))
        if lift < least_lift:
            continue
        found.append(
            Distinction(
                cluster_id=named[column],
                name=told[row].name,
                value=told[row].value,
                traces=part,
                size=int(size[column]),
                other_traces=others,
                other_size=whole - int(size[column]),
                lift=lift,
                low=low,
                high=high,
                q=float(q[row, column]),
                nearest_id=beside[column],
                nearest_traces=int(beside_inside[row, column]),
                nearest_size=int(beside_size[column]),
                beyond_nearest=bool(beyond[row, column]),
            )
        )
    return sorted(found, key=lambda each: (each.cluster_id, each.q, -each.low, each.name, each.value))


def lift_of(part: int, size: int, others: int, other_size: int) -> tuple[float, float, float]:
    """Ratio of two shares with its interval at 95 %, by the normal approximation of its logarithm.

    Half a trace is added to each cell where one is empty (J. B. S. Haldane, Ann. Hum. Genet. 20 (1956), 309-311).
    """
    extra = 0.5 if 0 in (part, others) else 0.0
    a, n, b, m = part + extra, size + 2 * extra, others + extra, other_size + 2 * extra
    ratio = (a / n) / (b / m)
    half = Z95 * math.sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    return ratio, ratio * math.exp(-half), ratio * math.exp(half)


def corrected(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's q values of p values, in the same shape."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p.ravel()), dtype=np.float64).reshape(p.shape)


def _upper_tail(
    part: NDArray[np.int64], size: NDArray[np.int64], total: NDArray[np.int64], whole: NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Chance of at least `part` of `total` marked traces among `size` of `whole`: Fisher's exact test, one-sided."""
    from scipy.stats import hypergeom

    tail: NDArray[np.float64] = hypergeom.sf(part - 1, whole, total, size)
    return np.clip(tail, 0.0, 1.0)
