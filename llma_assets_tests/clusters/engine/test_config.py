"""Parameters are checked at the door, by name."""

from typing import Any

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, InvalidConfigError


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("method", "dbscan", "'graph', 'kmeans', 'hdbscan'"),
        ("min_k", 1, r"\[2, inf\)"),
        ("min_k", True, r"\[2, inf\)"),
        ("min_k", 3.0, r"\[2, inf\)"),
        ("max_k", 2, r"\[min_k = 3, inf\)"),
        ("pca_components", 0, r"\[1, inf\)"),
        ("n_init", "10", r"\[1, inf\)"),
        ("min_cluster_fraction", 0.0, r"\(0, 1\)"),
        ("min_cluster_fraction", 1.0, r"\(0, 1\)"),
        ("min_cluster_fraction", float("nan"), r"\(0, 1\)"),
        ("min_cluster_floor", 1, r"\[2, inf\)"),
        ("min_samples", 0, r"\[1, inf\)"),
        ("max_cluster_share", 1.5, r"\(0, 1\]"),
        ("max_noise_share", None, r"\(0, 1\]"),
        ("silhouette_sample", 5, r"\[10, inf\)"),
        ("seed", -1, r"\[0, 4294967295\]"),
        ("seed", 2**32, r"\[0, 4294967295\]"),
    ],
)
def test_a_parameter_outside_its_range_is_named_with_the_range(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(InvalidConfigError, match=f"'{name}' parameter of ClusteringConfig must be .*{allowed}"):
        ClusteringConfig(**{name: value})


def test_numbers_of_numpy_are_numbers_and_stored_as_plain_ones() -> None:
    config = ClusteringConfig(min_k=np.int64(4), min_cluster_fraction=np.float32(0.5))  # type: ignore[arg-type]
    assert type(config.min_k) is int
    assert type(config.min_cluster_fraction) is float


def test_the_smallest_cluster_is_a_share_with_a_floor() -> None:
    config = ClusteringConfig(min_cluster_fraction=0.01, min_cluster_floor=5)
    assert [config.smallest_dense(n) for n in (1, 100, 501, 2000)] == [5, 5, 6, 20]
