"""Repairs what Python and JavaScript write as JSON, but is not JSON; the rest of the line stays as it is.

Lone surrogates become U+FFFD; NaN, infinities and numbers beyond a double become null. Otherwise the row would be
stored and stay invisible: to ClickHouse's JSON functions all its properties are empty.
"""

import re
from collections import Counter
from typing import Literal

Repair = Literal["lone_surrogate", "not_finite"]
"""Kinds of repairs; stored in the report."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?Infinity\b|NaN\b|-?\d[\d.eE+-]*', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


def repaired(line: bytes) -> tuple[bytes, Counter[Repair]]:
    """The repaired line, and the number of repairs by kind; other faults stay in it."""
    counts: Counter[Repair] = Counter()
    line = _without_surrogate_bytes(line, counts)

    def escape(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[0]
        counts["lone_surrogate"] += 1
        return rb"\ufffd"

    def token(match: re.Match[bytes]) -> bytes:
        text = match[0]
        if text.startswith(b'"'):
            return _ESCAPE.sub(escape, text) if b"\\u" in text else text
        if _is_finite(text):
            return text
        counts["not_finite"] += 1
        return b"null"

    return _TOKEN.sub(token, line), counts


def _is_finite(text: bytes) -> bool:
    try:
        return abs(float(text)) < float("inf")  # false for NaN
    except ValueError:
        return True  # not a number: not repaired here


def _without_surrogate_bytes(line: bytes, counts: Counter[Repair]) -> bytes:
    """Replace surrogates that are encoded as bytes: a pair by its character, a lone one by U+FFFD."""
    try:
        line.decode()
        return line
    except UnicodeDecodeError:
        pass
    try:
        text = line.decode(errors="surrogatepass").encode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError:
        return line
    whole = text.decode("utf-16-le", "replace")
    counts["lone_surrogate"] += whole.count("\ufffd") - line.count("\ufffd".encode())
    return whole.encode()
