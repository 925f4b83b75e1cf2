"""What a finder of private values gives back, and the copy of a text in which it looks. Finds nothing itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_ALIKE: Final[dict[int, int | str | None]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
    **dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63), "-"),
    **{0x660 + n: str(n) for n in range(10)}, **{0x6F0 + n: str(n) for n in range(10)},
    **{0x966 + n: str(n) for n in range(10)}, **{0x9E6 + n: str(n) for n in range(10)},
}  # fmt: skip
"""Digits, signs and blanks that a reader takes for those of ASCII: full-width, Arabic, Persian, Hindi, Bengali."""

_ESCAPE: Final = re.compile(r"\\{1,16}(?:u([0-9a-fA-F]{4})|[nrtbf\"'/])")


@dataclass(frozen=True, slots=True)
class Span:
    """A private value in a text.

    Attributes:
        start: of its first character.
        end: behind its last character.
        kind: what its placeholder is called.
        value: one spelling for all its spellings, so that each has the same number.
    """

    start: int
    end: int
    kind: str
    value: str


def shadow_of(text: str) -> str:
    r"""A copy of the same length: escapes of JSON inside JSON are what they stand for, and look-alikes are ASCII.

    In `\nalice@example.com` the `n` is no letter of the address.

    >>> shadow_of('to:\\nbob, \\"x\\", https:\\/\\/y')
    'to:  bob, ""x"", https:////y'
    """
    if not text.isascii():
        text = text.translate(_ALIKE)
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(found: re.Match[str]) -> str:
    escape = found.group()
    last = escape[-1]
    if found.group(1):
        sign = chr(int(found.group(1), 16)).translate(_ALIKE)
        last = sign if sign.isprintable() and not (sign.isascii() and sign.isalpha()) and sign not in "<>&" else " "
    return (last if found.group(1) or last in "\"'/" else " ") * len(escape)


def apart(spans: Iterable[Span]) -> list[Span]:
    """`spans`, given in order of precedence, in order of place; those that overlap become one of the first's kind.

    Nothing that a span covers is left uncovered.
    """
    ranked = sorted(enumerate(spans), key=lambda pair: (pair[1].start, pair[0]))
    merged: list[tuple[int, Span]] = []
    for rank, span in ranked:
        if not merged or span.start >= merged[-1][1].end:
            merged.append((rank, span))
            continue
        last_rank, last = merged[-1]
        best_rank, best = (rank, span) if rank < last_rank else (last_rank, last)
        merged[-1] = best_rank, Span(last.start, max(last.end, span.end), best.kind, best.value)
    return [span for _, span in merged]
