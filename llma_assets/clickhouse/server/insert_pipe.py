"""Bytes that come piece by piece, as a file that the engine reads while they come.

chDB's own way to push the data of an INSERT (`send_insert`, `insert_append`, `insert_done`) reports success also
where storage refused the rows. INSERT … FROM INFILE raises, and reads a pipe as it reads a file.
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


class Pipe:
    """A pipe that is fed from an iterator; enter it, have the engine read `path`, leave it.

    What the iterator raises is raised on entering, or on leaving in place of what the engine made of it. The end of a
    pipe looks alike whether the data is complete or not, so the engine is told to give up before it can see one.
    """

    path: str

    def __init__(self, pieces: Iterator[bytes], give_up: Callable[[], None]) -> None:
        """
        Args:
            pieces: the data.
            give_up: ends the statement that reads it, without storing more.
        """
        self._pieces = pieces
        self._give_up = give_up
        self._feeder: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> "Pipe":
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
        """Put little data in at once; more than fits is left to a thread, which then knows that the engine reads."""
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
            pass  # the engine reads no more, and says why
        except BaseException as error:
            self._error = error
            self._give_up()
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
            deque(self._pieces, maxlen=0)  # what a format leaves unread belongs to the request all the same


def _capacity(descriptor: int) -> int:
    """Enlarge a pipe where that is possible, and say how much it takes while nobody reads."""
    with suppress(AttributeError, PermissionError):  # not Linux, or the user has many pipes
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CAPACITY)
    try:
        return int(fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ))
    except AttributeError:
        return select.PIPE_BUF
