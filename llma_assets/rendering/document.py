"""The text before it has a length: pieces in order, each with its value in full (two ends of it) and its rank.

Builders add pieces; `budget` turns them into text. Nothing here knows events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from llma_assets.rendering.cleaning import Redacts, Value, one_line, value_of
from llma_assets.rendering.formats import call
from llma_assets.rendering.message import Message, says_failure

EMPTY: Final = "(empty)"
"""Stands for a message or an output that is there and says nothing."""


class Kind(IntEnum):
    """What a piece is, which decides how short it may become."""

    STRUCTURE = 0
    TEXT = 1
    RESULT = 2
    ERROR = 3


class Keep(IntEnum):
    """Who survives when lines are sampled; the higher first."""

    NO = 0
    ERROR = 1
    FIRST_USER = 2
    FINAL_ANSWER = 3
    LAST_USER = 4
    HEADER = 5


@dataclass(slots=True)
class Piece:
    """Some lines of one kind under one prefix.

    Attributes:
        event: number of the event that they belong to, 0 for what belongs to none.
    """

    prefix: str
    value: Value
    kind: Kind
    keep: Keep
    event: int = 0

    def lines(self, limit: int) -> list[str]:
        """The lines, with the value shortened to about `limit` characters."""
        bare = self.prefix.rstrip()
        text = self.value.head if self.kind is Kind.STRUCTURE else self.value.shortened(limit)
        return [f"{self.prefix}{line}" if line else bare for line in text.split("\n")]

    @property
    def length(self) -> int:
        """Characters with the value in full."""
        return self.value.length + (self.value.newlines + 1) * len(self.prefix)


class Document:
    """Collects pieces and remembers which of them are the first and last words of the conversation."""

    def __init__(self, max_value_chars: int, redactor: Redacts | None = None) -> None:
        """Hold of each value a little more than `max_value_chars`; `redactor` sees all before it is held or cut."""
        self.pieces: list[Piece] = []
        self.redactor = redactor
        self.base64_removed = 0
        self.event = 0
        self._window = max(2 * max_value_chars, 2_000)
        self._limit = max_value_chars
        self._first_user: range | None = None
        self._last_user: range | None = None
        self._answer: range | None = None
        self._given: range | None = None
        self._result: range | None = None

    def line(self, text: str, prefix: str = "", keep: Keep = Keep.NO) -> None:
        """Add one line of the layout."""
        if self.redactor is not None:
            text = self.redactor.redact(text)
        self.pieces.append(Piece(prefix, Value(text, "", 0, 0, 0), Kind.STRUCTURE, keep, self.event))

    def text(self, text: str, prefix: str = "", kind: Kind = Kind.TEXT, keep: Keep = Keep.NO) -> None:
        """Add a value of any length; it is cleaned here."""
        value = value_of(text, self._window, self.redactor)
        self.base64_removed += value.base64_removed
        self.pieces.append(Piece(prefix, value, kind, keep, self.event))

    def given(self, text: str, prefix: str) -> None:
        """Add what an event was given and is no message; the first is the first word where nobody speaks."""
        self._given = self._given or range(len(self.pieces), len(self.pieces) + 1)
        self.text(text, prefix)

    def result(self, label: str, text: str, prefix: str, *, failed: bool = False, is_last_word: bool = False) -> None:
        """Add what an event gave back and is no message; the last is the answer where nobody speaks.

        `is_last_word` makes it the answer in any case.
        """
        failed = failed or says_failure(text)
        where = range(len(self.pieces), len(self.pieces) + 1)
        self.text(label + text, prefix, Kind.ERROR if failed else Kind.RESULT, Keep.ERROR if failed else Keep.NO)
        self._result = where
        if is_last_word:
            self._answer = where

    def name(self, text: str, limit: int = 200) -> str:
        """A name for the middle of a line, cut only after its private values are replaced."""
        return one_line(text, limit, self.redactor)

    def message(self, message: Message, number: int, prefix: str = "", *, airy: bool = False) -> None:
        """Add a message: `[1] USER`, its text, its calls. `airy` puts a blank line between role and text."""
        start = len(self.pieces)
        is_failure = message.is_error or (message.role == "tool" and says_failure(message.text))
        failed = Keep.ERROR if is_failure else Keep.NO
        head = value_of(self.name(message.role, 80).upper()).head
        self.line(f"[{number}] {head}{' (ERROR)' if message.is_error else ''}", prefix, failed)
        if airy:
            self.line("", prefix)
        if message.text or not message.tool_calls:
            kind = Kind.ERROR if is_failure else Kind.RESULT if message.role == "tool" else Kind.TEXT
            self.text(message.text or EMPTY, prefix, kind, failed)
        if message.tool_calls:
            if airy and message.text:
                self.line("", prefix)
            self.line(f"Tool calls: {len(message.tool_calls)}", prefix)
            for wish in message.tool_calls:
                self.text(
                    f"  - {call(wish.name, wish.arguments, wish.status, self._limit // 2, self.redactor)}", prefix
                )
        self._remember(message, range(start, len(self.pieces)))

    def error(self, lines: Sequence[str], prefix: str = "") -> None:
        """Add what is known of an error."""
        self.text("\n".join(lines), prefix, Kind.ERROR, Keep.ERROR)

    def close(self) -> list[Piece]:
        """All pieces, with the first and last words marked to survive."""
        for found, keep in (
            (self._first_user or self._given, Keep.FIRST_USER),
            (self._answer or self._result, Keep.FINAL_ANSWER),
            (self._last_user, Keep.LAST_USER),
        ):
            for index in found or ():
                self.pieces[index].keep = keep
        return self.pieces

    def _remember(self, message: Message, where: range) -> None:
        if message.role == "user":
            self._first_user = self._first_user or where
            self._last_user = where
        elif message.role in {"assistant", "model"}:
            self._answer = where
