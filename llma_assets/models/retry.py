"""When and how long to wait before a call is made again, and what servers say about it. Knows no HTTP and no model."""

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_PAUSE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a client tries.

    Attributes:
        attempts: HTTP calls for one answer, the first one included.
        deadline_s: wall time for one answer, waiting included.
        attempt_timeout_s: wall time of one HTTP call, body included.
        first_delay_s: wait before the second call; doubles from there.
        longest_delay_s: bound of our own waits; a server's Retry-After is bound by the deadline alone.
        most_failures: HTTP calls in a row, over all callers, without any answer, before the server counts as down.
        cool_down_s: how long a server that is down is not asked.
        sleep, clock, jitter: replaced in tests; `jitter` gives a number in [0, 1).
    """

    attempts: int = 4
    deadline_s: float = 120.0
    attempt_timeout_s: float = 60.0
    first_delay_s: float = 0.5
    longest_delay_s: float = 8.0
    most_failures: int = 8
    cool_down_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        for name in ("attempts", "most_failures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 is needed")
        for name in ("deadline_s", "attempt_timeout_s", "cool_down_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; seconds above 0 are needed")

    def delay_s(self, failures: int, retry_after_s: float | None) -> float:
        """Seconds to wait after the `failures`-th failure in a row.

        What the server asked for, else between a half and the whole of an exponential step.

        A little is added to what the server asked for, so that many clients do not come back in the same instant.
        """
        if retry_after_s is not None:
            return retry_after_s + 0.25 * self.jitter()
        return self._step_s(failures - 1, self.longest_delay_s)

    def pause_s(self, refused_rounds: int) -> float:
        """Seconds that all callers pause after a refusal that did not say how long.

        Doubles with each round that was refused, so that a server that refuses everything is soon left alone.
        """
        return self._step_s(refused_rounds, LONGEST_PAUSE_S)

    def _step_s(self, doublings: int, longest_s: float) -> float:
        step = min(self.first_delay_s * 2.0 ** min(doublings, 60), longest_s)
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


SCARCE_SHARE = 0.05
"""Of what a server allows in a window: with less than that left, no call is made until so much is there again."""
LONGEST_SCARCE_S = 60.0
"""Longer pauses are taken from refusals alone: the numbers are the server's guess, and windows of a day exist."""
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)", re.ASCII)


def parse_duration(text: str) -> float | None:
    """Seconds of a duration such as `6m0s`, `1s`, `20ms`, or of a plain number; None for anything else.

    >>> parse_duration("6m0s"), parse_duration("20ms"), parse_duration("1.5"), parse_duration("soon")
    (360.0, 0.02, 1.5, None)
    """
    if len(text) > 40:
        return None
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION_PART.findall(text))
    return _number(text)


def scarce_s(headers: Mapping[str, str], under_way: int = 1) -> float:
    """How long to leave a server alone that has next to nothing left to give, by its `x-ratelimit-…` headers.

    OpenAI and many others tell for `requests` and for `tokens` the limit of the window, what remains of it, and the
    time after which all of it is there again. What is missing comes back evenly, so the wait is the part of that
    time after which `SCARCE_SHARE` of the limit is there, and one request for each call that is under way.

    Returns:
        seconds, at most `LONGEST_SCARCE_S`; 0.0 where there is enough, or nothing readable is said.

    >>> scarce_s({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0",
    ...           "x-ratelimit-reset-requests": "1m0s"})
    3.0
    """
    return max(_scarce_s(headers, "requests", under_way), _scarce_s(headers, "tokens", 1))


def _scarce_s(headers: Mapping[str, str], what: str, least: int) -> float:
    remaining = _number(headers.get(f"x-ratelimit-remaining-{what}", ""))
    reset_s = parse_duration(headers.get(f"x-ratelimit-reset-{what}", ""))
    if remaining is None or reset_s is None:
        return 0.0
    limit = _number(headers.get(f"x-ratelimit-limit-{what}", "")) or 1.0
    needed = min(limit, max(least, SCARCE_SHARE * limit))
    if remaining >= needed:
        return 0.0
    return min(reset_s * (needed - remaining) / (limit - remaining), LONGEST_SCARCE_S)


def _number(text: str) -> float | None:
    """A number from 0 up, None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
