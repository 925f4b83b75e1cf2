"""`Span`, the result of every recogniser, and `normalise`, which makes the text that they search."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LOOK_ALIKES: Final[dict[int, int | str | None]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
    **dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63), "-"),
    **{0x660 + n: str(n) for n in range(10)}, **{0x6F0 + n: str(n) for n in range(10)},
    **{0x966 + n: str(n) for n in range(10)}, **{0x9E6 + n: str(n) for n in range(10)},
}  # fmt: skip
"""Digits, signs and spaces that look like ASCII: full-width, Arabic, Persian, Hindi, Bengali."""

_ESCAPE: Final = re.compile(r"\\{1,16}(?:u([0-9a-fA-F]{4})|[nrtbf\"'/])")


@dataclass(frozen=True, slots=True)
class Span:
    """A private value in a text.

    Attributes:
        start: index of its first character.
        end: index after its last character.
        kind: name of its placeholder.
        value: a canonical spelling, so that all spellings of a value get the same number.
    """

    start: int
    end: int
    kind: str
    value: str


def normalise(text: str) -> str:
    r"""A copy of the same length with escapes of JSON in JSON decoded and look-alikes as ASCII.

    Otherwise the `n` in `\nalice@example.com` would be a letter of the address.

    >>> normalise('to:\\nbob, \\"x\\", https:\\/\\/y')
    'to:  bob, ""x"", https:////y'
    """
    if not text.isascii():
        text = text.translate(_LOOK_ALIKES)
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(found: re.Match[str]) -> str:
    escape = found.group()
    last = escape[-1]
    if found.group(1):
        sign = chr(int(found.group(1), 16)).translate(_LOOK_ALIKES)
        last = sign if sign.isprintable() and not (sign.isascii() and sign.isalpha()) and sign not in "<>&" else " "
    return (last if found.group(1) or last in "\"'/" else " ") * len(escape)


def lower_case(text: str) -> str:
    """The text in lower case, sign by sign, so that its length stays: `İ` alone would become two signs."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(sign.lower()[:1] for sign in text)


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """The spans, given in order of precedence, in order of position; overlapping ones become one of the first's kind.

    The result covers every character that a span covers.
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
