"""Just enough reading of SQL to route a request: is it an INSERT with data, and which FORMAT does it end in.

What a statement means stays the engine's business; this module never rewrites one beyond cutting off
`FORMAT x` and the data after it, because chDB takes those two apart from the statement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
       |(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
       |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
       |(?P<word>[A-Za-z_]\w*)
       |(?P<other>[0-9][\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)
_DATA_START = re.compile(rb"[ \t\f]*\r?\n?")


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An INSERT whose data follows in a format.

    Attributes:
        statement: the INSERT up to FORMAT or VALUES.
        format: input format of the data; None if the statement does not name one.
        data_offset: where in the text the data begins.
    """

    statement: bytes
    format: str | None
    data_offset: int


@dataclass(frozen=True, slots=True)
class _Token:
    """A token outside all brackets; `text` is upper-cased for words."""

    text: bytes
    is_word: bool
    start: int
    end: int


def _tokens(text: bytes) -> Iterator[_Token]:
    """The tokens outside all brackets, without white space and comments; of brackets, what closes them."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match.group("space") is not None:
            continue
        token = match.group()
        if token in (b"(", b"[", b"{"):
            depth += 1
        elif token in (b")", b"]", b"}"):
            depth -= 1
            if depth == 0:
                yield _Token(token, False, match.start(), match.end())
        elif depth == 0:
            is_word = match.group("word") is not None
            yield _Token(token.upper() if is_word else token, is_word, match.start(), match.end())


def first_word(text: bytes) -> str:
    """The first keyword, upper case, brackets before it ignored: SELECT, INSERT, SHOW …; "" for none."""
    for match in _TOKEN.finditer(text):
        if match.group("space") is None and match.group() != b"(":
            return match.group().upper().decode("ascii", "replace") if match.group("word") else ""
    return ""


def insert_head(text: bytes) -> InsertHead | None:
    """Split an INSERT, also one after WITH, from its data.

    Returns:
        None if this is no INSERT, or one that takes its rows from a SELECT or a file.
    """
    tokens = _tokens(text)
    if first_word(text) not in ("INSERT", "WITH") or not any(token.text == b"INSERT" for token in tokens):
        return None
    previous = b"INSERT"
    for token in tokens:
        before, previous = previous, token.text
        if before in (b".", b"INTO", b"TABLE"):  # a name, whatever it reads like
            continue
        if token.text in (b"SELECT", b"WITH", b"INFILE"):
            return None
        if token.text == b"VALUES":
            return InsertHead(text[: token.start], "Values", token.end)
        if token.text == b"FORMAT":
            return _with_format(text, token, next(tokens, None))
    return InsertHead(text, None, len(text))


def _with_format(text: bytes, clause: _Token, name: _Token | None) -> InsertHead | None:
    if name is None or not name.is_word:
        return None
    data = _DATA_START.match(text, name.end)
    return InsertHead(text[: clause.start], text[name.start : name.end].decode(), data.end() if data else name.end)


def output_format(text: bytes) -> str | None:
    """The format that the last FORMAT clause outside brackets names, or None."""
    found: str | None = None
    previous = b""
    for token in _tokens(text):
        if token.is_word and previous == b"FORMAT":
            found = text[token.start : token.end].decode()
        previous = token.text
    return found
