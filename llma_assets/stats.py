"""Statistics that several reports share: proportions with their uncertainty. Knows no database."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054


def wilson(share: float, size: float) -> tuple[float, float]:
    """The interval at 95 % of a proportion; E. B. Wilson, JASA 22 (1927), 209-212.

    Args:
        share: as it was seen, in [0, 1].
        size: of the sample that it was seen in, above 0; that of a simple one that would be as certain.
    """
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = Z95 / (1 + z2 / size) * math.sqrt(share * (1 - share) / size + z2 / (4 * size * size))
    low = 0.0 if share == 0 else max(0.0, centre - half)
    return low, 1.0 if share == 1 else min(1.0, centre + half)


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion and its Wilson interval at 95 %.

    Attributes:
        part: how many.
        whole: of how many.
        value: part / whole, None of nothing.
        low, high: the interval; 0 and 1 of nothing.
    """

    part: int
    whole: int
    value: float | None
    low: float
    high: float

    @classmethod
    def of(cls, part: int, whole: int) -> "Share":
        """Make it of two counts."""
        if whole == 0:
            return cls(part, whole, None, 0.0, 1.0)
        return cls(part, whole, part / whole, *wilson(part / whole, whole))
