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


def _tokens(text: bytes) -> Iterator[tuple[str, bytes, int, int]]:
    """Kind, upper-cased word, start and end of every token that is not white space or a comment, at depth 0."""
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if match.group("space") is not None:
            continue
        token = match.group()
        if token in (b"(", b"[", b"{"):
            depth += 1
        elif token in (b")", b"]", b"}"):
            depth -= 1
        elif depth == 0:
            yield kind, token.upper() if kind == "word" else token, match.start(), match.end()


def first_word(text: bytes) -> str:
    """The first keyword, upper case: SELECT, INSERT, SHOW …; "" for none."""
    for match in _TOKEN.finditer(text):
        if match.group("space") is None and match.group() != b"(":
            return match.group().upper().decode("ascii", "replace") if match.group("word") else ""
    return ""


def insert_head(text: bytes) -> InsertHead | None:
    """Split an INSERT from its data.

    Returns:
        None if this is no INSERT, or one that takes its rows from a SELECT or a file.
    """
    if first_word(text) not in ("INSERT", "REPLACE"):
        return None
    tokens = _tokens(text)
    for kind, token, start, end in tokens:
        if kind != "word":
            continue
        if token in (b"SELECT", b"WITH", b"INFILE"):
            return None
        if token == b"VALUES":
            return InsertHead(text[:start], "Values", end)
        if token == b"FORMAT":
            following = next(tokens, None)
            if following is None or following[0] != "word":
                return None
            data_start = _DATA_START.match(text, following[3])
            name = text[following[2] : following[3]].decode()
            return InsertHead(text[:start], name, data_start.end() if data_start else following[3])
    return InsertHead(text, None, len(text))


def output_format(text: bytes) -> str | None:
    """The format named by the last FORMAT clause of a statement that returns rows, or None."""
    found: str | None = None
    previous = b""
    for kind, token, start, end in _tokens(text):
        if kind == "word" and previous == b"FORMAT":
            found = text[start:end].decode()
        previous = token if kind == "word" else b""
    return found
