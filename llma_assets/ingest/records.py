"""Splits a source of bytes into numbered records: lines, or the objects of a JSON file that is not made of lines.

Parsing a record belongs in `parsing`: here only brackets, strings and scalars are distinguished.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from llma_assets.ingest.brackets import Brackets, brackets_of
from llma_assets.ingest.decompression import BOM, CHUNK, DamagedSource, ReadPosition, decompressed, peeked
from llma_assets.ingest.lines import Line, LineBuffer, lines_of

_BLANK = b" \t\r\n"

_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""Up to the next bracket outside strings, or to a string that does not end in this text."""

_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_IN_SCALAR = re.compile(rb"[^ \t\r\n,\]]*+")
_BETWEEN = re.compile(rb"[ \t\r\n,\xef\xbb\xbf]*+")


def read_records(source: BinaryIO, max_record_bytes: int, position: ReadPosition | None = None) -> Iterator[Line]:
    """As `read_lines`, but the elements of a JSON array, and objects over several lines, are one record each.

    Records are numbered from 1. A file is made of lines unless it begins with a bracket, or with the first line of an
    indented object.
    """
    return records_of(decompressed(source, position or ReadPosition()), max_record_bytes)


def records_of(chunks: Iterator[bytes], max_record_bytes: int) -> Iterator[Line]:
    """As `read_records`, for decompressed content."""
    head, chunks = peeked(chunks, _has_first_line)
    first_line, newline, _ = head.lstrip(_BLANK + BOM).partition(b"\n")
    is_open = first_line.startswith(b"{") and newline and first_line.rstrip(_BLANK).endswith((b"{", b"[", b",", b":"))
    if first_line.startswith(b"[") or is_open:
        return _Values(max_record_bytes).read(chunks)
    return lines_of(chunks, max_record_bytes)


def _has_first_line(head: bytes) -> bool:
    return len(head) > CHUNK or b"\n" in head.lstrip(_BLANK + BOM)


class _Values:
    """Splits a text into JSON values, and top-level arrays into their elements."""

    def __init__(self, max_record_bytes: int) -> None:
        self._parts = LineBuffer(max_record_bytes)
        self._number = 0
        self._depth = 0  # of brackets inside the record
        self._in_record = self._in_string = self._in_scalar = self._in_array = False

    def read(self, chunks: Iterator[bytes]) -> Iterator[Line]:
        """The records.

        Raises:
            DamagedSource: the text ends inside an object or an array; complete records have been yielded.
        """
        rest = b""
        for chunk in chunks:
            text = rest + chunk
            start = at = 0
            brackets, is_looked_at = None, False
            while at < len(text):
                if not self._in_record:
                    at = start = self._next_record(text, at)
                    continue
                if not (is_looked_at or self._in_scalar or text.endswith(b"\\")):
                    brackets, is_looked_at = brackets_of(text, at, self._in_string), True
                if brackets is not None and not self._is_value(text, at):
                    at = self._end_or_rest(brackets, text, at)
                else:
                    # One by one: brackets were counted from the begin, and a value beside them may be no JSON.
                    brackets = None
                    before, at = at, self._next_mark(text, at)
                    if at == before and self._in_string:
                        break
                if not (self._depth or self._in_string or self._in_scalar):
                    self._parts.add(text[start:at])
                    yield self._record()
            rest = text[at:]  # a backslash, which is read together with the next character
            if self._in_record:
                self._parts.add(text[start:at])
        if self._depth or self._in_string:
            raise DamagedSource("the file is truncated: its last object is not closed")
        if self._in_record:
            yield self._record()
        if self._in_array:
            raise DamagedSource("the file is truncated: its array is not closed")

    def _is_value(self, text: bytes, at: int) -> bool:
        """Whether a value begins that is neither object nor array."""
        return not (self._depth or self._in_string) and text[at : at + 1] not in (b"{", b"[")

    def _end_or_rest(self, brackets: Brackets, text: bytes, at: int) -> int:
        """Index after the record, or of the end of the text."""
        end = brackets.end(at, self._depth)
        if end:
            self._depth, self._in_string = 0, False
            return end
        self._depth, self._in_string = brackets.open_at_end(at, self._depth), brackets.in_string
        return len(text)

    def _record(self) -> Line:
        self._number += 1
        self._in_record = False
        return self._parts.line(self._number)

    def _next_record(self, text: bytes, at: int) -> int:
        """Index of the next record, or after a bracket of the array."""
        at = _end(_BETWEEN, text, at)
        mark = text[at : at + 1]
        if mark and mark == (b"]" if self._in_array else b"["):
            self._in_array = not self._in_array
            return at + 1
        self._in_record = bool(mark)
        return at

    def _next_mark(self, text: bytes, at: int) -> int:
        """Index after the record's next bracket or end of a string or scalar; the end of the text if there is none."""
        if self._in_string:
            at = _end(_IN_STRING, text, at)
            self._in_string = text[at : at + 1] != b'"'
            return at if self._in_string else at + 1
        if not self._depth and text[at : at + 1] not in (b"{", b"["):
            is_new, self._in_scalar = not self._in_scalar, True
            if is_new and text[at : at + 1] == b'"':
                self._in_scalar, self._in_string = False, True
                return at + 1
            at = _end(_IN_SCALAR, text, at + is_new)
            self._in_scalar = at == len(text)
            return at
        at = _end(_TO_BRACKET, text, at)
        mark = text[at : at + 1]
        self._in_string = mark == b'"'
        if mark:
            self._depth += (mark in b"{[") - (mark in b"}]")
        return at + len(mark)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """End of the pattern's match at `at`; each of the patterns matches the empty text."""
    match = pattern.match(text, at)
    assert match is not None
    return match.end()
