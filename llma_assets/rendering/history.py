"""Remembers which messages of a trace were shown, so that a history repeated by each call is shown once.

Knows messages as keys only. A conversation is a path in a tree: a message is the same one only where the same
messages came before it, so a second "yes" is new, and sub-agents with different histories stay apart.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from llma_assets.rendering.jsontext import compact_json
from llma_assets.rendering.message import THINKING, Message

_SAME_ROLE: Final = {"model": "assistant", "developer": "system"}
_LONG_BLOCK: Final = 8


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two messages the same.

    Attributes:
        digest: of role, text and calls.
        is_answer: said by a model.
        is_aside: said by a model to itself; later calls may or may not repeat it.
    """

    digest: bytes
    is_answer: bool
    is_aside: bool


def key_of(message: Message) -> Key:
    """The key of a message; spelling of the role and blanks around the text make no difference."""
    role = _SAME_ROLE.get(message.role, message.role)
    digest = blake2b(role.encode("utf-8", "replace"), digest_size=16)
    digest.update(b"\0" + message.text.strip().encode("utf-8", "surrogatepass"))
    for call in message.tool_calls:
        shown = f"\0{call.name}\0{compact_json(call.arguments)}"
        digest.update(shown.encode("utf-8", "surrogatepass"))
    return Key(digest.digest(), role == "assistant", role == THINKING)


@dataclass(slots=True, eq=False)
class Point:
    """A moment in a conversation: after `key`, which came after `parent`."""

    key: bytes
    is_answer: bool
    parent: "Point | None"
    owner: int
    next: dict[bytes, "Point"] = field(default_factory=dict)


class History:
    """The conversations of one trace. Time and memory are linear in the messages placed."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._root = Point(b"", False, None, -1)
        self._latest: dict[bytes, Point] = {}

    def place_input(
        self, keys: Sequence[Key], owner: int, ancestors: Collection[int] = ()
    ) -> tuple[list[bool], "Point"]:
        """Place the messages that a call was given.

        First the longest beginning that some conversation shares. Where that ends early (a system prompt that
        changes, a window that drops old turns, a summary instead of them), blocks further on are the same when they
        hold an answer beside another message, or when an event above this one in the tree brought them in.

        Args:
            keys: of all messages, in order.
            owner: the event that brings them.
            ancestors: events above it.

        Returns:
            For each message whether it is new, and the point to which the answer is added.
        """
        new = [True] * len(keys)
        point, position = self._root, 0
        while position < len(keys):
            found = point.next.get(keys[position].digest)
            if found is None:
                break
            new[position] = False
            if not keys[position].is_aside:
                point = found
            position += 1
        aligned = self._blocks(keys, position, point, ancestors) if position < len(keys) else {}
        for index in range(position, len(keys)):
            if index in aligned:
                new[index] = False
                point = aligned[index]
            else:
                new[index], point = self._step(point, keys[index], owner)
        return new, point

    def knows(self, key: Key) -> bool:
        """Whether such a message stands in any conversation."""
        return key.digest in self._latest

    def place_answer(self, keys: Sequence[Key], point: "Point", owner: int) -> list[bool]:
        """Place what a model answered, behind its input; for each message whether it is new."""
        new = []
        for key in keys:
            is_new, point = self._step(point, key, owner)
            new.append(is_new)
        return new

    def place_state(self, keys: Sequence[Key], point: "Point", owner: int) -> list[bool]:
        """Place the messages of a state that a unit of work left behind; for each whether it is new.

        It may be the whole conversation or only what was added to its input, and what events below `owner` in the
        tree said is not new when `owner` gives it as its own result.
        """
        if keys and keys[0].digest not in point.next and keys[0].digest in self._root.next:
            return self.place_input(keys, owner)[0]
        new = []
        for key in keys:
            below = self._latest.get(key.digest)
            if key.digest not in point.next and below is not None and below.owner > owner:
                is_new, point = False, below
            else:
                is_new, point = self._step(point, key, owner)
            new.append(is_new)
        return new

    def _step(self, point: "Point", key: Key, owner: int) -> tuple[bool, "Point"]:
        found = point.next.get(key.digest)
        is_new = found is None
        if found is None:
            found = Point(key.digest, key.is_answer, point, owner)
            point.next[key.digest] = found
            if not key.is_aside:
                self._latest[key.digest] = found
        return is_new, point if key.is_aside else found

    def _blocks(
        self, keys: Sequence[Key], first: int, behind: "Point", ancestors: Collection[int]
    ) -> dict[int, "Point"]:
        """Points of the messages from `first` on that an earlier conversation holds in the same order.

        No point stands for two messages of one input: what the beginning up to `behind` holds is taken already.
        """
        aligned: dict[int, Point] = {}
        taken: set[int] = set()
        last = len(keys) - 1
        while last >= first:
            anchor = None if keys[last].is_aside else self._latest.get(keys[last].digest)
            block = self._block(keys, first, last, anchor) if anchor is not None else []
            if not block or not self._is_same(block, ancestors):
                last -= 1
                continue
            taken = taken or _path(behind)
            if taken.isdisjoint(id(point) for _, point in block):
                aligned.update(block)
                taken.update(id(point) for _, point in block)
            last = block[-1][0] - 1
        return aligned

    @staticmethod
    def _block(keys: Sequence[Key], first: int, last: int, anchor: "Point") -> list[tuple[int, "Point"]]:
        block: list[tuple[int, Point]] = []
        point: Point | None = anchor
        for index in range(last, first - 1, -1):
            if point is None or (point.key != keys[index].digest and not keys[index].is_aside):
                break
            block.append((index, point))
            if not keys[index].is_aside:
                point = point.parent
        return block

    @staticmethod
    def _is_same(block: list[tuple[int, "Point"]], ancestors: Collection[int]) -> bool:
        if len(block) >= _LONG_BLOCK or all(point.owner in ancestors for _, point in block):
            return True
        return len(block) >= 2 and any(point.is_answer for _, point in block)


def _path(point: Point) -> set[int]:
    """Identities of a point and of all before it."""
    found: set[int] = set()
    step: Point | None = point
    while step is not None:
        found.add(id(step))
        step = step.parent
    return found
