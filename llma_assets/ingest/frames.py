"""Files of frames, each with its length before it, as the collector's file exporter writes compressed requests."""

from collections.abc import Iterator
from typing import Final

from llma_assets.ingest.decompression import DamagedSource

LENGTH_BYTES: Final = 4
_ZSTD: Final = bytes.fromhex("28b52ffd")


class ByteReader:
    """Bytes of an iterator of chunks, taken as many as are wanted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._at = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        if len(self._held) - self._at < size:
            parts, length = [self._held[self._at :]], len(self._held) - self._at
            while length < size and (chunk := next(self._chunks, b"")):
                parts.append(chunk)
                length += len(chunk)
            self._held, self._at = b"".join(parts), 0
        return self._held[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            DamagedSource: there are fewer.
        """
        found = self.peek(size)
        if len(found) < size:
            raise DamagedSource("the file is truncated: its last message is not whole")
        self._at += size
        return found


def begins(head: bytes) -> bool:
    """Whether content begins with a length and a frame of zstd.

    >>> begins(bytes.fromhex("0000001028b52ffd")), begins(b'{"a": 1}')
    (True, False)
    """
    return head[LENGTH_BYTES:].startswith(_ZSTD)


def read_frames(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """The content of each frame.

    Raises:
        DamagedSource: a frame is truncated, corrupt or too large; those before it have been yielded.
    """
    from backports.zstd import ZstdDecompressor, ZstdError

    reader = ByteReader(chunks)
    while reader.peek(1):
        size = int.from_bytes(reader.take(LENGTH_BYTES), "big")
        if size > max_bytes:
            raise DamagedSource(f"a message of {size:,} bytes is more than the limit of {max_bytes:,}")
        try:
            decompressor = ZstdDecompressor()
            content = decompressor.decompress(reader.take(size), max_bytes)
        except ZstdError as error:
            raise DamagedSource(f"the zstd data is broken: {error}") from error
        if not decompressor.eof:
            raise DamagedSource(f"a message is cut, or has more than {max_bytes:,} bytes")
        yield content
