"""A minimal SQL scanner to route a request: whether it is an INSERT with data, and its FORMAT clause.

The engine parses statements. This module rewrites only an INSERT with data, so that the data is read from a file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

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
    """An INSERT with data in a format.

    Attributes:
        target: the INSERT up to SETTINGS, FORMAT or VALUES.
        settings: its SETTINGS clause, b"" for none.
        format: input format of the data; None if the statement does not name one.
        data_offset: index of the data in the text.
    """

    target: bytes
    settings: bytes
    format: str | None
    data_offset: int

    def from_file(self, path: str, data_format: str) -> bytes:
        """The INSERT with its data read from a file; `path` must not need quoting."""
        source = f"FROM INFILE '{path}' COMPRESSION 'none'"
        return b"\n".join((self.target, source.encode(), self.settings, f"FORMAT {data_format}".encode()))


@dataclass(frozen=True, slots=True)
class _Token:
    """A token outside all brackets; `text` is upper-cased for words."""

    text: bytes
    is_word: bool
    start: int
    end: int


def _tokens(text: bytes) -> Iterator[_Token]:
    """The tokens outside all brackets, and closing brackets, without white space and comments."""
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
    """The first keyword in upper case (SELECT, INSERT, SHOW …), after opening brackets; "" for none."""
    for match in _TOKEN.finditer(text):
        if match.group("space") is None and match.group() != b"(":
            return match.group().upper().decode("ascii", "replace") if match.group("word") else ""
    return ""


def insert_head(text: bytes) -> InsertHead | None:
    """Separate an INSERT, also one after WITH, from its data.

    Returns:
        None for any other statement, and for an INSERT with rows from a SELECT or a file.
    """
    tokens = _tokens(text)
    if first_word(text) not in ("INSERT", "WITH") or not any(token.text == b"INSERT" for token in tokens):
        return None
    previous, settings = b"INSERT", len(text)
    for token in tokens:
        before, previous = previous, token.text
        if before in (b".", b"INTO", b"TABLE"):  # a name, even if it is a keyword
            continue
        if token.text in (b"SELECT", b"WITH", b"INFILE"):
            return None
        if token.text == b"SETTINGS":
            settings = token.start
        if token.text == b"VALUES":
            return InsertHead(text[: min(settings, token.start)], text[settings : token.start], "Values", token.end)
        if token.text == b"FORMAT":
            return _with_format(text, settings, token, next(tokens, None))
    return InsertHead(text[:settings], text[settings:], None, len(text))


def _with_format(text: bytes, settings: int, clause: _Token, name: _Token | None) -> InsertHead | None:
    if name is None or not name.is_word:
        return None
    data = _DATA_START.match(text, name.end)
    return InsertHead(
        text[: min(settings, clause.start)],
        text[settings : clause.start],
        text[name.start : name.end].decode(),
        data.end() if data else name.end,
    )


def reads_input(text: bytes) -> bool:
    """Whether a statement uses the table function `input`."""
    words = [match.group().upper() for match in _TOKEN.finditer(text) if match.group("space") is None]
    return (b"INPUT", b"(") in pairwise(words)


def output_format(text: bytes) -> str | None:
    """The format of the last FORMAT clause outside brackets, or None."""
    found: str | None = None
    previous = b""
    for token in _tokens(text):
        if token.is_word and previous == b"FORMAT":
            found = text[token.start : token.end].decode()
        previous = token.text
    return found


def marked(statement: bytes, query_id: str) -> bytes:
    """The statement with the client's query id in a comment at its end, by which the running query is found."""
    return statement + b"\n" + marker(query_id).encode()


def marker(query_id: str) -> str:
    """The comment that holds a query id."""
    return f"/* query_id: {re.sub(r'[^A-Za-z0-9_.:-]', '_', query_id)} */"
