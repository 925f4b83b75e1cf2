"""Feeds the data of an INSERT to the engine through a pipe, which the engine reads like a file.

chDB's own functions for that (`send_insert`, `insert_append`, `insert_done`) report success even if the storage
rejected the rows. INSERT … FROM INFILE raises, and can read a pipe.
"""

import fcntl
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

_CAPACITY = 1 << 20


class InsertPipe:
    """A pipe that is fed from an iterator: enter it, let the engine read `path`, leave it.

    An error of the iterator is raised on entering, or on leaving instead of the engine's error. The engine cannot tell
    whether the data ended or broke off, so its statement is aborted before the pipe is closed.
    """

    path: str

    def __init__(self, pieces: Iterator[bytes], abort: Callable[[], None]) -> None:
        """
        Args:
            pieces: the data.
            abort: ends the statement that reads the pipe, without storing more.
        """
        self._pieces = pieces
        self._abort = abort
        self._feeder: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> "InsertPipe":
        self._read_end, self._write_end = os.pipe()
        self.path = f"/dev/fd/{self._read_end}"
        try:
            self._begin(_capacity(self._write_end))
        except BaseException:
            os.close(self._write_end)
            os.close(self._read_end)
            raise
        return self

    def _begin(self, capacity: int) -> None:
        """Write data that fits into the pipe at once; start a thread for more than that."""
        head = bytearray()
        for piece in self._pieces:
            head += piece
            if len(head) > capacity:
                self._feeder = threading.Thread(target=self._feed, args=(head,), name="insert", daemon=True)
                self._feeder.start()
                return
        self._put(head)
        os.close(self._write_end)

    def _feed(self, head: bytearray) -> None:
        try:
            self._put(head)
            for piece in self._pieces:
                self._put(piece)
        except BrokenPipeError:
            pass  # the engine stopped reading and raises its own error
        except BaseException as error:
            self._error = error
            self._abort()
        finally:
            os.close(self._write_end)

    def _put(self, data: bytes | bytearray) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._write_end, left) :]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._read_end)
        if self._feeder is not None:
            self._feeder.join()
        if self._error is not None:
            raise self._error
        if kind is None:
            deque(self._pieces, maxlen=0)  # read the rest of the request, even if the format does not need it


def _capacity(descriptor: int) -> int:
    """Enlarge a pipe if possible, and return the bytes that it holds without a reader."""
    with suppress(AttributeError, PermissionError):  # not Linux, or the user has many pipes
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CAPACITY)
    try:
        return int(fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ))
    except AttributeError:
        return select.PIPE_BUF
