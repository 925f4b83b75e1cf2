"""The circuit breaker: a server that answers no caller is not asked for a while. Knows no HTTP.

Which failure means that a server is down is decided by `openai_server`.
"""

import threading
from collections.abc import Callable


class CircuitBreaker:
    """Closed: calls are made. Open: none is made until a cool-down has passed; then one is, and its outcome decides.

    Safe to use from several threads. Each call that `wait_s` allowed is followed by `answered` or `failed`; a probe
    without either is replaced by another after `probe_s`.
    """

    def __init__(self, *, failures: int, cool_down_s: float, probe_s: float, clock: Callable[[], float]) -> None:
        """
        Args:
            failures: so many in a row, over all callers, open the circuit.
            cool_down_s: how long no call is made then.
            probe_s: how long the one call after it may take.
            clock: seconds from any origin, never falling.
        """
        self._most = failures
        self._cool_down_s = cool_down_s
        self._probe_s = probe_s
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._retry_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the server was found to be down, and has not answered since."""
        return self._in_a_row >= self._most

    def wait_s(self) -> float:
        """0.0 where a call may be made now, and then it has to be; else the seconds until it is worth asking again."""
        with self._lock:
            now = self._clock()
            if not self.is_open:
                return 0.0
            if now < self._retry_at:
                return self._retry_at - now
            self._retry_at = now + self._probe_s
            return 0.0

    def answered(self) -> None:
        """The server answered something, be it a refusal: it is there."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """The server did not answer, or only that it is broken."""
        with self._lock:
            self._in_a_row += 1
            if self.is_open:
                self._retry_at = self._clock() + self._cool_down_s
