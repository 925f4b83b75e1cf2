"""The same bytes in a fresh process, whatever the number of threads and the hash seed."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, cluster

METHODS = ("graph", "kmeans", "hdbscan")
SCRIPT = """
import hashlib, sys
import numpy as np
from llma_assets.clusters import ClusteringConfig, cluster
rng = np.random.default_rng(11)
centres = rng.normal(size=(9, 700))
points = (centres[rng.integers(0, 9, 500)] + 1.5 * rng.normal(size=(500, 700))).astype(np.float32)
names = ("labels", "centroids", "radii", "groups", "distances", "ranks", "strength", "borderline", "coordinates")
for method in sys.argv[1:]:
    result = cluster(points, ClusteringConfig(method=method))
    digest = hashlib.sha256()
    for name in (*names, "centroid_coordinates"):
        digest.update(getattr(result, name).tobytes())
    digest.update(repr(result.quality).encode())
    print(method, digest.hexdigest(), len(result.centroids))
"""


def _digests(threads: str, hash_seed: str) -> list[str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environ = {**os.environ, **dict.fromkeys(names, threads), "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", SCRIPT, *METHODS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


@pytest.mark.slow
def test_fresh_processes_with_other_threads_and_hash_seeds_give_the_same_bytes() -> None:
    first = _digests("1", "0")
    assert [line.split()[0] for line in first] == list(METHODS)
    assert all(int(line.split()[2]) >= 2 for line in first)
    assert _digests("2", "12345") == first


def _threads() -> list[int]:
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info()]


def test_the_number_of_threads_is_restored_afterwards() -> None:
    from threadpoolctl import threadpool_limits

    points = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    cluster(points)
    with threadpool_limits(2):
        before = _threads()
        cluster(points)
        assert _threads() == before


@pytest.mark.heavy
def test_clusterings_in_several_threads_neither_disturb_each_other_nor_leave_a_limit_behind() -> None:
    from threadpoolctl import threadpool_limits

    points = np.random.default_rng(0).normal(size=(300, 32)).astype(np.float32)
    alone = cluster(points, ClusteringConfig())
    results: list[bytes] = []
    with threadpool_limits(2):
        before = _threads()
        workers = [threading.Thread(target=lambda: results.append(cluster(points).labels.tobytes())) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert _threads() == before
    assert results == [alone.labels.tobytes()] * 4


@pytest.mark.process
def test_importing_the_room_loads_no_heavy_library() -> None:
    rooms = "import sys, llma_assets.clusters, llma_assets.labels;"
    heavy = f"{rooms} print([name for name in ('sklearn', 'scipy', 'hdbscan', 'openai') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
