"""What the rooms log, shown in the run: they log by Python's own means, since they know no Dagster."""

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
def shown_in_the_run(log: logging.Logger) -> Iterator[None]:
    """While it is open, what the rooms log goes to the log of a run; nothing does twice."""
    handler = _ToRun(log)
    ROOMS.addHandler(handler)
    try:
        yield
    finally:
        ROOMS.removeHandler(handler)
