"""Decides how much room what must never be lost gets, when a text is too long for all of it.

Pure: pieces and room in, lines in their place out. What is done before (shorter values) and after (sampling of the
other lines) is `budget`'s.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from llma_assets.rendering.document import Keep, Kind, Piece

_WORDS: Final = (Keep.LAST_USER, Keep.FINAL_ANSWER, Keep.FIRST_USER)
_SHORTEST: Final = 24
"""Characters of a value that still say something."""

_BRIEF_ERROR: Final = 120
_TWO_ENDS: Final = 200
"""From so many characters on a value keeps its two ends; below, its beginning, because the mark between costs 35."""


@dataclass(frozen=True, slots=True)
class Survivors:
    """What stays whatever happens.

    Attributes:
        lines: of each surviving piece, by its position; shortened as far as the room asks.
        missing: pieces that must stay and found no room, by what they are: `error`, `first_user`, ….
    """

    lines: dict[int, list[str]]
    missing: dict[str, int]


def survivors_of(pieces: Sequence[Piece], room: int, overhead: int, others: int) -> Survivors:
    """The lines that stay, of at most `room` characters together.

    First the least that the last and the first words need; then the first line of each error, and if not all fit,
    of as many as fit, evenly; then who said it, which events failed, and the header. What is left after a share for
    the sample goes to the words, to the errors, and to the words again.

    Args:
        pieces: of the whole document.
        room: characters, line ends included.
        overhead: characters of a line's end and number.
        others: characters that all other lines would take.
    """
    plan = _Plan(pieces, room, overhead)
    words = [index for keep in _WORDS for index, piece in enumerate(pieces) if piece.keep is keep]
    spoken = [index for index in words if pieces[index].kind is not Kind.STRUCTURE]
    errors = [index for index, piece in enumerate(pieces) if piece.keep is Keep.ERROR]
    said = [index for index in errors if pieces[index].kind is not Kind.STRUCTURE]
    heads = [index for index in words if pieces[index].kind is Kind.STRUCTURE and pieces[index].size]
    header = [index for index, piece in enumerate(pieces) if piece.keep is Keep.HEADER]
    least = min(max(room // 10, 60), 400)
    firsts = {pieces[index].keep: index for index in reversed(spoken)}
    plan.at_least([firsts[keep] for keep in _WORDS if keep in firsts], least, _SHORTEST)
    plan.at_least(header[:1], least, _SHORTEST)
    plan.at_least(said, _BRIEF_ERROR, _SHORTEST)
    plan.all_that_fit(heads)
    plan.all_that_fit([index for index in errors if index not in plan.given])
    plan.all_that_fit(header[1:])
    spare = max(plan.left - min(others, room // 4), 0)
    before = plan.left
    plan.grow(spoken, spare * 6 // 10)
    plan.grow(said, max(spare - (before - plan.left), 0))
    plan.grow(spoken, max(spare - (before - plan.left), 0))
    missing: dict[str, int] = {}
    for index in (*firsts.values(), *said):
        if index not in plan.given:
            name = pieces[index].keep.name.lower()
            missing[name] = missing.get(name, 0) + 1
    return Survivors(plan.lines, missing)


class _Plan:
    """Room given to pieces so far, and their lines in it."""

    def __init__(self, pieces: Sequence[Piece], room: int, overhead: int) -> None:
        self.left = room
        self.given: dict[int, int] = {}
        self.lines: dict[int, list[str]] = {}
        self._pieces = pieces
        self._overhead = overhead

    def at_least(self, members: Sequence[int], wanted: int, shortest: int) -> None:
        """Give each of `members` the beginning of its value; all of them less, then fewer of them, if need be."""
        size = wanted
        costs = [self._cost_of_brief(index, size) for index in members]
        while sum(costs) > self.left and size > shortest:
            size = max(size * 3 // 4, shortest)
            costs = [self._cost_of_brief(index, size) for index in members]
        if sum(costs) > self.left:
            members = evenly(members, dict(zip(members, costs, strict=True)).__getitem__, self.left)
        for index in members:
            self._set(index, self._brief(index, size))

    def all_that_fit(self, members: Iterable[int]) -> None:
        """Give each of `members` all its lines, in order, as long as they fit."""
        for index in members:
            lines = self._pieces[index].lines(self._pieces[index].size)
            if self._cost(lines) <= self.left:
                self._set(index, lines)

    def grow(self, members: Sequence[int], room: int) -> None:
        """Share `room` among `members`, so that none gets less than another that could use more."""
        wishes = sorted((self._wish(index), index) for index in members)
        for place, (wish, index) in enumerate(wishes):
            share = min(wish, max(room, 0) // (len(wishes) - place))
            before = self.given.get(index, 0)
            lines = self._within(index, before + share)
            cost = self._cost(lines)
            if lines and before < cost <= before + min(room, self.left):
                self._set(index, lines)
                room -= cost - before

    def _wish(self, index: int) -> int:
        piece = self._pieces[index]
        full = piece.length + (piece.newlines + 1) * self._overhead
        return max(full - self.given.get(index, 0), 0)

    def _set(self, index: int, lines: list[str]) -> None:
        cost = self._cost(lines)
        self.left -= cost - self.given.get(index, 0)
        self.given[index], self.lines[index] = cost, lines

    def _cost(self, lines: Sequence[str]) -> int:
        return sum(map(len, lines)) + len(lines) * self._overhead

    def _cost_of_brief(self, index: int, size: int) -> int:
        piece = self._pieces[index]
        return min(size, piece.size) + len(piece.prefix) + self._overhead

    def _brief(self, index: int, size: int) -> list[str]:
        """The beginning of a value on one line; it takes no more than `_cost_of_brief` says."""
        piece = self._pieces[index]
        if piece.length + (piece.newlines + 1) * self._overhead <= self._cost_of_brief(index, size):
            return piece.lines(piece.size)
        text = " ".join(piece.whole.head[: 4 * size].split())
        if len(text) > size or piece.size > len(text) + 40:
            text = text[: size - 4] + " ..." if size > _SHORTEST else text[:size]
        return [piece.prefix + text[:size]]

    def _within(self, index: int, cost: int) -> list[str]:
        """The lines of a value that take at most `cost`; `[]` if nothing useful does."""
        piece = self._pieces[index]
        size = piece.size
        lines = piece.lines(size) if size <= cost else []
        while size >= _SHORTEST and (not lines or self._cost(lines) > cost):
            size = min(size, cost) * 9 // 10
            lines = piece.lines(size) if size >= _TWO_ENDS else self._brief(index, size)
        return lines if lines and self._cost(lines) <= cost else []


def evenly(members: Sequence[int], cost_of: Callable[[int], int], room: int) -> list[int]:
    """As many of `members` as fit into `room`, at even distances; all, if they fit."""
    costs = [cost_of(index) for index in members]
    if room <= 0 or not members:
        return []
    if sum(costs) <= room:
        return list(members)
    # No more can fit than the cheapest ones would.
    high, used = 0, 0
    for cost in sorted(costs):
        used += cost
        if used > room:
            break
        high += 1
    low = 0
    best: list[int] = []
    while low < high:
        count = (low + high + 1) // 2
        places = [(2 * place + 1) * len(members) // (2 * count) for place in range(count)]
        if sum(costs[place] for place in places) <= room:
            best, low = [members[place] for place in places], count
        else:
            high = count - 1
    return best
