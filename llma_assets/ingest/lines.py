"""From a source of bytes to numbered lines of bounded length. Knows no JSON.

What the bytes are packed and written in belongs in `unpacking`, files that are not made of lines in `records`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from llma_assets.ingest.decompression import BOM, CHUNK, DamagedSource, ReadPosition, unpacked

__all__ = ["CHUNK", "DamagedSource", "Line", "Parts", "ReadPosition", "lines_of", "read_lines"]

KEPT_OF_LONG_LINE = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line end, or one object of a JSON file that is not made of lines.

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
    """Split `source` into lines; packed content and encodings are known by the first bytes (`unpacking`).

    Memory: one line and a few chunks of 1 MB.

    Args:
        source: read from where it stands, never closed; sought in only if it is a zip.
        max_line_bytes: a longer line is skimmed, not kept: its first 4 KB are given out as `too_long`.
        position: updated while reading.

    Raises:
        DamagedSource: the source is cut, broken or of another kind, or reading failed. The complete lines before
            have been given out; the incomplete one is not.
    """
    return lines_of(unpacked(source, position or ReadPosition()), max_line_bytes)


def lines_of(chunks: Iterator[bytes], max_line_bytes: int) -> Iterator[Line]:
    """As `read_lines`, of content that is unpacked."""
    number = 0
    parts = Parts(max_line_bytes)
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
            parts.add(content)
            yield parts.line(number)
        parts.add(last)
    if parts.size:
        yield parts.line(number + 1)


@dataclass(slots=True)
class Parts:
    """The line being read, put together: its parts while it is within the limit, only its beginning once it is over."""

    limit: int
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def add(self, part: bytes) -> None:
        """Take the next bytes of the line."""
        was_over = self.size > self.limit
        self.size += len(part)
        if was_over:
            return
        if part:
            self.parts.append(part)
        if self.size > self.limit + 1:  # one more for a carriage return
            self.parts = [b"".join(self.parts)[:KEPT_OF_LONG_LINE]]

    def line(self, number: int) -> Line:
        """Give out the line, without the carriage return and byte order marks, and start the next."""
        content = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        size = self.size
        self.parts, self.size = [], 0
        if size == len(content):
            content = content.removesuffix(b"\r")
            while content.startswith(BOM):  # also within: files with marks are put one after another
                content = content.removeprefix(BOM)
            size = len(content)
        if size > self.limit:
            return Line(number, content[:KEPT_OF_LONG_LINE], size, too_long=True)
        return Line(number, content, size)
