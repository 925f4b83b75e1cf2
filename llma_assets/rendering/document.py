"""The document before truncation: pieces in order, each with its value (or both ends of it) and its priority.

Builders add pieces; `truncation` turns them into text. Events are not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from llma_assets.rendering.cleaning import Redacts, Value, one_line, value_of
from llma_assets.rendering.content import message_has_content
from llma_assets.rendering.formatting import call
from llma_assets.rendering.message import Message, says_failure

EMPTY: Final = "(empty)"
"""Shown for a message or an output that is empty."""

EXCERPT_CHARS: Final = 200
"""The most characters of an excerpt that are shown."""

_EXCERPT_END: Final = 400
"""Characters of each end that an excerpt holds: more than are shown, so that a private value at the cut is found."""

_EXCERPTS_BEYOND: Final = 16
"""After so many times the limit, values are held as excerpts: they would not fit even if all were shortened."""


class Kind(IntEnum):
    """The kind of a piece, which decides how much it may be shortened."""

    STRUCTURE = 0
    TEXT = 1
    RESULT = 2
    ERROR = 3


class Keep(IntEnum):
    """Why a piece is protected when lines are sampled; higher values have priority."""

    NO = 0
    ERROR = 1
    FIRST_USER = 2
    FINAL_ANSWER = 3
    LAST_USER = 4
    HEADER = 5


@dataclass(slots=True)
class Piece:
    """Lines of one kind with one prefix.

    Attributes:
        value: the cleaned value, None until `whole` is asked for.
        size: characters of the full value.
        newlines: line ends in the full value.
        event: number of the event, 0 for none.
        excerpt: both ends of the raw value, if the document is far too long to show it in full. It is cleaned and
            redacted only if it is shown, and then as one line.
    """

    prefix: str
    value: Value | None
    kind: Kind
    keep: Keep
    size: int
    newlines: int
    event: int = 0
    excerpt: "Excerpt | None" = None

    @property
    def whole(self) -> Value:
        """The cleaned value."""
        if self.value is None:
            assert self.excerpt is not None
            self.value = self.excerpt.value(self.size)
        return self.value

    def lines(self, limit: int) -> list[str]:
        """The lines, with the value shortened to about `limit` characters."""
        if self.excerpt is not None:
            return [self.prefix + " ".join(self.whole.shortened(min(limit, EXCERPT_CHARS)).split())]
        bare = self.prefix.rstrip()
        text = self.whole.head if self.kind is Kind.STRUCTURE else self.whole.shortened(limit)
        return [f"{self.prefix}{line}" if line else bare for line in text.split("\n")]

    def least(self, limit: int) -> int:
        """A lower bound for the characters of the lines, without line ends and numbers."""
        return len(self.prefix) + min(self.size, EXCERPT_CHARS if self.excerpt is not None else limit)

    @property
    def length(self) -> int:
        """Characters of the lines with the full value."""
        return self.size + (self.newlines + 1) * len(self.prefix)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Both ends of a raw value, which is cleaned and redacted only if it is shown."""

    head: str
    tail: str
    redactor: Redacts | None

    def value(self, size: int) -> Value:
        """The cleaned value, with at most `EXCERPT_CHARS` characters of the two ends."""
        if not self.tail:
            return value_of(self.head, redactor=self.redactor)
        half = EXCERPT_CHARS // 2
        made = value_of(self.head + "\n" * 2 + self.tail, half, self.redactor)
        return Value(made.head, made.tail, size - len(made.head) - len(made.tail), 0, made.base64_removed)


class Document:
    """Collects pieces and remembers which are the first and last messages of the conversation.

    Attributes:
        has_content: whether a builder added content (see `content`).
    """

    def __init__(self, max_value_chars: int, redactor: Redacts | None = None, max_chars: int = 10**9) -> None:
        """Start empty.

        Args:
            max_value_chars: each value is held with a little more than this.
            redactor: replaces private values before anything is shown or cut.
            max_chars: the limit of the text.
        """
        self.pieces: list[Piece] = []
        self.redactor = redactor
        self.base64_removed = 0
        self.event = 0
        self.has_content = False
        self._window = max(2 * max_value_chars, 2_000)
        self._limit = max_value_chars
        self._room = _EXCERPTS_BEYOND * max_chars
        self._room_of_errors = self._room
        self._roles: dict[str, str] = {}
        self._last: dict[int, str] = {}
        self._first_user: range | None = None
        self._last_user: range | None = None
        self._answer: range | None = None
        self._given: range | None = None
        self._result: range | None = None

    def line(self, text: str, prefix: str = "", keep: Keep = Keep.NO, *, is_own: bool = False) -> None:
        """Add one line of the layout; with `is_own` it holds no unredacted part of the trace."""
        if self.redactor is not None and not is_own:
            text = self.redactor.redact(text)
        self._room -= len(prefix) + len(text) + 1
        value = Value(text, "", 0, 0, 0)
        self.pieces.append(Piece(prefix, value, Kind.STRUCTURE, keep, len(text), 0, self.event))

    def text(self, text: str, prefix: str = "", kind: Kind = Kind.TEXT, keep: Keep = Keep.NO) -> None:
        """Add a value of any length, which is cleaned here."""
        if self._room < 0 and (keep is not Keep.ERROR or self._room_of_errors < 0):
            self._add_excerpt(text, prefix, kind, keep)
            return
        value = value_of(text, self._window, self.redactor)
        self.base64_removed += value.base64_removed
        size = len(prefix) + min(value.length, self._limit) + 1
        self._room -= size
        self._room_of_errors -= size if keep is Keep.ERROR else 0
        self.pieces.append(Piece(prefix, value, kind, keep, value.length, value.newlines, self.event))

    def _add_excerpt(self, text: str, prefix: str, kind: Kind, keep: Keep) -> None:
        short = len(text) <= 2 * _EXCERPT_END
        excerpt = Excerpt(text if short else text[:_EXCERPT_END], "" if short else text[-_EXCERPT_END:], self.redactor)
        self.pieces.append(Piece(prefix, None, kind, keep, len(text), text.count("\n"), self.event, excerpt))

    def given(self, text: str, prefix: str) -> None:
        """Add an input that is not a message; the first one is protected if the trace has no user message."""
        self._given = self._given or range(len(self.pieces), len(self.pieces) + 1)
        self.text(text, prefix)

    def result(self, label: str, text: str, prefix: str, *, failed: bool = False, is_final: bool = False) -> None:
        """Add an output that is not a message; the last one is protected if the trace has no answer of a model.

        With `is_final` it is the final answer in any case.
        """
        failed = failed or says_failure(text)
        where = range(len(self.pieces), len(self.pieces) + 1)
        self.text(label + text, prefix, Kind.ERROR if failed else Kind.RESULT, Keep.ERROR if failed else Keep.NO)
        self._result = where
        if is_final:
            self._answer = where

    def name(self, text: str, limit: int = 200) -> str:
        """A name for the middle of a line, redacted before it is cut."""
        return one_line(text, limit, self.redactor)

    def message(self, message: Message, number: int, prefix: str = "", *, blank_lines: bool = False) -> None:
        """Add a message: `[1] USER`, its text, its tool calls. `blank_lines` puts one after the role and the text."""
        start = len(self.pieces)
        self.has_content = self.has_content or message_has_content(message)
        is_failure = message.is_error or (message.role == "tool" and says_failure(message.text))
        failed = Keep.ERROR if is_failure else Keep.NO
        head = self._roles.get(message.role)
        if head is None:
            head = self._roles[message.role] = self.name(self.name(message.role, 80).upper(), 80)
        self.line(f"[{number}] {head}{' (ERROR)' if message.is_error else ''}", prefix, failed, is_own=True)
        if blank_lines:
            self.line("", prefix, is_own=True)
        if message.text or not message.tool_calls:
            kind = Kind.ERROR if is_failure else Kind.RESULT if message.role == "tool" else Kind.TEXT
            self.text(message.text or EMPTY, prefix, kind, failed)
        if message.tool_calls:
            if blank_lines and message.text:
                self.line("", prefix, is_own=True)
            self.line(f"Tool calls: {len(message.tool_calls)}", prefix, is_own=True)
            for tool_call in message.tool_calls:
                limit = self._limit // 2 if self._room >= 0 else EXCERPT_CHARS
                self.text(
                    f"  - {call(tool_call.name, tool_call.arguments, tool_call.status, limit, self.redactor)}", prefix
                )
        self._remember(message, range(start, len(self.pieces)))
        if self._room < 0:
            if message.role == "user":
                self._last[Keep.LAST_USER] = message.text
            elif message.role in {"assistant", "model"}:
                self._last[Keep.FINAL_ANSWER] = message.text

    def error(self, lines: Sequence[str], prefix: str = "") -> None:
        """Add the lines of an error."""
        self.has_content = True
        self.text("\n".join(lines), prefix, Kind.ERROR, Keep.ERROR)

    def close(self) -> list[Piece]:
        """All pieces, with the first and last messages marked as protected and held in full."""
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
        if piece.excerpt is None or text is None or len(text) != piece.size or piece.kind is Kind.STRUCTURE:
            return
        piece.value, piece.excerpt = value_of(text, self._window, self.redactor), None
        piece.size, piece.newlines = piece.value.length, piece.value.newlines

    def _remember(self, message: Message, where: range) -> None:
        if message.role == "user":
            self._first_user = self._first_user or where
            self._last_user = where
        elif message.role in {"assistant", "model"}:
            self._answer = where
