"""When and how long to wait before a call is made again. Knows no HTTP and no model."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a client is.

    Attributes:
        attempts: HTTP calls for one answer, the first one included.
        deadline_s: wall time for one answer, waiting included.
        attempt_timeout_s: wall time of one HTTP call, body included.
        first_delay_s: wait before the second call; doubles from there.
        longest_delay_s: bound of our own waits; a server's Retry-After is bound by the deadline alone.
        sleep, clock, jitter: replaced in tests; `jitter` gives a number in [0, 1).
    """

    attempts: int = 4
    deadline_s: float = 120.0
    attempt_timeout_s: float = 60.0
    first_delay_s: float = 0.5
    longest_delay_s: float = 8.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; at least 1 is needed")
        if min(self.deadline_s, self.attempt_timeout_s) <= 0:
            raise ValueError("deadline_s and attempt_timeout_s are seconds above 0")

    def delay_s(self, failures: int, retry_after_s: float | None) -> float:
        """Seconds to wait after the `failures`-th failure in a row.

        What the server asked for, else between a half and the whole of an exponential step.

        A little is added to the server's wish, so that many clients do not come back in the same instant.
        """
        if retry_after_s is not None:
            return retry_after_s + 0.25 * self.jitter()
        step = min(self.first_delay_s * 2.0 ** (failures - 1), self.longest_delay_s)
        return step * (0.5 + 0.5 * self.jitter())


def parse_retry_after(value: str | None, milliseconds: str | None, now: float) -> float | None:
    """Seconds that a server asks to wait, from `Retry-After` (seconds or an HTTP date) and `retry-after-ms`.

    Args:
        now: seconds since the epoch, for dates.

    Returns:
        None where nothing usable was said; never below 0.

    >>> parse_retry_after("7", None, 0.0)
    7.0
    >>> parse_retry_after("soon", "1500", 0.0)
    1.5
    """
    from email.utils import parsedate_to_datetime

    for text, divisor in ((milliseconds, 1000.0), (value, 1.0)):
        try:
            seconds = float(text) / divisor if text is not None else None
        except ValueError:
            continue
        if seconds is not None and 0 <= seconds < float("inf"):
            return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now) if value else None
    except ValueError:
        return None
