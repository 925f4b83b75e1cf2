"""Finds the messages of a trace that were shown before, so that the history in each call is shown only once.

Messages are known by their keys only. A conversation is a path in a tree of messages: a message is repeated only if
the same messages precede it, so that a second "yes" is new, and sub-agents with different histories stay separate.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from llma_assets.rendering.json_text import compact_json
from llma_assets.rendering.message import THINKING, Message

_SAME_ROLE: Final = {"model": "assistant", "developer": "system"}
_LONG_BLOCK: Final = 8


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a message.

    Attributes:
        digest: of role, text and calls.
        is_answer: the message is a model's answer.
        is_aside: the message is a model's reasoning, which later calls may or may not repeat.
    """

    digest: bytes
    is_answer: bool
    is_aside: bool


def key_of(message: Message) -> Key:
    """The key of a message; synonyms of the role and white space around the text make no difference."""
    role = _SAME_ROLE.get(message.role, message.role)
    digest = blake2b(role.encode("utf-8", "replace"), digest_size=16)
    digest.update(b"\0" + message.text.strip().encode("utf-8", "surrogatepass"))
    for call in message.tool_calls:
        shown = f"\0{call.name}\0{compact_json(call.arguments)}"
        digest.update(shown.encode("utf-8", "surrogatepass"))
    return Key(digest.digest(), role == "assistant", role == THINKING)


@dataclass(slots=True, eq=False)
class Point:
    """A position in a conversation: message `key` after the position `parent`."""

    key: bytes
    is_answer: bool
    parent: "Point | None"
    owner: int
    next: dict[bytes, "Point"] = field(default_factory=dict)


class History:
    """The conversations of one trace. Time and memory are linear in the number of messages."""

    def __init__(self) -> None:
        """Start without messages."""
        self._root = Point(b"", False, None, -1)
        self._latest: dict[bytes, Point] = {}

    def place_input(
        self, keys: Sequence[Key], owner: int, ancestors: Collection[int] = ()
    ) -> tuple[list[bool], "Point"]:
        """Place the input messages of a call.

        The longest prefix that a known conversation shares is repeated. Where it ends early (a changed system prompt,
        a window or a summary instead of old turns), a later block is repeated, too, if it is long, if it holds an
        answer beside another message, or if an event above this one in the tree brought it in.

        Args:
            keys: keys of all messages, in order.
            owner: number of the event with this input.
            ancestors: numbers of the events above it.

        Returns:
            For each message whether it is new; and the position after which the answer is placed.
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
        """Whether any conversation holds such a message."""
        return key.digest in self._latest

    def place_answer(self, keys: Sequence[Key], point: "Point", owner: int) -> list[bool]:
        """Place the answer of a model after its input, and tell for each message whether it is new."""
        new = []
        for key in keys:
            is_new, point = self._step(point, key, owner)
            new.append(is_new)
        return new

    def place_state(self, keys: Sequence[Key], point: "Point", owner: int) -> list[bool]:
        """Place the messages of a span's output state, and tell for each whether it is new.

        The state is the whole conversation, or only the messages added to the input. A message of an event below
        `owner` in the tree is not new when `owner` returns it.
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
        """Positions of the messages from `first` on that an earlier conversation holds in the same order.

        No position stands for two messages of one input; those up to `behind` are in use.
        """
        aligned: dict[int, Point] = {}
        used: set[int] = set()
        last = len(keys) - 1
        while last >= first:
            anchor = None if keys[last].is_aside else self._latest.get(keys[last].digest)
            block = self._block(keys, first, last, anchor) if anchor is not None else []
            if not block or not self._is_same(block, ancestors):
                last -= 1
                continue
            used = used or _path(behind)
            if used.isdisjoint(id(point) for _, point in block):
                aligned.update(block)
                used.update(id(point) for _, point in block)
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
    """Identities of a position and of all before it."""
    found: set[int] = set()
    step: Point | None = point
    while step is not None:
        found.add(id(step))
        step = step.parent
    return found
