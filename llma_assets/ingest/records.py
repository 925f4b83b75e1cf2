"""From a source of bytes to numbered records: lines, or the objects of a JSON file that is not made of lines.

What a record means belongs in `parsing`: here only brackets and strings are told apart.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from llma_assets.ingest.decompression import BOM, CHUNK, DamagedSource, ReadPosition, peeked, unpacked
from llma_assets.ingest.lines import Line, Parts, lines_of

_BLANK = b" \t\r\n"

_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""Over whole strings to the next bracket, or to a string that this text does not end."""

_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_IN_SCALAR = re.compile(rb"[^ \t\r\n,\]]*+")
_BETWEEN = re.compile(rb"[ \t\r\n,\xef\xbb\xbf]*+")


def read_records(source: BinaryIO, max_record_bytes: int, position: ReadPosition | None = None) -> Iterator[Line]:
    """As `read_lines`; but from a JSON array its elements, and of objects over several lines each as one record.

    Such records are counted from 1, too. A file is one of lines unless it begins with a bracket, or with a line that
    leaves an object open as those who indent JSON write it.
    """
    head, chunks = peeked(unpacked(source, position or ReadPosition()), _has_first_line)
    first_line, newline, _ = head.lstrip(_BLANK + BOM).partition(b"\n")
    is_open = first_line.startswith(b"{") and newline and first_line.rstrip(_BLANK).endswith((b"{", b"[", b",", b":"))
    if first_line.startswith(b"[") or is_open:
        return _Values(max_record_bytes).read(chunks)
    return lines_of(chunks, max_record_bytes)


def _has_first_line(head: bytes) -> bool:
    return len(head) > CHUNK or b"\n" in head.lstrip(_BLANK + BOM)


class _Values:
    """Cuts a text into its JSON values, one after another, and the arrays at its top into their elements."""

    def __init__(self, max_record_bytes: int) -> None:
        self._parts = Parts(max_record_bytes)
        self._number = 0
        self._depth = 0  # of brackets within the record
        self._in_record = self._in_string = self._in_scalar = self._in_array = False

    def read(self, chunks: Iterator[bytes]) -> Iterator[Line]:
        """The records.

        Raises:
            DamagedSource: the text ends within an object or its array; what was complete has been given out.
        """
        rest = b""
        for chunk in chunks:
            text = rest + chunk
            start = at = 0
            while at < len(text):
                if not self._in_record:
                    at = start = self._next_record(text, at)
                    continue
                before, at = at, self._next_mark(text, at)
                if at == before and self._in_string:
                    break
                if not (self._depth or self._in_string or self._in_scalar):
                    self._parts.add(text[start:at])
                    yield self._record()
            rest = text[at:]  # a backslash, to be looked at with what it escapes
            if self._in_record:
                self._parts.add(text[start:at])
        if self._depth or self._in_string:
            raise DamagedSource("the file is truncated: its last object is not closed")
        if self._in_record:
            yield self._record()
        if self._in_array:
            raise DamagedSource("the file is truncated: its array is not closed")

    def _record(self) -> Line:
        self._number += 1
        self._in_record = False
        return self._parts.line(self._number)

    def _next_record(self, text: bytes, at: int) -> int:
        """Behind what stands between two records: where one begins, or behind a bracket of the array."""
        at = _end(_BETWEEN, text, at)
        mark = text[at : at + 1]
        if mark and mark == (b"]" if self._in_array else b"["):
            self._in_array = not self._in_array
            return at + 1
        self._in_record = bool(mark)
        return at

    def _next_mark(self, text: bytes, at: int) -> int:
        """Behind the next bracket, or the end of a string or scalar, of the record; or as far as this text goes."""
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
    """Where what the pattern matches from `at` ends; all of them match at least nothing."""
    match = pattern.match(text, at)
    assert match is not None
    return match.end()
