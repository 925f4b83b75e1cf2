"""What Python and JavaScript write as JSON and no other reader takes, made JSON; the rest of the line stays as it was.

Lone surrogates become U+FFFD; NaN, infinities, and numbers beyond a double become null. A row with one of them would
be stored, and then be invisible: to ClickHouse's JSON functions its whole properties are empty.
"""

import re
from collections import Counter
from typing import Literal

Repair = Literal["lone_surrogate", "not_finite"]
"""What was replaced; stable, the report carries it."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?Infinity\b|NaN\b|-?\d[\d.eE+-]*', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


def repaired(line: bytes) -> tuple[bytes, Counter[Repair]]:
    """The line with what can be repaired, and how often each repair was made; other faults stay in it."""
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
        return abs(float(text)) < float("inf")  # NaN is less than nothing
    except ValueError:
        return True  # no number of any kind: not ours


def _without_surrogate_bytes(line: bytes, counts: Counter[Repair]) -> bytes:
    """Surrogates as bytes of their own: pairs become the character that they stand for, others U+FFFD."""
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
