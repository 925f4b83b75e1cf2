"""The parameters of one clustering and their allowed ranges. No algorithm, no environment variables."""

import dataclasses
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from llma_assets.clusters.engine.errors import InvalidConfigError

METHODS = ("graph", "kmeans", "hdbscan")
NOISE_LABEL = -1
NOISE_TITLE = "Outliers"


@dataclass(frozen=True, slots=True)
class ClusteringConfig:
    """How to cluster. Every parameter is checked when the object is made.

    Attributes:
        method: "graph", "kmeans" or "hdbscan".
        resolution: of the communities of the graph, more where it is larger; None lets the data choose.
        target_clusters: "about this many clusters", whatever the data says; `graph` finds as many of at least
            the smallest size where there are so many, `kmeans` tries no other k. None lets the data choose.
        min_cluster_size: smallest cluster of `graph` and `hdbscan` in items; None follows from the number of
            items (`smallest_community`, `smallest_dense`).
        neighbours: of each point in the graph; fewer where there are not six times as many points.
        runs: of Leiden that `graph` draws its clusters from, at most; large data need fewer.
        resamples: number of resamples that measure the stability of `kmeans` and `hdbscan`.
        same_distance: items closer than this, at length 1, are clustered as one and get the same answer: by
            default a cosine of 0.9998. With 0 only equal ones are.
        with_map: lay the items out in two dimensions; without it all coordinates are 0.
        min_k: smallest number of clusters that k-means tries; fewer only where there are too few points.
        max_k: largest number of clusters that k-means tries; it never reaches the number of distinct points.
        pca_components: dimensions that the methods work in, at most.
        n_init: k-means starts for each k; the one of least inertia counts.
        min_cluster_fraction: smallest HDBSCAN cluster as a share of all items.
        min_cluster_floor: smallest HDBSCAN cluster in items, whatever the share says; smallest cluster of
            `graph` unless there are very few or very many items.
        min_samples: neighbours, the point itself counted, that make a point dense. Small, because sentence
            embeddings are sparse: larger values left two to three times as much noise on real ones.
        max_cluster_share: a density clustering whose largest cluster holds more than this share of all items
            has collapsed, and a fallback replaces it.
        max_noise_share: a density clustering that leaves more than this share as noise has collapsed.
        silhouette_sample: distinct points that silhouettes are computed on, at most.
        seed: of every random choice.

    Raises:
        InvalidConfigError: a parameter is outside its range.
    """

    method: str = "graph"
    resolution: float | None = None
    target_clusters: int | None = None
    min_cluster_size: int | None = None
    neighbours: int = 15
    runs: int = 6
    resamples: int = 2
    same_distance: float = 0.02
    with_map: bool = True
    min_k: int = 3
    max_k: int = 6
    pca_components: int = 100
    n_init: int = 10
    min_cluster_fraction: float = 0.01
    min_cluster_floor: int = 5
    min_samples: int = 2
    max_cluster_share: float = 0.7
    max_noise_share: float = 0.6
    silhouette_sample: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            options = ", ".join(repr(method) for method in METHODS)
            raise InvalidConfigError(
                f"The 'method' parameter of ClusteringConfig must be one of {options}. Got {self.method!r} instead."
            )
        if self.resolution is not None:
            self._number("resolution", above=0.0, allowed="(0, inf)")
        if self.target_clusters is not None:
            self._integer("target_clusters", 2)
        if self.min_cluster_size is not None:
            self._integer("min_cluster_size", 2)
        self._integer("neighbours", 2)
        self._integer("runs", 1)
        self._integer("resamples", 1)
        self._number("same_distance", least=0.0, most=0.5, allowed="[0, 0.5]")
        if not isinstance(self.with_map, bool):
            raise InvalidConfigError(
                f"The 'with_map' parameter of ClusteringConfig must be a bool. Got {self.with_map!r} instead."
            )
        self._integer("min_k", 2)
        self._integer("max_k", 2)
        if self.max_k < self.min_k:
            raise InvalidConfigError(
                "The 'max_k' parameter of ClusteringConfig must be an int in the range "
                f"[min_k = {self.min_k}, inf). Got {self.max_k!r} instead."
            )
        self._integer("pca_components", 1)
        self._integer("n_init", 1)
        self._share("min_cluster_fraction", below_one=True)
        self._integer("min_cluster_floor", 2)
        self._integer("min_samples", 1)
        self._share("max_cluster_share")
        self._share("max_noise_share")
        self._integer("silhouette_sample", 10)
        self._integer("seed", 0, 2**32 - 1)

    def _integer(self, name: str, low: int, high: int | None = None) -> None:
        value: Any = getattr(self, name)
        is_integer = not isinstance(value, bool) and isinstance(value, (Integral, int))
        if not is_integer or value < low or (high is not None and value > high):
            allowed = f"[{low}, inf)" if high is None else f"[{low}, {high}]"
            raise InvalidConfigError(
                f"The '{name}' parameter of ClusteringConfig must be an int in the range {allowed}. "
                f"Got {value!r} instead."
            )
        object.__setattr__(self, name, int(value))

    def _number(
        self,
        name: str,
        *,
        allowed: str,
        above: float = -math.inf,
        least: float = -math.inf,
        most: float = math.inf,
    ) -> None:
        value: Any = getattr(self, name)
        numeric = not isinstance(value, bool) and isinstance(value, (Real, float))
        if not numeric or not math.isfinite(value) or value <= above or not least <= value <= most:
            raise InvalidConfigError(
                f"The '{name}' parameter of ClusteringConfig must be a float in the range {allowed}. "
                f"Got {value!r} instead."
            )
        object.__setattr__(self, name, float(value))

    def _share(self, name: str, *, below_one: bool = False) -> None:
        value: Any = getattr(self, name)
        numeric = not isinstance(value, bool) and isinstance(value, (Real, float))
        if not numeric or not math.isfinite(value) or not 0 < value <= 1 or (below_one and value == 1):
            allowed = "(0, 1)" if below_one else "(0, 1]"
            raise InvalidConfigError(
                f"The '{name}' parameter of ClusteringConfig must be a float in the range {allowed}. "
                f"Got {value!r} instead."
            )
        object.__setattr__(self, name, float(value))

    def smallest_community(self, n: int) -> int:
        """Smallest cluster of `graph` for `n` items, in items: 5, a tenth of very few, a thousandth of very many."""
        if self.min_cluster_size is not None:
            return self.min_cluster_size
        return max(2, min(self.min_cluster_floor, n // 10), n // 1000)

    def smallest_dense(self, n: int) -> int:
        """Smallest cluster of `hdbscan` for `n` items, in items."""
        if self.min_cluster_size is not None:
            return self.min_cluster_size
        return max(self.min_cluster_floor, math.ceil(self.min_cluster_fraction * n))

    def to_dict(self) -> dict[str, Any]:
        """The parameters as a JSON-serialisable dict."""
        return dataclasses.asdict(self)
