"""Log records as lines of JSON, each with the run, stage, team and day that it is about; for collectors of logs.

What is logged is decided where it is logged. `LLMA_LOG=json` switches this on; Dagster's runs take it from
`defs.logs`.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

LOG_VARIABLE = "LLMA_LOG"
ROOT = "llma_assets"

_lock = threading.Lock()
_about: list[dict[str, str | int]] = []
"""What the process works on: a list, because a run may work on several partitions in threads."""


def wants_json(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment asks for lines of JSON."""
    return environ.get(LOG_VARIABLE, "").strip().lower() == "json"


@contextmanager
def about(**fields: str | int) -> Iterator[None]:
    """What records are about while the context is open, in threads of the process, too.

    Where two such contexts are open at once, a record carries only what they agree on: a wrong team is worse than none.
    """
    with _lock:
        _about.append(fields)
    try:
        yield
    finally:
        with _lock:
            _about.remove(fields)


def present() -> dict[str, str | int]:
    """What all open contexts agree on."""
    with _lock:
        opened = [dict(each) for each in _about]
    if not opened:
        return {}
    return {
        name: value
        for name, value in opened[0].items()
        if all(name in each and each[name] == value for each in opened[1:])
    }


class JsonLines(logging.Formatter):
    """One record as one line: time (UTC), level, logger, message, and `run`, `stage`, `team`, `day` where known."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self.fields(record),
            "message": self.message(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)

    def fields(self, _record: logging.LogRecord) -> dict[str, str | int]:
        """What the record is about."""
        return present()

    def message(self, record: logging.LogRecord) -> str:
        """Its words."""
        return record.getMessage()


def log_to_stderr(environ: Mapping[str, str] = os.environ) -> bool:
    """Write the records of this process as lines of JSON to stderr, if the environment asks for it.

    Returns:
        whether it does.
    """
    if not wants_json(environ):
        return False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    ours = logging.getLogger(ROOT)
    ours.setLevel(logging.INFO)
    for name in (ROOT, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [each for each in logger.handlers if not isinstance(each.formatter, JsonLines)]
        logger.addHandler(handler)
        logger.propagate = False
    return True
