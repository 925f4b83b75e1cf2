"""The file of refused lines: one JSON object a line with number, reason and content."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import orjson

from llma_assets.ingest.lines import Line
from llma_assets.private_files import private_folder, private_opener

KEPT_CHARACTERS = 1000


class Refusal(Protocol):
    """Why a line was refused: a stable class, and the fault in words."""

    @property
    def reason(self) -> str: ...

    @property
    def detail(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FirstRefusal:
    """The first line that was refused.

    Attributes:
        line: its number.
        reason: the stable class of the fault.
        detail: the fault in words, with the field.
    """

    line: int
    reason: str
    detail: str


class RejectsFile:
    """Collects refused lines, and puts the file in its place whole, at the end, also when the ingest fails.

    One file an ingest, named by time; none if nothing is refused. A killed ingest leaves a hidden `.part` file, which
    the next one removes: running the source again refuses the same lines. Traces are private, so only the owner may
    read folder and file.

    Each line: `{"line": 7, "reason": "broken_json", "detail": "…", "bytes": 9, "content": "…", "cut": true}`.
    """

    def __init__(self, folder: Path | None) -> None:
        """Write into `folder`, made when needed; None writes nothing."""
        self._folder = folder
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.jsonl"
        self._file: BinaryIO | None = None
        self.path: Path | None = None
        """Where the file is or will be; None while nothing is refused."""
        self.first: FirstRefusal | None = None
        """The first refusal, also where no file is kept."""

    def __enter__(self) -> "RejectsFile":
        if self._folder is not None and self._folder.is_dir():
            _remove_abandoned(private_folder(self._folder))
        return self

    def add(self, line: Line, error: Refusal) -> None:
        """Write one refused line; its content is cut to 1,000 characters."""
        self.first = self.first or FirstRefusal(line.number, error.reason, error.detail)
        if self._folder is None:
            return
        if self._file is None:
            self.path = private_folder(self._folder) / self._name
            with _alone_in(self._folder):
                self._file = open(self._part, "xb", opener=private_opener)  # noqa: SIM115 (closed by __exit__)
                fcntl.flock(self._file, fcntl.LOCK_EX)
        # Four bytes are the longest character: enough is decoded, and never a whole trace of megabytes.
        beginning = line.content[: 4 * (KEPT_CHARACTERS + 1)].decode(errors="replace")
        record = {
            "line": line.number,
            "reason": error.reason,
            "detail": error.detail,
            "bytes": line.size,
            "content": beginning[:KEPT_CHARACTERS],
            "cut": line.too_long or len(beginning) > KEPT_CHARACTERS,
        }
        self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self.path is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self.path)
        self._file.close()

    @property
    def _part(self) -> Path:
        assert self._folder is not None
        return self._folder / f".{self._name}.part"


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody makes or removes a `.part` file meanwhile, so that none is seen before its maker holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove the `.part` files that no living process holds."""
    with _alone_in(folder):
        for part in folder.glob(".*.part"):
            with part.open("rb") as file, suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
