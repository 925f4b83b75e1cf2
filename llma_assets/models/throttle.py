"""How many calls of a server may be under way at once, and from when on: as many as it takes. Knows no HTTP.

The rule is that of TCP congestion control (RFC 5681). A refusal halves what is allowed; after the pause that the
server asked for one call goes first, then twice as many for each round that was answered up to that half, and from
there one more a round. What is not needed is not added.
"""

import math
import threading
from collections.abc import Callable

from llma_assets.models.errors import CallNotMade, ModelUnavailable


class Throttle:
    """Shared by all callers of one server; safe to use from several threads.

    Each `begin` is followed by one of `answered`, `refused` and `ended`, with what `begin` gave.
    """

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """
        Args:
            clock: seconds from any origin, never falling.
            sleep: waits so many seconds on that clock.
        """
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()
        self._limit = math.inf
        self._steep_until = math.inf  # below it the limit grows by one an answer, above by one a round
        self._under_way = 0
        self._resume_at = -math.inf
        self._cuts = 0
        self._refused_rounds = 0

    @property
    def limit(self) -> float:
        """Calls that may be under way at once; infinite until the server has refused one."""
        return self._limit

    @property
    def under_way(self) -> int:
        """Calls that have begun and not ended."""
        return self._under_way

    @property
    def refused_rounds(self) -> int:
        """How often the limit has been cut by refusals since the last answer."""
        return self._refused_rounds

    def begin(self, deadline: float) -> int:
        """Wait until a call may be made, and take its place.

        Returns:
            how often the limit has been cut so far.

        Raises:
            CallNotMade: the server wants to be left alone for longer than that.
            ModelUnavailable: the calls of others took until the deadline.
        """
        while True:
            with self._changed:
                now = self._clock()
                pause = self._resume_at - now
                if pause <= 0:
                    if self._under_way + 1 <= self._limit:
                        self._under_way += 1
                        return self._cuts
                    if now >= deadline:
                        raise ModelUnavailable("no turn before the deadline; the server takes few calls", kind="busy")
                    self._changed.wait(deadline - now)
                    continue
                if self._resume_at >= deadline:
                    raise CallNotMade(
                        f"the server wants no call for {pause:.0f} s", kind="rate_limited", retry_after_s=pause
                    )
            self._sleep(pause)

    def answered(self, began: int, pause_s: float = 0.0) -> None:
        """A call was answered.

        Args:
            began: what `begin` gave.
            pause_s: how long the server has next to nothing left to give, by its own account.
        """
        with self._changed:
            self._refused_rounds = 0
            if pause_s > 0:
                self._pause(began, pause_s, keep=1.0)
            elif began == self._cuts and self._under_way + 1 > self._limit:
                self._limit += 1.0 if self._limit < self._steep_until else 1.0 / self._limit
            self._leave()

    def refused(self, began: int, pause_s: float) -> None:
        """The server answered that it was too much; it is not asked for so many seconds."""
        with self._changed:
            self._refused_rounds += began == self._cuts
            self._pause(began, pause_s, keep=0.5)
            self._leave()

    def ended(self) -> None:
        """A call ended in a way that says nothing about how many there may be."""
        with self._changed:
            self._leave()

    def _pause(self, began: int, pause_s: float, *, keep: float) -> None:
        """No call is made before the pause is over, then one by one. What began before the last cut tells no news."""
        if began == self._cuts:
            self._steep_until = max(1.0, self._under_way * keep)
            self._limit = 1.0
            self._cuts += 1
        self._resume_at = max(self._resume_at, self._clock() + pause_s)

    def _leave(self) -> None:
        self._under_way -= 1
        self._changed.notify_all()
