"""Measures how long the server has been idle. Ending an idle server belongs in `process`."""

import threading
import time


class ActivityMeter:
    """The number of running authenticated requests, and the time since the last one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._last_s = time.monotonic()

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            self._last_s = time.monotonic()

    @property
    def running(self) -> int:
        return self._running

    def idle_s(self) -> float:
        """Seconds without a request; 0 while one runs."""
        with self._lock:
            return 0.0 if self._running else time.monotonic() - self._last_s
