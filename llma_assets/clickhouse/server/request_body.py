"""The body of an HTTP request, by length or chunked. What it holds belongs in `request`."""

from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase

from llma_assets.clickhouse.server.errors import QueryError

_PIECE = 1 << 20
_DRAIN_LIMIT = 64 << 20


class RequestBody:
    """An iterator over the pieces of a body.

    Attributes:
        is_broken: whether the body could not be read to its end, so that the connection must be closed.
    """

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        self.is_broken = False
        self._stream = stream
        self._headers = headers
        self._pieces = self._read()

    def __iter__(self) -> Iterator[bytes]:
        """The pieces that are not read yet.

        Raises:
            QueryError: the client disconnected within the request, or the request states no valid length.
        """
        return self._pieces

    def drain(self) -> None:
        """Read the rest of the request, up to 64 MiB, so that the client gets to read the response."""
        left = _DRAIN_LIMIT
        try:
            for piece in self._pieces:
                left -= len(piece)
                if left < 0:
                    self.is_broken = True
                    return
        except (QueryError, OSError):
            self.is_broken = True

    def _read(self) -> Iterator[bytes]:
        try:
            if "chunked" in self._headers.get("Transfer-Encoding", "").lower():
                while size := int(self._stream.readline(64).split(b";")[0], 16):
                    yield from self._read_exactly(size)
                    self._stream.readline(8)
                while self._stream.readline(1 << 16).strip():
                    pass
            else:
                yield from self._read_exactly(int(self._headers.get("Content-Length") or 0))
        except ValueError:
            self.is_broken = True
            raise QueryError.of(1000, "POCO_EXCEPTION", "The request's length cannot be read") from None

    def _read_exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self._stream.read(min(size, _PIECE))
            if not piece:
                self.is_broken = True
                text = "The client closed the connection within its request"
                raise QueryError.of(210, "NETWORK_ERROR", text)
            size -= len(piece)
            yield piece
