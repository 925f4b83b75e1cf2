"""When the next runs come: what is switched on of schedules and sensors, read beside the requests.

Dagster knows it, which takes seconds to ask: pages show what is known, and whoever starts the server says how to read
it.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from llma_assets.isolation import fault_of

log = logging.getLogger("llma_assets.web")

KEPT_FOR = timedelta(minutes=5)
DISCOVERY, TEXTS, CLUSTERS = "discovery_hourly", "texts_hourly", "clusters_daily"
NEEDED = (DISCOVERY, TEXTS, CLUSTERS)
"""The schedules that results need, in the order in which they are to be switched on."""

State = Literal["unknown", "off", "no_daemon", "on"]


@dataclass(frozen=True, slots=True)
class Timetable:
    """The schedules and sensors that are on.

    Attributes:
        next_at: when each is evaluated next, at the earliest, by name, UTC.
        daemon_runs: whether a daemon evaluates them.
    """

    next_at: Mapping[str, datetime]
    daemon_runs: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """What results need and is off."""
        return tuple(name for name in NEEDED if name not in self.next_at)


@dataclass(frozen=True, slots=True)
class NextRun:
    """What comes next for a team: at which moment which schedule; `at` is None where nothing comes by itself."""

    words: str
    at: datetime | None


@dataclass(slots=True)
class Timetables:
    """The latest known timetable; an old one is read again in a thread, and nobody waits.

    Attributes:
        read: gives the timetable, None where it cannot be known; slow.
    """

    read: Callable[[], Timetable | None] | None = None
    _known: Timetable | None = None
    _read_at: datetime | None = None
    _is_reading: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_reading(self) -> bool:
        """Whether it is being looked up."""
        return self._is_reading

    def latest(self, now: datetime) -> Timetable | None:
        """What is known; None at first, and where nothing can be."""
        with self._lock:
            is_old = self._read_at is None or now - self._read_at >= KEPT_FOR
            if self.read is not None and is_old and not self._is_reading:
                self._is_reading = True
                threading.Thread(target=self._refresh, args=(now,), daemon=True, name="timetable").start()
            return self._known

    def _refresh(self, now: datetime) -> None:
        found = None
        try:
            found = self.read() if self.read is not None else None
        # Pages say that it is not known; what is wrong with Dagster's store is nobody's request.
        except Exception as error:
            log.warning("the schedules cannot be read: %s", fault_of(error))
        with self._lock:
            self._known, self._read_at, self._is_reading = found, now, False


def state_of(timetable: Timetable | None) -> State:
    """Whether anything comes by itself."""
    if timetable is None:
        return "unknown"
    if timetable.missing == NEEDED:
        return "off"
    return "on" if timetable.daemon_runs else "no_daemon"


def next_run(timetable: Timetable | None, *, eligible: bool, left_out_for_good: bool) -> NextRun | None:
    """What comes next for a team; None where it is not known.

    Args:
        eligible: what discovery decided last.
        left_out_for_good: the settings leave the team out.
    """
    if timetable is None:
        return None
    if left_out_for_good:
        return NextRun("none: teams.toml leaves it out", None)
    if not timetable.daemon_runs:
        return NextRun("none by itself", None)
    if not eligible:
        at = timetable.next_at.get(DISCOVERY)
        return NextRun("decided again" if at else f"none: {DISCOVERY} is off", at)
    for name, words in ((CLUSTERS, "clusters"), (TEXTS, "texts")):
        if name in timetable.next_at:
            return NextRun(words, timetable.next_at[name])
    return NextRun("none by itself", None)
