"""From a source of bytes, plain or gzip, to numbered lines of bounded length. Knows no JSON."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
KEPT_OF_LONG_LINE = 4096


class DamagedSource(Exception):
    """The source ends too early or is no valid gzip; the lines before the damage have been given out."""


@dataclass(slots=True)
class ReadPosition:
    """How much has been read: `source_bytes` before and `content_bytes` after unpacking."""

    source_bytes: int = 0
    content_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line end.

    Attributes:
        number: from 1.
        content: the bytes of the line; of a line over the limit only its beginning.
        size: bytes of the whole line.
        too_long: the line was over the limit.
    """

    number: int
    content: bytes
    size: int
    too_long: bool = False


def read_lines(source: BinaryIO, max_line_bytes: int, position: ReadPosition | None = None) -> Iterator[Line]:
    """Split `source` into lines; gzip is known by its first bytes. Memory: one line and a few chunks of 1 MB.

    Args:
        source: read from where it stands, never sought and never closed.
        max_line_bytes: a longer line is skimmed, not kept: its first 4 KB are given out as `too_long`.
        position: updated while reading.

    Raises:
        DamagedSource: the source is a truncated or broken gzip, or reading failed. The complete lines before
            have been given out; the incomplete one is not.
    """
    at = position if position is not None else ReadPosition()
    number = 0
    parts = _Parts(max_line_bytes)
    for chunk in _content(source, at):
        at.content_bytes += len(chunk)
        first, newline, rest = chunk.partition(b"\n")
        parts.add(first)
        if not newline:
            continue
        number += 1
        yield parts.line(number)
        *complete, last = rest.split(b"\n")
        for content in complete:
            number += 1
            parts.add(content)
            yield parts.line(number)
        parts.add(last)
    if parts.size:
        yield parts.line(number + 1)


@dataclass(slots=True)
class _Parts:
    """The line being read: its parts while it is within the limit, only its beginning once it is over."""

    limit: int
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def add(self, part: bytes) -> None:
        was_over = self.size > self.limit
        self.size += len(part)
        if was_over:
            return
        if part:
            self.parts.append(part)
        if self.size > self.limit + 1:  # one more for a carriage return
            self.parts = [b"".join(self.parts)[:KEPT_OF_LONG_LINE]]

    def line(self, number: int) -> Line:
        """Give out the line, without the carriage return and the byte order mark, and start the next."""
        content = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        size = self.size
        self.parts, self.size = [], 0
        if size == len(content):
            content = content.removesuffix(b"\r")
            if number == 1:
                content = content.removeprefix(b"\xef\xbb\xbf")
            size = len(content)
        if size > self.limit:
            return Line(number, content[:KEPT_OF_LONG_LINE], size, too_long=True)
        return Line(number, content, size)


def _content(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    """The unpacked content of `source` in chunks of at most about 1 MB."""
    chunks = _chunks(source, position)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(GZIP_MAGIC):
            break
    if head.startswith(GZIP_MAGIC):
        yield from _gunzip(head, chunks)
        return
    if head:
        yield head
    yield from chunks


def _chunks(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    while True:
        try:
            chunk = source.read(CHUNK)
        except OSError as error:
            raise DamagedSource(f"reading failed after {position.source_bytes:,} bytes: {error}") from error
        if not chunk:
            return
        position.source_bytes += len(chunk)
        yield chunk


def _gunzip(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack a gzip file of any number of members, at most `CHUNK` bytes at a time whatever the ratio."""
    unpacker = zlib.decompressobj(wbits=31)
    packed = head
    while True:
        if unpacker.eof:
            packed = packed.lstrip(b"\0")  # padding between and after members is allowed
            if packed:
                unpacker = zlib.decompressobj(wbits=31)
        if not packed:
            packed = next(chunks, b"")
            if not packed:
                break
            continue
        try:
            content = unpacker.decompress(packed, CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if content:
            yield content
        packed = unpacker.unconsumed_tail or unpacker.unused_data
    while not unpacker.eof:
        try:
            content = unpacker.decompress(b"", CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if not content:
            raise DamagedSource("the gzip file is truncated")
        yield content
