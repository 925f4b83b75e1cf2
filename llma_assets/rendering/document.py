"""The text before it has a length: pieces in order, each with its value in full (two ends of it) and its rank.

Builders add pieces; `budget` turns them into text. Nothing here knows events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from llma_assets.rendering.cleaning import Redacts, Value, one_line, value_of
from llma_assets.rendering.content import says_something
from llma_assets.rendering.formats import call
from llma_assets.rendering.message import Message, says_failure

EMPTY: Final = "(empty)"
"""Stands for a message or an output that is there and says nothing."""

LIGHT: Final = 200
_LIGHT_END: Final = 400
"""Characters of each end of a light value that are held, so that a private value that is cut through is seen."""

_HOPELESS: Final = 16
"""So many times the limit, and what follows is held lightly: even with all values at their shortest it has no room."""


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
        value: where it is known; ask `whole` for it.
        size: characters of the value in full.
        newlines: of the value in full.
        event: number of the event that they belong to, 0 for what belongs to none.
        light: the two ends of a value as they came, of a text that cannot be shown as a whole anyway: it is cleaned
            and redacted only when it is one of the lines that are shown, and is one line then.
    """

    prefix: str
    value: Value | None
    kind: Kind
    keep: Keep
    size: int
    newlines: int
    event: int = 0
    light: "Light | None" = None

    @property
    def whole(self) -> Value:
        """The value, made now if it was not yet."""
        if self.value is None:
            assert self.light is not None
            self.value = self.light.value(self.size)
        return self.value

    def lines(self, limit: int) -> list[str]:
        """The lines, with the value shortened to about `limit` characters."""
        if self.light is not None:
            return [self.prefix + " ".join(self.whole.shortened(min(limit, LIGHT)).split())]
        bare = self.prefix.rstrip()
        text = self.whole.head if self.kind is Kind.STRUCTURE else self.whole.shortened(limit)
        return [f"{self.prefix}{line}" if line else bare for line in text.split("\n")]

    def least(self, limit: int) -> int:
        """Characters that the lines will have at least, line ends and numbers apart."""
        return len(self.prefix) + min(self.size, LIGHT if self.light is not None else limit)

    @property
    def length(self) -> int:
        """Characters with the value in full."""
        return self.size + (self.newlines + 1) * len(self.prefix)


@dataclass(frozen=True, slots=True)
class Light:
    """The ends of a value that is cleaned and redacted only if it is shown."""

    head: str
    tail: str
    redactor: Redacts | None

    def value(self, size: int) -> Value:
        """The value, of which not more than `LIGHT` characters are shown."""
        if not self.tail:
            return value_of(self.head, redactor=self.redactor)
        half = LIGHT // 2
        made = value_of(self.head + "\n" * 2 + self.tail, half, self.redactor)
        return Value(made.head, made.tail, size - len(made.head) - len(made.tail), 0, made.base64_removed)


class Document:
    """Collects pieces and remembers which of them are the first and last words of the conversation.

    Attributes:
        has_content: whether anything was said or done, as far as its builders say so.
    """

    def __init__(self, max_value_chars: int, redactor: Redacts | None = None, max_chars: int = 10**9) -> None:
        """Hold of each value a little more than `max_value_chars`; `redactor` sees all before it is shown or cut.

        `max_chars` is the length of the text that is wanted, at most.
        """
        self.pieces: list[Piece] = []
        self.redactor = redactor
        self.base64_removed = 0
        self.event = 0
        self.has_content = False
        self._window = max(2 * max_value_chars, 2_000)
        self._limit = max_value_chars
        self._room = _HOPELESS * max_chars
        self._room_of_errors = self._room
        self._roles: dict[str, str] = {}
        self._last: dict[int, str] = {}
        self._first_user: range | None = None
        self._last_user: range | None = None
        self._answer: range | None = None
        self._given: range | None = None
        self._result: range | None = None

    def line(self, text: str, prefix: str = "", keep: Keep = Keep.NO, *, is_own: bool = False) -> None:
        """Add one line of the layout; `is_own` says that it holds nothing of the trace that is not redacted yet."""
        if self.redactor is not None and not is_own:
            text = self.redactor.redact(text)
        self._room -= len(prefix) + len(text) + 1
        value = Value(text, "", 0, 0, 0)
        self.pieces.append(Piece(prefix, value, Kind.STRUCTURE, keep, len(text), 0, self.event))

    def text(self, text: str, prefix: str = "", kind: Kind = Kind.TEXT, keep: Keep = Keep.NO) -> None:
        """Add a value of any length; it is cleaned here."""
        if self._room < 0 and (keep is not Keep.ERROR or self._room_of_errors < 0):
            self._lightly(text, prefix, kind, keep)
            return
        value = value_of(text, self._window, self.redactor)
        self.base64_removed += value.base64_removed
        size = len(prefix) + min(value.length, self._limit) + 1
        self._room -= size
        self._room_of_errors -= size if keep is Keep.ERROR else 0
        self.pieces.append(Piece(prefix, value, kind, keep, value.length, value.newlines, self.event))

    def _lightly(self, text: str, prefix: str, kind: Kind, keep: Keep) -> None:
        short = len(text) <= 2 * _LIGHT_END
        light = Light(text if short else text[:_LIGHT_END], "" if short else text[-_LIGHT_END:], self.redactor)
        self.pieces.append(Piece(prefix, None, kind, keep, len(text), text.count("\n"), self.event, light))

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
        self.has_content = self.has_content or says_something(message)
        is_failure = message.is_error or (message.role == "tool" and says_failure(message.text))
        failed = Keep.ERROR if is_failure else Keep.NO
        head = self._roles.get(message.role)
        if head is None:
            head = self._roles[message.role] = self.name(self.name(message.role, 80).upper(), 80)
        self.line(f"[{number}] {head}{' (ERROR)' if message.is_error else ''}", prefix, failed, is_own=True)
        if airy:
            self.line("", prefix, is_own=True)
        if message.text or not message.tool_calls:
            kind = Kind.ERROR if is_failure else Kind.RESULT if message.role == "tool" else Kind.TEXT
            self.text(message.text or EMPTY, prefix, kind, failed)
        if message.tool_calls:
            if airy and message.text:
                self.line("", prefix, is_own=True)
            self.line(f"Tool calls: {len(message.tool_calls)}", prefix, is_own=True)
            for wish in message.tool_calls:
                limit = self._limit // 2 if self._room >= 0 else LIGHT
                self.text(f"  - {call(wish.name, wish.arguments, wish.status, limit, self.redactor)}", prefix)
        self._remember(message, range(start, len(self.pieces)))
        if self._room < 0:
            if message.role == "user":
                self._last[Keep.LAST_USER] = message.text
            elif message.role in {"assistant", "model"}:
                self._last[Keep.FINAL_ANSWER] = message.text

    def error(self, lines: Sequence[str], prefix: str = "") -> None:
        """Add what is known of an error."""
        self.has_content = True
        self.text("\n".join(lines), prefix, Kind.ERROR, Keep.ERROR)

    def close(self) -> list[Piece]:
        """All pieces, with the first and last words marked to survive, and these held in full."""
        for found, keep in (
            (self._first_user or self._given, Keep.FIRST_USER),
            (self._answer or self._result, Keep.FINAL_ANSWER),
            (self._last_user, Keep.LAST_USER),
        ):
            for index in found or ():
                self.pieces[index].keep = keep
                self._in_full(self.pieces[index])
        return self.pieces

    def _in_full(self, piece: Piece) -> None:
        text = self._last.get(piece.keep)
        if piece.light is None or text is None or len(text) != piece.size or piece.kind is Kind.STRUCTURE:
            return
        piece.value, piece.light = value_of(text, self._window, self.redactor), None
        piece.size, piece.newlines = piece.value.length, piece.value.newlines

    def _remember(self, message: Message, where: range) -> None:
        if message.role == "user":
            self._first_user = self._first_user or where
            self._last_user = where
        elif message.role in {"assistant", "model"}:
            self._answer = where
