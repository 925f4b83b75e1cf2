"""Shows log records of the rooms in the Dagster run; the rooms use `logging`, and do not import Dagster."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

ROOMS = logging.getLogger("llma_assets")


class _ToRun(logging.Handler):
    def __init__(self, log: logging.Logger) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


@contextmanager
def logged_in_run(log: logging.Logger) -> Iterator[None]:
    """Copy log records of the rooms to the log of a run while the context is open."""
    handler = _ToRun(log)
    ROOMS.addHandler(handler)
    try:
        yield
    finally:
        ROOMS.removeHandler(handler)
