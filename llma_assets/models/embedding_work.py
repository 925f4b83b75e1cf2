"""What one call of `embed` works on: what became of each text so far, and the parts that batches are cut into."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Work:
    """What became of the texts of one call of `embed` so far.

    Attributes:
        rows: vectors by the text's index.
        failed: why a text has none, by its index.
        failed_alone: how many of them were asked about by themselves.
        is_isolating: the server answers, but failed on a batch: the text to blame is being looked for.
        none_will_succeed: no text has a vector, nor would any other get one.
        said: what the server said last of a text that has none.
    """

    texts: Sequence[str]
    rows: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    failed_alone: int = 0
    is_isolating: bool = False
    none_will_succeed: bool = False
    said: str = ""

    def matrix(self, dimension: int | None) -> NDArray[np.float32]:
        """The (n, d) vectors, NaN where there is none."""
        matrix = np.full((len(self.texts), dimension or 0), np.nan, dtype=np.float32)
        for index, row in self.rows.items():
            matrix[index] = row
        return matrix


@dataclass(slots=True)
class Parent:
    """A part that failed as a whole.

    Attributes:
        accepted: how many of its parts the server accepted.
        largest: number of texts of the largest of these.
    """

    accepted: int = 0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Indexes of texts that go into one call. Lists of parts are stacks: the first part is the last."""

    indexes: list[int]
    parent: Parent | None = None

    def cut(self, most: int | None) -> "list[Part]":
        """Pieces that the server is known to accept, none where it accepts the whole."""
        return [] if most is None or len(self.indexes) <= most else self._pieces(most, None)

    def halves(self, size: int | None) -> "list[Part]":
        """Two halves of a part that failed, or pieces of the size that the server named."""
        length = len(self.indexes)
        return self._pieces(size if size and size < length else -(-length // 2), Parent())

    def _pieces(self, size: int, parent: Parent | None) -> "list[Part]":
        starts = range(0, len(self.indexes), size)
        return [Part(self.indexes[start : start + size], parent) for start in reversed(starts)]
