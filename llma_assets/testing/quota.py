"""A rate limit as OpenAI counts it."""

import threading
import time

from llma_assets.testing.faults import Status


class Quota:
    """So many requests at most, that come back evenly, as OpenAI counts them; its headers tell how many are left.

    >>> quota = Quota(2, window_s=60)
    >>> [quota.take() is None for _ in range(3)], quota.refused
    ([True, True, False], 1)

    Attributes:
        refused: requests that got 429.
    """

    def __init__(self, requests: int, window_s: float, *, tells: bool = True, retry_after: bool = True) -> None:
        self.refused = 0
        self._most, self._rate = requests, requests / window_s
        self._left, self._at = float(requests), time.monotonic()
        self._tells, self._retry_after = tells, retry_after
        self._lock = threading.Lock()

    def take(self) -> Status | None:
        """Take one; a refusal where there is none."""
        with self._lock:
            self._refill()
            if self._left >= 1:
                self._left -= 1
                return None
            self.refused += 1
            wait_ms = f"{1000 * (1 - self._left) / self._rate:.0f}"
            return Status(429, "slow down", headers={"Retry-After-Ms": wait_ms} if self._retry_after else {})

    def headers(self) -> dict[str, str]:
        """The state as OpenAI tells it."""
        if not self._tells:
            return {}
        with self._lock:
            self._refill()
            return {
                "x-ratelimit-limit-requests": str(self._most),
                "x-ratelimit-remaining-requests": str(int(self._left)),
                "x-ratelimit-reset-requests": f"{1000 * (self._most - self._left) / self._rate:.0f}ms",
            }

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
