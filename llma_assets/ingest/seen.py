"""What one ingest has stored so far, so that a batch is looked up among the events of others alone.

Without it each batch reads the keys of all stored events, and the price of an event grows with the file.
"""

import uuid
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Digests = NDArray[np.uint64]

MOST_KEYS = 16_000_000
"""Of more keys the first are forgotten, 128 MB, and looked up in the database again."""

_CLOCK = timedelta(seconds=10)
"""By so much the server's clock may be set back meanwhile."""


class SeenKeys:
    """Digests of the keys that one ingest has stored since a moment, for one thread.

    Each event that was stored after that moment is among them, as long as nobody else stores events meanwhile; `begin`
    is told whether somebody did. Digests are kept in sorted arrays, each at least twice as long as the next.
    """

    def __init__(self) -> None:
        self.holder = str(uuid.uuid4())
        self._arrays: list[Digests] = []
        self._since: datetime | None = None

    def begin(self, *, alone: bool, now: datetime) -> datetime:
        """Begin a batch; what others have stored has been stored until the time that is returned.

        Args:
            alone: whether nobody has stored events since the last batch.
            now: the server's clock.
        """
        if self._since is None or not alone or sum(map(len, self._arrays)) > MOST_KEYS:
            self._arrays, self._since = [], now + _CLOCK
        return self._since

    def find(self, digests: Digests) -> NDArray[np.bool_]:
        """Which of these have been stored; a few more may be found, if digests are equal by chance."""
        found = np.zeros(len(digests), dtype=np.bool_)
        order = np.argsort(digests)
        ordered = digests[order]  # neighbours are searched for in the same part of memory
        for array in self._arrays:
            places = np.minimum(np.searchsorted(array, ordered), len(array) - 1)
            found[order] |= array[places] == ordered
        return found

    def add(self, digests: Digests) -> None:
        """Say that these have been stored."""
        if not len(digests):
            return
        added = np.sort(digests)
        while self._arrays and len(self._arrays[-1]) < 2 * len(added):
            added = np.sort(np.concatenate([self._arrays.pop(), added]), kind="stable")  # which merges what is sorted
        self._arrays.append(added)

    def forget(self) -> None:
        """Say that it is not known what has been stored."""
        self._since = None
