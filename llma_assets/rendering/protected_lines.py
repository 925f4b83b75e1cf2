"""Divides the room of a truncated text among the protected pieces: the first and last messages, errors, the header.

Pure: pieces and room in, lines out. Shortening values and sampling the other lines belong in `truncation`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from llma_assets.rendering.document import Keep, Kind, Piece

_MESSAGES: Final = (Keep.LAST_USER, Keep.FINAL_ANSWER, Keep.FIRST_USER)
_SHORTEST: Final = 24
"""The shortest useful beginning of a value, in characters."""

_BRIEF_ERROR: Final = 120
_TWO_ENDS: Final = 200
"""A value of at least so many characters keeps both ends; a shorter one its beginning: the mark between costs 35."""


@dataclass(frozen=True, slots=True)
class ProtectedLines:
    """The lines that sampling must keep.

    Attributes:
        lines: of each protected piece by its position, shortened to its share of the room.
        missing: number of protected pieces without room by kind: `error`, `first_user`, ….
    """

    lines: dict[int, list[str]]
    missing: dict[str, int]


def protected_lines(pieces: Sequence[Piece], room: int, overhead: int, others: int) -> ProtectedLines:
    """The lines of the protected pieces, at most `room` characters in all.

    Order of allocation: a minimum for the last and first messages and the final answer; the first line of each error,
    or of an even selection of errors if they do not all fit; the role lines of messages, the node lines of failed
    events, the rest of the header. A share stays reserved for the sample of other lines. What is left grows the
    messages, then the errors, then the messages again.

    Args:
        pieces: of the whole document.
        room: characters, line ends included.
        overhead: characters that a line needs for its end and its number.
        others: characters that all unprotected lines would take.
    """
    plan = _Plan(pieces, room, overhead)
    messages = [index for keep in _MESSAGES for index, piece in enumerate(pieces) if piece.keep is keep]
    texts = [index for index in messages if pieces[index].kind is not Kind.STRUCTURE]
    errors = [index for index, piece in enumerate(pieces) if piece.keep is Keep.ERROR]
    error_texts = [index for index in errors if pieces[index].kind is not Kind.STRUCTURE]
    role_lines = [index for index in messages if pieces[index].kind is Kind.STRUCTURE and pieces[index].size]
    header = [index for index, piece in enumerate(pieces) if piece.keep is Keep.HEADER]
    least = min(max(room // 10, 60), 400)
    firsts = {pieces[index].keep: index for index in reversed(texts)}
    plan.at_least([firsts[keep] for keep in _MESSAGES if keep in firsts], least, _SHORTEST)
    plan.at_least(header[:1], least, _SHORTEST)
    plan.at_least(error_texts, _BRIEF_ERROR, _SHORTEST)
    plan.all_that_fit(role_lines)
    plan.all_that_fit([index for index in errors if index not in plan.given])
    plan.all_that_fit(header[1:])
    spare = max(plan.left - min(others, room // 4), 0)
    before = plan.left
    plan.grow(texts, spare * 6 // 10)
    plan.grow(error_texts, max(spare - (before - plan.left), 0))
    plan.grow(texts, max(spare - (before - plan.left), 0))
    missing: dict[str, int] = {}
    for index in (*firsts.values(), *error_texts):
        if index not in plan.given:
            name = pieces[index].keep.name.lower()
            missing[name] = missing.get(name, 0) + 1
    return ProtectedLines(plan.lines, missing)


class _Plan:
    """The room allocated so far, and the lines that fill it."""

    def __init__(self, pieces: Sequence[Piece], room: int, overhead: int) -> None:
        self.left = room
        self.given: dict[int, int] = {}
        self.lines: dict[int, list[str]] = {}
        self._pieces = pieces
        self._overhead = overhead

    def at_least(self, members: Sequence[int], wanted: int, shortest: int) -> None:
        """Give each member the beginning of its value; if room is short, shorter ones, then fewer members."""
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
        """Give members all their lines, in order, while they fit."""
        for index in members:
            lines = self._pieces[index].lines(self._pieces[index].size)
            if self._cost(lines) <= self.left:
                self._set(index, lines)

    def grow(self, members: Sequence[int], room: int) -> None:
        """Share `room` evenly among members; what one does not need goes to the others (max-min fairness)."""
        demands = sorted((self._demand(index), index) for index in members)
        for place, (demand, index) in enumerate(demands):
            share = min(demand, max(room, 0) // (len(demands) - place))
            before = self.given.get(index, 0)
            lines = self._within(index, before + share)
            cost = self._cost(lines)
            if lines and before < cost <= before + min(room, self.left):
                self._set(index, lines)
                room -= cost - before

    def _demand(self, index: int) -> int:
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
        """The beginning of a value on one line, which costs at most `_cost_of_brief`."""
        piece = self._pieces[index]
        if piece.length + (piece.newlines + 1) * self._overhead <= self._cost_of_brief(index, size):
            return piece.lines(piece.size)
        text = " ".join(piece.whole.head[: 4 * size].split())
        if len(text) > size or piece.size > len(text) + 40:
            text = text[: size - 4] + " ..." if size > _SHORTEST else text[:size]
        return [piece.prefix + text[:size]]

    def _within(self, index: int, cost: int) -> list[str]:
        """The lines of a value shortened to `cost`, or `[]` if nothing useful fits."""
        piece = self._pieces[index]
        size = piece.size
        lines = piece.lines(size) if size <= cost else []
        while size >= _SHORTEST and (not lines or self._cost(lines) > cost):
            size = min(size, cost) * 9 // 10
            lines = piece.lines(size) if size >= _TWO_ENDS else self._brief(index, size)
        return lines if lines and self._cost(lines) <= cost else []


def evenly(members: Sequence[int], cost_of: Callable[[int], int], room: int) -> list[int]:
    """As many members as fit into `room`, evenly spaced; all of them, if they fit."""
    costs = [cost_of(index) for index in members]
    if room <= 0 or not members:
        return []
    if sum(costs) <= room:
        return list(members)
    # The cheapest members give an upper bound for how many fit.
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
