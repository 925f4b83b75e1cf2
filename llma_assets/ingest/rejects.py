"""Writes the file of rejected lines: one JSON object a line with number, reason and content."""

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
    """Why a line was rejected: the stored name of the fault, and a sentence."""

    @property
    def reason(self) -> str: ...

    @property
    def detail(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FirstRefusal:
    """The first rejected line.

    Attributes:
        line: its number.
        reason: the stored name of the fault.
        detail: which field is wrong, and how.
    """

    line: int
    reason: str
    detail: str


class RejectsFile:
    """Collects rejected lines and publishes the file as a whole at the end, even if the ingest fails.

    There is one file for each ingest with rejected lines, named by its time. A killed ingest leaves a hidden `.part`
    file, which the next one removes: ingesting the source again rejects the same lines. Traces are private, so only
    the owner may read folder and file.

    Each line: `{"line": 7, "reason": "broken_json", "detail": "…", "bytes": 9, "content": "…", "cut": true}`.
    """

    def __init__(self, folder: Path | None) -> None:
        """Write into `folder`, which is created when needed; None writes no file."""
        self._folder = folder
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.jsonl"
        self._file: BinaryIO | None = None
        self.path: Path | None = None
        """Path of the file, None while no line is rejected."""
        self.first: FirstRefusal | None = None
        """The first rejected line, even without a file."""

    def __enter__(self) -> "RejectsFile":
        if self._folder is not None and self._folder.is_dir():
            _remove_abandoned(private_folder(self._folder))
        return self

    def add(self, line: Line, error: Refusal) -> None:
        """Write one rejected line, its content cut to 1,000 characters."""
        self.first = self.first or FirstRefusal(line.number, error.reason, error.detail)
        if self._folder is None:
            return
        if self._file is None:
            self.path = private_folder(self._folder) / self._name
            with _locked(self._folder):
                self._file = open(self._part, "xb", opener=private_opener)  # noqa: SIM115 (closed by __exit__)
                fcntl.flock(self._file, fcntl.LOCK_EX)
        # A character has at most four bytes: this decodes enough, and never a whole trace of megabytes.
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
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder, so that no `.part` file is visible before its writer has locked it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove the `.part` files that no process has locked."""
    with _locked(folder):
        for part in folder.glob(".*.part"):
            with part.open("rb") as file, suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
