"""Status of the schedules and sensors of an instance, and switching them on and off.

It does what the switches of the UI do, without a web server. The schedules and sensors themselves belong in
`schedules.py` and `sensors`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import dagster as dg
from dagster._core.remote_representation.external import RemoteSchedule, RemoteSensor
from dagster._core.remote_representation.external_data import ScheduleSnap, SensorSnap
from dagster._core.remote_representation.handle import RepositoryHandle
from dagster._core.workspace.load import location_origins_from_yaml_paths

DAEMON_IS_GONE_AFTER = timedelta(minutes=2)
"""The daemon sends a heartbeat every half minute."""


class UnknownAutomationError(LookupError):
    """An unknown schedule or sensor; the message lists the known ones."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One evaluation of a schedule or sensor.

    Attributes:
        at: when it began.
        status: `started`, `skipped`, `success` or `failure`.
        runs: how many runs it asked for.
        detail: why it was skipped, or what failed; "" for none.
    """

    at: datetime
    status: str
    runs: int
    detail: str


@dataclass(frozen=True, slots=True)
class Automation:
    """A schedule or a sensor as an instance has it.

    Attributes:
        name: its name.
        kind: `schedule` or `sensor`.
        is_on: whether the daemon evaluates it.
        when: how often, in words: cron and time zone, or an interval.
        description: what it does, and what it needs.
        last_tick: the latest evaluation, None before the first.
        next_tick: when it is evaluated again, at the earliest; None where it is off.
    """

    name: str
    kind: str
    is_on: bool
    when: str
    description: str
    last_tick: Tick | None
    next_tick: datetime | None


class Automations:
    """The schedules and sensors of the definitions, on an instance."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions) -> None:
        self._instance = instance
        repository = definitions.get_repository_def()
        with resources.as_file(resources.files("llma_assets") / "workspace.yaml") as workspace:
            (origin,) = location_origins_from_yaml_paths([str(workspace)])
        # Dagster stores the state under the name of the code location, so it must be that of the workspace.
        handle = RepositoryHandle(
            repository_name=repository.name,
            code_location_origin=origin,
            repository_python_origin=None,
            display_metadata={},
        )
        schedules = sorted(repository.schedule_defs, key=lambda each: each.name)
        sensors = sorted(repository.sensor_defs, key=lambda each: each.name)
        self._all: dict[str, RemoteSchedule | RemoteSensor] = {
            **{each.name: RemoteSchedule(ScheduleSnap.from_def(each, repository), handle) for each in schedules},
            **{each.name: RemoteSensor(SensorSnap.from_def(each, repository), handle) for each in sensors},
        }

    @property
    def names(self) -> Sequence[str]:
        """All names, schedules first."""
        return tuple(self._all)

    def status(self, now: datetime, names: Collection[str] = ()) -> list[Automation]:
        """Their status; all of them without names.

        Raises:
            UnknownAutomationError: an unknown name.
        """
        return [self._one(each, now) for each in self._named(names or self.names)]

    def switch(self, names: Collection[str], *, on: bool) -> list[str]:
        """Switch them on or off.

        Returns:
            the names of those whose state changed.

        Raises:
            UnknownAutomationError: an unknown name; nothing is switched.
        """
        changed = []
        for each in self._named(names):
            if self._state(each).is_running == on:
                continue
            self._start(each) if on else self._stop(each)
            changed.append(each.name)
        return changed

    def daemon_seen_at(self) -> datetime | None:
        """The last heartbeat of a daemon; None if there was none."""
        beats = self._instance.get_daemon_heartbeats()
        return max((datetime.fromtimestamp(beat.timestamp, UTC) for beat in beats.values()), default=None)

    def _named(self, names: Collection[str]) -> list[RemoteSchedule | RemoteSensor]:
        if unknown := [name for name in dict.fromkeys(names) if name not in self._all]:
            raise UnknownAutomationError(
                f"no schedule or sensor is called {', '.join(unknown)}; known: {', '.join(self._all)}"
            )
        return [self._all[name] for name in dict.fromkeys(names)]

    def _state(self, each: RemoteSchedule | RemoteSensor) -> Any:
        stored = self._instance.get_instigator_state(each.get_remote_origin_id(), each.selector_id)
        return each.get_current_instigator_state(stored)

    def _start(self, each: RemoteSchedule | RemoteSensor) -> None:
        if isinstance(each, RemoteSchedule):
            self._instance.start_schedule(each)
        else:
            self._instance.start_sensor(each)

    def _stop(self, each: RemoteSchedule | RemoteSensor) -> None:
        if isinstance(each, RemoteSchedule):
            self._instance.stop_schedule(each.get_remote_origin_id(), each.selector_id, each)
        else:
            self._instance.stop_sensor(each.get_remote_origin_id(), each.selector_id, each)

    def _one(self, each: RemoteSchedule | RemoteSensor, now: datetime) -> Automation:
        is_on = self._state(each).is_running
        ticks = self._instance.get_ticks(each.get_remote_origin_id(), each.selector_id, limit=1)
        last = _tick(ticks[0]) if ticks else None
        if isinstance(each, RemoteSchedule):
            kind, when = "schedule", f"{each.cron_schedule} {each.execution_timezone or 'UTC'}"
            following = next(each.execution_time_iterator(now.timestamp())).astimezone(UTC)
        else:
            interval = timedelta(seconds=each.min_interval_seconds)
            kind, when = "sensor", f"every {interval.total_seconds() / 60:g} minutes"
            following = max(now, last.at + interval) if last else now
        return Automation(each.name, kind, is_on, when, each.description or "", last, following if is_on else None)


def _tick(tick: Any) -> Tick:
    error = tick.error
    while error is not None and error.cause is not None:
        error = error.cause
    detail = error.message if error is not None else tick.skip_reason or ""
    at = datetime.fromtimestamp(tick.timestamp, UTC)
    return Tick(at, tick.status.value.lower(), len(tick.run_ids), " ".join(detail.split()))
