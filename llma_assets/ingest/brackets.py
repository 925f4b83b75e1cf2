"""Finds where objects and arrays of JSON end in a text, many at once. What a record is belongs in `records`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUOTE, _BACKSLASH, _LOWER, _OPENS, _CLOSES = b'"'[0], b"\\"[0], 0x20, b"{"[0], b"}"[0]
_SHORTEST: Final = 4_096
"""A shorter text is not worth the calls."""


@dataclass(slots=True)
class Brackets:
    """The brackets outside strings of a text.

    Attributes:
        places: their indices in the text, increasing.
        depths: how many are open after each, against the begin.
        in_string: whether the text ends inside a string.
    """

    places: "NDArray[np.int64]"
    depths: "NDArray[np.int64]"
    in_string: bool
    _closing: "dict[int, NDArray[np.int64]]" = field(default_factory=dict)

    def end(self, at: int, depth: int) -> int:
        """The index after the bracket that closes what is open, 0 if it is not in the text.

        Args:
            at: where to begin; a bracket may stand there.
            depth: how many are open before it.
        """
        first = int(self.places.searchsorted(at))
        wanted = (int(self.depths[first - 1]) if first else 0) - depth
        if wanted not in self._closing:
            self._closing[wanted] = self.places[self.depths == wanted]
        closing = self._closing[wanted]
        # The same depth is also reached by what opens, one deeper than it began; that is no end.
        found = int(closing.searchsorted(at))
        return int(closing[found]) + 1 if found < len(closing) else 0

    def open_at_end(self, at: int, depth: int) -> int:
        """How many are open at the end of the text, as `end` counts them."""
        first = int(self.places.searchsorted(at))
        before = int(self.depths[first - 1]) if first else 0
        return depth + (int(self.depths[-1]) - before if len(self.depths) else 0)


def brackets_of(text: bytes, at: int, in_string: bool) -> Brackets | None:
    """The brackets of a text from an index on; None where it must be read one by one, as it is short or no JSON.

    The text must not end with a backslash.
    """
    if len(text) - at < _SHORTEST:
        return None
    import numpy as np

    held = np.frombuffer(text, np.uint8, offset=at)
    quotes = held == _QUOTE
    backslashes = np.flatnonzero(held == _BACKSLASH)
    if backslashes.size:
        begins = np.flatnonzero(np.diff(backslashes, prepend=-2) != 1)
        lengths = np.diff(begins, append=backslashes.size)
        after = backslashes[begins] + lengths
        quotes[after[(lengths & 1).astype(bool)]] = False
    ends = np.flatnonzero(quotes)  # of strings, and their begins
    outside = int(in_string)  # how many quotes stand before a place outside strings: even, or odd
    if not ((ends.searchsorted(backslashes) ^ outside) & 1).all():
        return None
    lower = held | _LOWER  # { and [, } and ] differ by this bit
    opens = lower == _OPENS
    places = np.flatnonzero(opens | (lower == _CLOSES))
    places = places[((ends.searchsorted(places) ^ outside) & 1) == 0]
    depths = np.cumsum(np.where(opens[places], 1, -1))
    return Brackets(places + at, depths, bool((ends.size ^ outside) & 1))
