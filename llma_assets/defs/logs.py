"""Shows log records of the rooms in the Dagster run; the rooms use `logging`, and do not import Dagster."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster._loggers

from llma_assets.log_lines import JsonLines, about, wants_json

ROOMS = logging.getLogger("llma_assets")
PARTITION_TAG, TEAM_TAG, DAY_TAG = "dagster/partition", "dagster/partition/team", "dagster/partition/date"


class _ToRun(logging.Handler):
    def __init__(self, log: logging.Logger) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


@contextmanager
def logged_in_run(log: logging.Logger, **fields: str | int) -> Iterator[None]:
    """Copy log records of the rooms to the log of a run while the context is open.

    Args:
        fields: what they are about, for lines of JSON.
    """
    handler = _ToRun(log)
    ROOMS.addHandler(handler)
    try:
        with about(**fields):
            yield
    finally:
        ROOMS.removeHandler(handler)


class DagsterJsonLines(JsonLines):
    """Records of a run: Dagster's own ones, too, carry the run, and its team and day where it has one partition."""

    def fields(self, _record: logging.LogRecord) -> dict[str, str | int]:
        """What Dagster knows, and what the stage says."""
        known = getattr(_record, "dagster_meta", None) or {}
        tags = known.get("job_tags") or {}
        found: dict[str, str | int] = {}
        if known.get("run_id"):
            found["run"] = str(known["run_id"])
        if known.get("step_key"):
            found["stage"] = str(known["step_key"])
        if str(tags.get(TEAM_TAG, "")).isdigit():
            found["team"] = int(tags[TEAM_TAG])
        if tags.get(DAY_TAG):
            found["day"] = str(tags[DAY_TAG])
        return found | super().fields(_record)

    def message(self, record: logging.LogRecord) -> str:
        """Without the names that Dagster puts before it, which are fields here."""
        known = getattr(record, "dagster_meta", None) or {}
        return str(known.get("orig_message") or record.getMessage())


def write_runs_as_json(environ: Mapping[str, str]) -> bool:
    """Let runs of this process write lines of JSON to stderr, if the environment asks for it.

    Returns:
        whether it does.
    """
    if not wants_json(environ):
        return False
    # Dagster has no setting for the console logger of every run: those of a job need an entry in each run's config.
    dagster._loggers.create_console_logger = _json_console  # type: ignore[attr-defined]
    return True


def _json_console(name: str, level: str | int) -> logging.Logger:
    logger = logging.Logger(name, level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(DagsterJsonLines())
    logger.addHandler(handler)
    return logger
