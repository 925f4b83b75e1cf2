"""Shows log records of the rooms in the Dagster run; the rooms use `logging`, and do not import Dagster."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

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


@dg.logger(
    config_schema={
        "log_level": dg.Field(str, is_required=False, default_value="INFO"),
        "name": dg.Field(str, is_required=False, default_value="dagster"),
    },
    description="Lines of JSON on stderr (LLMA_LOG=json).",
)
def json_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """The console logger of runs where the environment asks for JSON."""
    logger = logging.Logger(context.logger_config["name"], context.logger_config["log_level"].upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(DagsterJsonLines())
    logger.addHandler(handler)
    return logger


def loggers_of(environ: Mapping[str, str]) -> dict[str, dg.LoggerDefinition]:
    """The loggers of runs: Dagster's own, unless the environment asks for JSON."""
    return {"console": json_lines} if wants_json(environ) else {}
