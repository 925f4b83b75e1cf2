"""One linear-algebra thread for the length of a clustering. Parallelism over teams belongs to Dagster."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread, and restore what was before.

    The limit is the process's own, so callers in other threads wait for their turn: two limits that overlap
    would restore each other's. One thread gives the same bytes on every machine, and costs no time at
    these sizes.
    """
    import scipy.linalg  # noqa: F401  (only libraries that are loaded by now can be limited)
    import sklearn.cluster  # noqa: F401
    from threadpoolctl import threadpool_limits

    with _ONE_AT_A_TIME, threadpool_limits(limits=1):
        yield
