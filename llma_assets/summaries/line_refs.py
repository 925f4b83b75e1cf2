"""References to lines of a numbered text: their format, and which of them are valid.

A reference is `L12` or `L12-18`; a string may hold several, separated by commas. Numbers are written as the text
writes them, with its leading zeros, so that a reference can be searched for in the text.
"""

import re
from dataclasses import dataclass

MAX_REFS = 8
"""References kept for one point."""

_LINE = re.compile(r"^L(\d+):", re.MULTILINE)
_SEPARATOR = re.compile(r"[,;:\s]+")  # a colon: models copy `L12:` as the text has it
_REF = re.compile(r"\[?[Ll](\d{1,9})(?:[-–—][Ll]?(\d{1,9}))?\]?")
_SPACED_RANGE = re.compile(r"\s*([-–—])\s*")


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """The line numbers of one text, and how many digits they are written with."""

    numbers: frozenset[int]
    width: int

    @classmethod
    def of(cls, text: str) -> "LineNumbers":
        """Read the numbers of a text whose lines begin with `L01: `; gaps are allowed.

        >>> LineNumbers.of("L01: a\\nL02: \\nL10: b").numbers == {1, 2, 10}
        True
        """
        found = _LINE.findall(text)
        return cls(frozenset(map(int, found)), max(map(len, found), default=1))

    def ref(self, first: int, last: int | None = None) -> str:
        """The reference to a line, or to a range of lines."""
        start = f"L{first:0{self.width}d}"
        return start if last is None or last == first else f"{start}-{last:0{self.width}d}"


@dataclass(frozen=True, slots=True)
class CheckedRefs:
    """The result of checking a string of references: `text` holds the `valid` ones of `total`."""

    text: str
    total: int
    valid: int


def check_refs(line_refs: str, lines: LineNumbers) -> CheckedRefs:
    """Keep each reference whose first and last line exist in the text, once, and count all.

    >>> check_refs("L2, L4-9, see above", LineNumbers.of("L1: a\\nL2: b\\nL3: c")).text
    'L2'
    """
    wanted = [part for part in _SEPARATOR.split(_SPACED_RANGE.sub(r"\1", line_refs.strip())) if part]
    kept: list[str] = []
    for part in wanted:
        match = _REF.fullmatch(part)
        if match is None:
            continue
        first, last = int(match[1]), int(match[2] or match[1])
        if first <= last and first in lines.numbers and last in lines.numbers:
            kept.append(lines.ref(first, last))
    return CheckedRefs(", ".join(list(dict.fromkeys(kept))[:MAX_REFS]), len(wanted), len(kept))
