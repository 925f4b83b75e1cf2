"""How Dagster's runs and daemons are doing, for metrics of whoever runs the pipeline."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Lock

import dagster as dg

from llma_assets.defs.instance import opened_instance
from llma_assets.settings import Settings

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
OPEN = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


class RunCounts:
    """Counts the runs of an installation; its instance is opened by the first call and stays open. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened = ExitStack()
        self._instance: dg.DagsterInstance | None = None
        self._lock = Lock()

    def __call__(self) -> tuple[Mapping[str, int], Mapping[str, float]]:
        """Runs by status, those that ended of the last day alone, and the age of each daemon's heartbeat in seconds."""
        with self._lock:
            if self._instance is None:
                self._instance = self._opened.enter_context(opened_instance(self._settings))
            instance = self._instance
        day_ago = datetime.now(UTC) - timedelta(days=1)
        counts = {
            **{status: instance.get_runs_count(dg.RunsFilter(statuses=[status])) for status in OPEN},
            **{
                status: instance.get_runs_count(dg.RunsFilter(statuses=[status], updated_after=day_ago))
                for status in ENDED
            },
        }
        beats = {
            name: time.time() - status.last_heartbeat.timestamp
            for name, status in instance.get_daemon_statuses().items()
            if status.last_heartbeat is not None
        }
        return {status.value.lower(): count for status, count in counts.items()}, beats
