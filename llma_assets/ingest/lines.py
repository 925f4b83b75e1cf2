"""Splits a source of bytes into numbered lines of bounded length. JSON is not known here.

Compression and encoding belong in `decompression`, files that are not made of lines in `records`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from llma_assets.ingest.decompression import BOM, CHUNK, DamagedSource, ReadPosition, decompressed

__all__ = ["CHUNK", "DamagedSource", "Line", "LineBuffer", "ReadPosition", "lines_of", "read_lines"]

KEPT_OF_LONG_LINE = 4096


class Line(NamedTuple):
    """One line without its line end, or one record of a JSON file that is not made of lines.

    Attributes:
        number: number of the line, from 1.
        content: the bytes of the line; only the beginning of a line over the limit.
        size: number of bytes of the whole line.
        too_long: whether the line is over the limit.
    """

    number: int
    content: bytes
    size: int
    too_long: bool = False


def read_lines(source: BinaryIO, max_line_bytes: int, position: ReadPosition | None = None) -> Iterator[Line]:
    """Split `source` into lines; the first bytes tell compression and encoding (`decompression`).

    Memory: one line and a few chunks of 1 MB.

    Args:
        source: read from its current position and not closed; must be seekable only for a zip.
        max_line_bytes: of a longer line only the first 4 KB are kept, marked `too_long`.
        position: updated while reading.

    Raises:
        DamagedSource: the source is truncated, corrupt, unreadable or of another file format. Complete lines before the
            damage have been yielded.
    """
    return lines_of(decompressed(source, position or ReadPosition()), max_line_bytes)


def lines_of(chunks: Iterator[bytes], max_line_bytes: int) -> Iterator[Line]:
    """As `read_lines`, for decompressed content."""
    number = 0
    parts = LineBuffer(max_line_bytes)
    for chunk in chunks:
        first, newline, rest = chunk.partition(b"\n")
        parts.add(first)
        if not newline:
            continue
        number += 1
        yield parts.line(number)
        *complete, last = rest.split(b"\n")
        for content in complete:
            number += 1
            if len(content) <= max_line_bytes and not content.endswith(b"\r") and not content.startswith(BOM):
                yield Line(number, content, len(content))
                continue
            parts.add(content)
            yield parts.line(number)
        parts.add(last)
    if parts.size:
        yield parts.line(number + 1)


@dataclass(slots=True)
class LineBuffer:
    """Collects the parts of the current line; once it is over the limit, only its beginning."""

    limit: int
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def add(self, part: bytes) -> None:
        """Append bytes to the line."""
        was_over = self.size > self.limit
        self.size += len(part)
        if was_over:
            return
        if part:
            self.parts.append(part)
        if self.size > self.limit + 1:  # the limit does not count a carriage return
            self.parts = [b"".join(self.parts)[:KEPT_OF_LONG_LINE]]

    def line(self, number: int) -> Line:
        """Return the line without carriage return and byte order marks, and start the next one."""
        content = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        size = self.size
        self.parts, self.size = [], 0
        if size == len(content):
            content = content.removesuffix(b"\r")
            while content.startswith(BOM):  # also inside a file, where files with a mark were concatenated
                content = content.removeprefix(BOM)
            size = len(content)
        if size > self.limit:
            return Line(number, content[:KEPT_OF_LONG_LINE], size, too_long=True)
        return Line(number, content, size)
